#include "framework/language/vars.h"

#include <algorithm>
#include <optional>
#include <set>

#include "framework/language/arithmetic.h"
#include "framework/language/fields.h"
#include "framework/node/did_you_mean.h"

namespace weft {

namespace {
constexpr int64_t most_repeats = 10000;
constexpr int64_t most_values = 100'000;
constexpr int64_t most_bytes = 16 << 20;
constexpr size_t most_waiting = 200;
constexpr int most_literal = 100;  // further dollars of a quoted text are not looked at

// The index at which the bracket that opens at text[begin] closes.
size_t closing(const std::string& text, size_t begin) {
  const char open = text[begin], close = open == '(' ? ')' : '}';
  int depth = 0;
  for (size_t at = begin; at < text.size(); ++at) {
    if (text[at] == open) ++depth;
    if (text[at] == close && --depth == 0) return at;
  }
  throw Error(std::string("`$") + open + "` without its `" + close + "`");
}

// The value of the one `$…` at text[at]; `at` moves behind it.
Yaml expand(const std::string& text, size_t& at, const Vars& vars, const Place& place) {
  size_t end = at + 1;
  if (end < text.size() && (text[end] == '{' || text[end] == '(')) {
    const size_t close = closing(text, end);
    const std::string inner = text.substr(end + 1, close - end - 1);
    at = close + 1;
    if (const auto found = vars.find(inner); found != vars.end()) return found->second;
    return Yaml::scalar(computed(inner, vars), place);
  }
  while (end < text.size() && in_variable(text[end])) ++end;
  if (end == at + 1) throw Error("`$` must be followed by a name; write `$$` for a dollar sign");
  const std::string name = text.substr(at + 1, end - at - 1);
  at = end;
  return variable(name, vars);
}

// The same in quotes, where a `$` is a variable's if there is one; else `at` stays.
std::optional<Yaml> expand_quoted(const std::string& text, size_t& at, const Vars& vars,
                                  const Place& place) {
  const size_t begin = at;
  try {
    return expand(text, at, vars, place);
  } catch (const Error&) {
    at = begin;
    return std::nullopt;
  }
}

// The field that `.name` at text[at] names, of a variable that is a map; `at` moves behind it.
Yaml field(const Yaml& map, const std::string& text, size_t& at) {
  const size_t begin = ++at;
  while (at < text.size() && in_variable(text[at])) ++at;
  const std::string name = text.substr(begin, at - begin);
  if (const Yaml* const found = map.find(name)) return *found;
  std::vector<std::string> known;
  for (const Yaml::Entry& entry : map.entries()) known.push_back(entry.key);
  throw Error("there is no " + ticked(name) + did_you_mean(name, known) + "; it has " +
              listed(known));
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

// A copy of a value with its variables replaced, within the bounds of what a file may expand to.
class Substitution {
 public:
  explicit Substitution(Mistakes& mistakes) : mistakes_(mistakes) {}
  Yaml operator()(const Yaml& value, const Vars& vars);

 private:
  Yaml text(const Yaml& value, const Vars& vars);
  void repeat(const Yaml::Entry& entry, const Vars& vars, std::vector<Yaml::Entry>& out);
  bool spend(const Yaml& value);
  bool spend_all(const Yaml& value);

  Mistakes& mistakes_;
  int64_t values_ = 0, bytes_ = 0;
};

bool Substitution::spend(const Yaml& value) {
  const bool within = values_ <= most_values && bytes_ <= most_bytes;
  ++values_, bytes_ += static_cast<int64_t>(value.text().size());
  const bool still = values_ <= most_values && bytes_ <= most_bytes;
  if (within && !still)
    mistakes_.add(value.place(),
                  "variables and repeats make more than 100,000 values or 16 MiB of text");
  return still;
}

bool Substitution::spend_all(const Yaml& value) {
  bool within = spend(value);
  for (const Yaml& item : value.items()) within = within && spend_all(item);
  for (const Yaml::Entry& entry : value.entries()) within = within && spend_all(entry.value);
  return within;
}

Yaml Substitution::text(const Yaml& value, const Vars& vars) {
  const std::string& text = value.text();
  std::string out;
  const bool quoted = value.quoted();
  bool escaped = quoted;
  int literal = 0;  // dollars of a quoted text that are none of variables
  for (size_t at = 0; at < text.size();) {
    if (text[at] != '$' || literal > most_literal) {
      out += text[at++];
      continue;
    }
    if (text.compare(at, 2, "$$") == 0) {
      out += quoted ? "$$" : "$", at += 2, escaped = true;
      continue;
    }
    const bool first = at == 0;
    std::optional<Yaml> part = quoted ? expand_quoted(text, at, vars, value.place())
                                      : expand(text, at, vars, value.place());
    if (!part) {
      out += text[at++], ++literal;
      continue;
    }
    while (part->is_map() && at + 1 < text.size() && text[at] == '.' && in_variable(text[at + 1]))
      part = field(*part, text, at);
    if (!spend_all(*part)) return Yaml::null(value.place());
    if (first && at == text.size()) return with_place(*part, value.place());
    out += part->to_text("a variable inside a text");
  }
  return Yaml::scalar(out, value.place(), escaped);
}

// The ports that a node of a repeat takes from the one before, and what of it they take.
std::vector<std::pair<std::string, std::string>> links(const Yaml::Entry& entry) {
  const Yaml* const chain = entry.value.find("chain");
  std::vector<std::pair<std::string, std::string>> links;
  if (chain && chain->is_list())
    for (const Yaml& port : chain->items())
      links.emplace_back(port.to_text("a port of `chain`"), "." + port.text());
  else
    links.emplace_back(chain ? chain->to_text("`chain`") : "x", "");
  if (links.empty()) throw Error(chain->place(), "`chain` must name a port");
  for (const auto& [port, output] : links)
    if (!entry.value.find(port))
      throw Error(entry.place, "a repeated node feeds its output to the next one's `" + port +
                                   "`, which is not given; name another port with `chain: port`");
  return links;
}

// `block: {repeat: 3, …}` becomes block.0, block.1, block.2, each fed by the one before.
void Substitution::repeat(const Yaml::Entry& entry, const Vars& vars,
                          std::vector<Yaml::Entry>& out) {
  Yaml node = entry.value;
  const Yaml times = (*this)(*node.find("repeat"), vars);
  if (unresolved(times)) return;
  node.erase("repeat");
  node.erase("chain");
  const int64_t count =
      times.is_list() ? static_cast<int64_t>(times.items().size()) : times.to_int("`repeat`");
  if (count < 1 || count > most_repeats)
    throw Error(times.place(),
                "`repeat` must be 1 to 10000 times, or a list of values for `$item`");
  const auto fed = links(entry);
  std::string before;
  for (int64_t i = 0; i < count && values_ <= most_values; ++i) {
    Vars inner = vars;
    inner["index"] = Yaml::scalar(std::to_string(i), times.place());
    if (times.is_list()) inner["item"] = times.items()[static_cast<size_t>(i)];
    Yaml one = node;
    if (i > 0)
      for (const auto& [port, output] : fed)
        one.put(port, Yaml::scalar(before + output, entry.place));
    before = entry.key + "." + std::to_string(i);
    out.push_back({before, entry.place, (*this)(one, inner)});
  }
}

Yaml Substitution::operator()(const Yaml& value, const Vars& vars) {
  if (!spend(value)) return Yaml::null(value.place());
  if (value.is_scalar()) {
    if (value.text().find('$') == std::string::npos) return value;
    try {
      return text(value, vars);
    } catch (const Error& error) {
      mistakes_.add(value.place(), error.sentence());
      return value;
    }
  }
  if (value.is_list()) {
    std::vector<Yaml> items;
    for (const Yaml& item : value.items()) items.push_back((*this)(item, vars));
    return Yaml::list(std::move(items), value.place());
  }
  if (!value.is_map()) return value;
  std::vector<Yaml::Entry> entries;
  for (const auto& entry : value.entries()) {
    if (!entry.value.is_map() || !entry.value.find("repeat")) {
      entries.push_back({entry.key, entry.place, (*this)(entry.value, vars)});
      continue;
    }
    try {
      repeat(entry, vars, entries);
    } catch (const Error& error) {
      mistakes_.add(error);
    }
  }
  return Yaml::map(std::move(entries), value.place());
}
}  // namespace

Yaml substitute(const Yaml& value, const Vars& vars, Mistakes& mistakes) {
  return Substitution(mistakes)(value, vars);
}

bool unresolved(const Yaml& value) {
  if (value.is_scalar() && !value.quoted()) return value.text().find('$') != std::string::npos;
  const auto in_entry = [](const Yaml::Entry& entry) { return unresolved(entry.value); };
  return std::any_of(value.items().begin(), value.items().end(), unresolved) ||
         std::any_of(value.entries().begin(), value.entries().end(), in_entry);
}

namespace {
// Adds the names of variables in a text: `$name`, and all words within `$(…)` and `${…}`.
void add_mentioned(const std::string& text, std::set<std::string>& names) {
  const auto word_end = [&](size_t at) {
    while (at < text.size() && in_variable(text[at])) ++at;
    return at;
  };
  for (size_t at = text.find('$'); at < text.size(); at = text.find('$', at)) {
    const char next = ++at < text.size() ? text[at] : ' ';
    if (next != '(' && next != '{') {
      names.insert(text.substr(at, word_end(at) - at));
      at += next == '$';
      continue;
    }
    for (const size_t close = closing(text, at); at < close; at = std::max(at + 1, word_end(at)))
      names.insert(text.substr(at, word_end(at) - at));
  }
}

void add_mentioned(const Yaml& value, std::set<std::string>& names) {
  try {
    add_mentioned(value.text(), names);
  } catch (const Error&) {  // the substitution is going to say what is wrong
  }
  for (const Yaml& item : value.items()) add_mentioned(item, names);
  for (const Yaml::Entry& entry : value.entries()) add_mentioned(entry.value, names);
}

// Gives each variable its value after those of the variables that it uses.
class VarsReader {
 public:
  VarsReader(const Yaml& map, const Vars& outer, Mistakes& mistakes)
      : vars(outer), mistakes_(mistakes), substitution_(mistakes) {
    for (const Yaml::Entry& entry : map.entries()) entries_[entry.key] = &entry;
    for (const Yaml::Entry& entry : map.entries()) read(entry);
  }

