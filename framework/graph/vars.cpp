#include "framework/graph/vars.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <sstream>

namespace weft {

namespace {
constexpr int64_t most_repeats = 10000;

bool starts_name(char c) {
  return std::isalpha(static_cast<unsigned char>(c)) || c == '_';
}
bool in_name(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) || c == '_';
}

std::string number_text(double number) {
  if (number == std::floor(number) && std::abs(number) < 1e15)
    return std::to_string(static_cast<int64_t>(number));
  std::ostringstream out;
  out.precision(17);
  out << number;
  return out.str();
}

const Yaml& lookup(const std::string& name, const Vars& vars) {
  if (const auto found = vars.find(name); found != vars.end()) return found->second;
  std::vector<std::string> known;
  for (const auto& [key, value] : vars) known.push_back(key);
  throw Error("there is no variable `$" + name + "`" + did_you_mean(name, known) +
              "; variables are declared under `vars:`");
}

// sum := product (('+' | '-') product)*, product := factor (('*' | '/' | '//' | '%') factor)*
class Arithmetic {
 public:
  Arithmetic(std::string_view text, const Vars& vars) : text_(text), vars_(vars) {}

  double value() {
    const double result = sum();
    if (!rest().empty()) fail("unexpected `" + std::string(rest()) + "`");
    return result;
  }

 private:
  std::string_view rest() {
    while (at_ < text_.size() && text_[at_] == ' ') ++at_;
    return text_.substr(at_);
  }
  bool eat(std::string_view token) {
    if (!rest().starts_with(token)) return false;
    at_ += token.size();
    return true;
  }
  [[noreturn]] void fail(const std::string& why) const {
    throw Error("cannot compute `${" + std::string(text_) + "}`: " + why);
  }
  double sum() {
    double left = product();
    while (true) {
      if (eat("+"))
        left += product();
      else if (eat("-"))
        left -= product();
      else
        return left;
    }
  }
  double product() {
    double left = factor();
    while (true) {
      if (eat("*"))
        left *= factor();
      else if (eat("//"))
        left = std::floor(left / divisor());
      else if (eat("/"))
        left /= divisor();
      else if (eat("%"))
        left = std::fmod(left, divisor());
      else
        return left;
    }
  }
  double divisor() {
    const double value = factor();
    if (value == 0) fail("division by zero");
    return value;
  }
  double factor() {
    if (++depth_ > 64) fail("too deeply nested");
    const double value = unnested();
    --depth_;
    return value;
  }
  double unnested() {
    if (eat("-")) return -factor();
    if (eat("(")) {
      const double inner = sum();
      if (!eat(")")) fail("a `)` is missing");
      return inner;
    }
    const std::string_view left = rest();
    size_t end = 0;
    if (!left.empty() && starts_name(left[0])) {
      while (end < left.size() && in_name(left[end])) ++end;
      at_ += end;
      const std::string name(left.substr(0, end));
      return lookup(name, vars_).to_number("`$" + name + "`");
    }
    while (end < left.size() &&
           (std::isdigit(static_cast<unsigned char>(left[end])) || left[end] == '.' ||
            (end && (left[end] == 'e' || (left[end - 1] == 'e' && left[end] == '-')))))
      ++end;
    if (end == 0)
      fail(left.empty()
               ? "something is missing at the end"
               : "a number, a variable or `(` is expected before `" + std::string(left) + "`");
    at_ += end;
    return Yaml::scalar(std::string(left.substr(0, end)), {})
        .to_number("`" + std::string(left.substr(0, end)) + "`");
  }