  Vars vars;

 private:
  void read(const Yaml::Entry& entry) {
    const auto& [key, place, value] = entry;
    if (!begun_.insert(key).second) return;
    waiting_.push_back(key);
    if (waiting_.size() > most_waiting)
      mistakes_.add(place,
                    "more than 200 variables wait for one another: write a variable below "
                    "those it uses");
    else
      read_used(entry);
    waiting_.pop_back();
    if (key.empty() || !starts_variable(key[0]) ||
        !std::all_of(key.begin(), key.end(), in_variable))
      mistakes_.add(place, "a variable's name is letters, digits and `_`, not `" + key + "`");
    if (!circular_.contains(key)) vars[key] = substitution_(value, vars);
  }

  void read_used(const Yaml::Entry& entry) {
    std::set<std::string> used;
    add_mentioned(entry.value, used);
    for (const std::string& name : used) {
      const auto found = entries_.find(name);
      if (found == entries_.end()) continue;
      const auto again = std::find(waiting_.begin(), waiting_.end(), name);
      if (again == waiting_.end())
        read(*found->second);
      else if (!vars.contains(name))
        refuse_circle(entry, {again, waiting_.end()});
    }
  }

  void refuse_circle(const Yaml::Entry& entry, std::vector<std::string> names) {
    for (std::string& name : names) {
      vars[name] = Yaml::scalar("$" + name, entry.place);
      circular_.insert(name);
      name = ticked("$" + name);
    }
    mistakes_.add(entry.value.place(),
                  names.size() > 1 ? "the variables " + listed(names) + " are made of one another"
                                   : "the variable " + names[0] + " is made of itself");
  }

  Mistakes& mistakes_;
  Substitution substitution_;
  std::map<std::string, const Yaml::Entry*> entries_;
  std::set<std::string> begun_, circular_;
  std::vector<std::string> waiting_;  // each for the next
};
}  // namespace

Vars read_vars(const Yaml& file, Mistakes& mistakes) {
  const Vars outer{{"count", Yaml::scalar("64", {})}};
  const Yaml* const declared = file.find("vars");
  if (!declared || declared->is_null()) return outer;
  if (declared->is_map()) return VarsReader(*declared, outer, mistakes).vars;
  mistakes.add(declared->place(), "`vars` must be a map from names to values");
  return outer;
}

void close_fragment(Yaml& fragment, const Vars& vars, Mistakes& mistakes) {
  if (!fragment.is_map()) return;
  if (Yaml* const given = fragment.find("params"); given && given->is_map())
    for (auto& [name, place, param] : given->entries()) {
      Yaml* const standard = param.is_map() ? param.find("default") : &param;
      if (standard) *standard = substitute(*standard, vars, mistakes);
    }
  std::set<std::string> used;
  for (const Yaml::Entry& entry : fragment.entries())
    if (entry.key != "params") add_mentioned(entry.value, used);
  for (const std::string& name : used) {
    const auto found = vars.find(name);
    Yaml* const given = fragment.find("params");
    if (found == vars.end() || (given && (!given->is_map() || given->find(name)))) continue;
    if (!given) fragment.put("params", Yaml::map({}, fragment.place()));
    fragment.find("params")->put(name, found->second);
  }
}

}  // namespace weft