  std::string_view text_;
  const Vars& vars_;
  size_t at_ = 0;
  int depth_ = 0;
};

// What one `$…` at text[at] stands for; `at` moves behind it.
Yaml expand(const std::string& text, size_t& at, const Vars& vars, const Place& place) {
  size_t end = at + 1;
  if (end < text.size() && text[end] == '{') {
    const size_t close = text.find('}', end);
    if (close == std::string::npos) throw Error("`${` without its `}`");
    const std::string inner = text.substr(end + 1, close - end - 1);
    at = close + 1;
    if (const auto found = vars.find(inner); found != vars.end()) return found->second;
    return Yaml::scalar(number_text(Arithmetic(inner, vars).value()), place);
  }
  while (end < text.size() && in_name(text[end])) ++end;
  if (end == at + 1) throw Error("`$` must be followed by a name; write `$$` for a dollar sign");
  const std::string name = text.substr(at + 1, end - at - 1);
  at = end;
  return lookup(name, vars);
}

Yaml with_place(Yaml value, const Place& place) {
  switch (value.kind()) {
    case Yaml::Kind::list: return Yaml::list(value.items(), place);
    case Yaml::Kind::map: return Yaml::map(value.entries(), place);
    case Yaml::Kind::scalar: return Yaml::scalar(value.text(), place, value.quoted());
    case Yaml::Kind::null: break;
  }
  return value;
}

Yaml substitute_text(const Yaml& value, const Vars& vars) {
  const std::string& text = value.text();
  std::string out;
  for (size_t at = 0; at < text.size();) {
    if (text[at] != '$') {
      out += text[at++];
    } else if (at + 1 < text.size() && text[at + 1] == '$') {
      out += '$', at += 2;
    } else {
      const bool first = at == 0;
      const Yaml part = expand(text, at, vars, value.place());
      if (first && at == text.size()) return with_place(part, value.place());
      out += part.to_text("a variable inside a text");
    }
  }
  return Yaml::scalar(out, value.place());
}

// `block: {repeat: 3, …}` becomes block.0, block.1, block.2, each fed by the one before.
void repeat(const Yaml::Entry& entry, const Vars& vars, Mistakes& mistakes,
            std::vector<Yaml::Entry>& out) {
  Yaml node = entry.value;
  try {
    const Yaml times = substitute(*node.find("repeat"), vars, mistakes);
    const Yaml* chain = node.find("chain");
    const std::string port = chain ? chain->to_text("`chain`") : "x";
    node.erase("repeat");
    node.erase("chain");
    const int64_t count =
        times.is_list() ? static_cast<int64_t>(times.items().size()) : times.to_int("`repeat`");
    if (count < 1 || count > most_repeats)
      throw Error(times.place(),
                  "`repeat` must be 1 to 10000 times, or a list of values for `$item`");
    if (!node.find(port))
      throw Error(entry.place, "a repeated node feeds its output to the next one's `" + port +
                                   "`, which is not given; name another port with `chain: port`");
    for (int64_t i = 0; i < count; ++i) {
      Vars inner = vars;
      inner["index"] = Yaml::scalar(std::to_string(i), times.place());
      if (times.is_list()) inner["item"] = times.items()[static_cast<size_t>(i)];
      Yaml one = node;
      if (i > 0) one.put(port, Yaml::scalar(entry.key + "." + std::to_string(i - 1), entry.place));
      out.push_back(
          {entry.key + "." + std::to_string(i), entry.place, substitute(one, inner, mistakes)});
    }
  } catch (const Error& error) {
    mistakes.add(error);
  }
}
}  // namespace

Yaml substitute(const Yaml& value, const Vars& vars, Mistakes& mistakes) {
  if (value.is_scalar()) {
    if (value.quoted() || value.text().find('$') == std::string::npos) return value;
    try {
      return substitute_text(value, vars);
    } catch (const Error& error) {
      mistakes.add(value.place(), error.sentence());
      return value;
    }
  }
  if (value.is_list()) {
    std::vector<Yaml> items;
    for (const Yaml& item : value.items()) items.push_back(substitute(item, vars, mistakes));
    return Yaml::list(std::move(items), value.place());
  }
  if (value.is_map()) {
    std::vector<Yaml::Entry> entries;
    for (const auto& entry : value.entries()) {
      if (entry.value.is_map() && entry.value.find("repeat"))
        repeat(entry, vars, mistakes, entries);
      else
        entries.push_back({entry.key, entry.place, substitute(entry.value, vars, mistakes)});
    }
    return Yaml::map(std::move(entries), value.place());
  }
  return value;
}

Vars read_vars(const Yaml& map, const Vars& outer, Mistakes& mistakes) {
  Vars vars = outer;
  for (const auto& [key, place, value] : map.entries()) {
    if (key.empty() || !starts_name(key[0]) || !std::all_of(key.begin(), key.end(), in_name))
      mistakes.add(place, "a variable's name is letters, digits and `_`, not `" + key + "`");
    vars[key] = substitute(value, vars, mistakes);
  }
  return vars;
}

}  // namespace weft
