// YAML values: conversions, comparison, and how they are written as text.
#include <algorithm>
#include <charconv>
#include <optional>

#include "framework/language/yaml.h"
#include "framework/language/yaml_text.h"

namespace weft {

Yaml Yaml::null(Place place) {
  Yaml yaml;
  yaml.place_ = std::move(place);
  return yaml;
}

Yaml Yaml::scalar(std::string text, Place place, bool quoted) {
  Yaml yaml = null(std::move(place));
  yaml.kind_ = Kind::scalar;
  yaml.text_ = std::move(text);
  yaml.quoted_ = quoted;
  return yaml;
}

Yaml Yaml::list(std::vector<Yaml> items, Place place) {
  Yaml yaml = null(std::move(place));
  yaml.kind_ = Kind::list;
  yaml.items_ = std::move(items);
  return yaml;
}

Yaml Yaml::map(std::vector<Entry> entries, Place place) {
  Yaml yaml = null(std::move(place));
  yaml.kind_ = Kind::map;
  yaml.entries_ = std::move(entries);
  return yaml;
}

bool Yaml::operator==(const Yaml& other) const {
  const auto same = [](const Entry& a, const Entry& b) {
    return a.key == b.key && a.value == b.value;
  };
  return kind_ == other.kind_ && quoted_ == other.quoted_ && text_ == other.text_ &&
         items_ == other.items_ && std::ranges::equal(entries_, other.entries_, same);
}

std::vector<std::string> Yaml::differences(const Yaml& other) const {
  std::vector<std::string> paths;
  const auto below = [&](const std::string& key, const Yaml* a, const Yaml* b) {
    if (!a || !b) return paths.push_back(key);
    for (const std::string& path : a->differences(*b))
      paths.push_back(path.empty() ? key : key + "." + path);
  };
  if (is_map() && other.is_map()) {
    for (const auto& [key, place, value] : entries_) below(key, &value, other.find(key));
    for (const auto& [key, place, value] : other.entries_)
      if (!find(key)) below(key, nullptr, &value);
  } else if (is_list() && other.is_list() && items_.size() == other.items_.size()) {
    for (size_t i = 0; i < items_.size(); ++i)
      below(std::to_string(i), &items_[i], &other.items_[i]);
  } else if (!(*this == other)) {
    paths.emplace_back();
  }
  return paths;
}

const Yaml* Yaml::find(std::string_view key) const {
  const auto entry = std::ranges::find(entries_, key, &Entry::key);
  return entry == entries_.end() ? nullptr : &entry->value;
}

Yaml* Yaml::find(std::string_view key) {
  return const_cast<Yaml*>(std::as_const(*this).find(key));
}

void Yaml::put(std::string key, Yaml value) {
  if (Yaml* old = find(key)) {
    *old = std::move(value);
  } else {
    Place place = value.place();
    entries_.push_back({std::move(key), std::move(place), std::move(value)});
  }
}

void Yaml::put(Entry entry) {
  const auto old = std::ranges::find(entries_, entry.key, &Entry::key);
  if (old == entries_.end())
    entries_.push_back(std::move(entry));
  else
    *old = std::move(entry);
}

void Yaml::erase(std::string_view key) {
  std::erase_if(entries_, [&](const Entry& entry) { return entry.key == key; });
}

namespace {

[[noreturn]] void refuse(const Yaml& value, const std::string& what, const char* expected) {
  std::string given = "empty";
  if (value.is_list()) given = "a list";
  if (value.is_map()) given = "a map";
  if (value.is_scalar()) given = "`" + shown(value.text()) + "`";
  if (value.quoted()) given = "the quoted text \"" + shown(value.text()) + "\"";
  if (value.quoted() && value.text().find('$') != std::string::npos)
    given += ": there is no such variable";
  const auto has = [&](const char* any) {
    return value.text().find_first_of(any) != std::string::npos;
  };
  if (!value.quoted() && has(" ") && has("*+/"))
    given += "; what is to be computed stands in `$( )`, as in `$(2 * width)`";
  throw Error(value.place(), what + " must be " + expected + ", but is " + given);
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// A decimal number without rounding: digits times ten to the exponent.
struct Decimal {
  bool negative = false;
  std::string digits;
  int64_t exponent = 0;
};

// Parses [+-] digits [. digits] [e [+-] digits], without leading zeros and with a digit on either
// side of the point.
std::optional<Decimal> decimal(std::string_view text) {
  Decimal number;
  const auto skip = [&](char c) {
    const bool here = text.starts_with(c);
    text.remove_prefix(here);
    return here;
  };
  const auto digits = [&] {
    const size_t count = std::ranges::find_if_not(text, is_digit) - text.begin();
    const std::string_view all = text.substr(0, count);
    text.remove_prefix(count);
    return all;
  };
  number.negative = skip('-');
  if (!number.negative) skip('+');
  number.digits = digits();
  if (number.digits.size() > 1 && number.digits[0] == '0') return std::nullopt;
  if (skip('.')) {
    const std::string_view fraction = digits();
    number.digits += fraction;
    number.exponent = -static_cast<int64_t>(fraction.size());
  }
  if (number.digits.empty()) return std::nullopt;
  if (skip('e') || skip('E')) {
    const bool negative = skip('-');
    if (!negative) skip('+');
    const std::string_view power = digits();
    if (power.empty()) return std::nullopt;
    int64_t exponent = 0;
    if (std::from_chars(power.data(), power.data() + power.size(), exponent).ec != std::errc())
      exponent = int64_t{1} << 60;
    number.exponent += negative ? -exponent : exponent;
  }
  if (!text.empty()) return std::nullopt;
  return number;
}

}  // namespace

bool Yaml::to_bool(const std::string& what) const {
  if (quoted_ || (text_ != "true" && text_ != "false")) refuse(*this, what, "true or false");
  return text_ == "true";
}

int64_t Yaml::to_int(const std::string& what) const {
  std::optional<Decimal> number = decimal(text_);
  if (quoted_ || !number) refuse(*this, what, "an integer");
  std::string& digits = number->digits;
  digits.erase(0, digits.find_first_not_of('0'));
  if (digits.empty()) return 0;
  const size_t zeros = digits.size() - 1 - digits.find_last_not_of('0');
  digits.resize(digits.size() - zeros);
  number->exponent += static_cast<int64_t>(zeros);
  if (number->exponent < 0) refuse(*this, what, "an integer");
  int64_t value = 0;
  std::errc error = std::errc::result_out_of_range;
  if (number->exponent < 19) {
    digits.append(static_cast<size_t>(number->exponent), '0');
    if (number->negative) digits.insert(0, 1, '-');
    error = std::from_chars(digits.data(), digits.data() + digits.size(), value).ec;
  }
  if (error != std::errc()) refuse(*this, what, "an integer of 64 bits");
  return value;
}

double Yaml::to_number(const std::string& what) const {
  if (quoted_ || !decimal(text_)) refuse(*this, what, "a number");
  const char* begin = text_.data() + text_.starts_with('+');
  double value = 0;
  if (std::from_chars(begin, text_.data() + text_.size(), value).ec != std::errc())
    refuse(*this, what, "a number within the range of a double");
  return value;
}

const std::string& Yaml::to_text(const std::string& what) const {
  if (!is_scalar()) refuse(*this, what, "text");
  return text_;
}

namespace {

constexpr size_t max_columns = 80;
constexpr size_t max_key = 1000;  // bytes before the `:`; YAML allows 1024

bool is_blank(char c) {
  return c == ' ' || c == '\t';
}

// Does `text` without quotes read as the same text (YAML 1.2.2, 7.3.3, and yaml-cpp)?
bool is_plain(std::string_view text, bool in_flow) {
  constexpr std::string_view indicators = ",[]{}#&*!|>'\"%@`";
  if (is_null_word(text) || is_blank(text.front()) || is_blank(text.back())) return false;
  if (indicators.find(text.front()) != std::string_view::npos) return false;
  for (size_t i = 0; i < text.size();) {
    const char c = text[i];
    const bool ends_word = i + 1 == text.size() || is_blank(text[i + 1]);
    if (c == ':' && ends_word) return false;
    if (i == 0 && (c == '-' || c == '?') && ends_word) return false;
    if (i > 0 && c == '#' && is_blank(text[i - 1])) return false;
    if (in_flow && std::string_view(",?[]{}").find(c) != std::string_view::npos) return false;
    const auto [code, length] = first_character(text.substr(i));
    if (length == 0 || code == '\n' || code == '\r' || is_control(code)) return false;
    i += length;
  }
  return true;
}

std::string in_quotes(std::string_view text) {
  constexpr const char* hex = "0123456789abcdef";
  std::string out = "\"";
  for (size_t i = 0; i < text.size();) {
    const auto [code, size] = first_character(text.substr(i));
    const size_t length = std::max<size_t>(size, 1);
    if (code == '"' || code == '\\')
      (out += '\\') += text[i];
    else if (code == '\n' || code == '\t' || code == '\r')
      (out += '\\') += code == '\n' ? 'n' : code == '\t' ? 't' : 'r';
    else if (code == 0xfeff)
      out += "\\ufeff";
    else if (size > 0 && is_control(code))
      ((out += "\\x") += hex[code / 16]) += hex[code % 16];
    else
      out += text.substr(i, length);
    i += length;
  }
  return out + '"';
}

std::string key_text(const std::string& key, bool in_flow) {
  const bool plain =
      is_plain(key, in_flow) && key != "<<" && !key.starts_with("---") && !key.starts_with("...");
  return plain ? key : in_quotes(key);
}

std::string scalar_text(const Yaml& value, bool in_flow) {
  if (value.is_null()) return "~";
  const bool plain = !value.quoted() && is_plain(value.text(), in_flow);
  return plain ? value.text() : in_quotes(value.text());
}

bool is_leaf(const Yaml& value) {
  return !value.is_list() && !value.is_map();
}

// A list of scalars, or a map of scalars and such lists, on one line of at most `room` columns;
// nothing if it does not fit.
std::optional<std::string> flow(const Yaml& value, size_t room) {
  std::string out(1, value.is_map() ? '{' : '[');
  const auto add = [&](const std::string& key, const Yaml& child) {
    if (out.size() > 1) out += ", ";
    out += key;
    if (is_leaf(child)) {
      const bool needs_block = child.is_scalar() && !child.quoted() &&
                               is_plain(child.text(), false) && !is_plain(child.text(), true);
      out += scalar_text(child, true);
      return !needs_block && out.size() < room;
    }
    if (value.is_list() || child.is_map()) return false;
    const std::optional<std::string> list = flow(child, room);
    if (list) out += *list;
    return list && out.size() < room;
  };
  for (const Yaml& item : value.items())
    if (!add("", item)) return std::nullopt;
  for (const Yaml::Entry& entry : value.entries())
    if (!add(key_text(entry.key, true) + ": ", entry.value)) return std::nullopt;
  out += value.is_map() ? '}' : ']';
  return out.size() <= room ? std::optional(out) : std::nullopt;
}

class Writer {
 public:
  std::string out;

  // Writes the value of a `-` or `key:` that stands at `indent` and fills the line up to here.
  void value(const Yaml& value, size_t indent, bool in_list) {
    const size_t column = out.size() - (out.rfind('\n') + 1);
    if (line(value, max_columns - std::min(max_columns, column + 1), " ")) return;
    out += in_list ? ' ' : '\n';
    block(value, indent + 2, in_list);
  }

  // Writes a value on one line, if it fits.
  bool line(const Yaml& value, size_t room, const char* before) {
    const bool empty = value.items().empty() && value.entries().empty();
    const std::optional<std::string> text = is_leaf(value) ? scalar_text(value, false)
                                            : empty        ? value.is_map() ? "{}" : "[]"
                                                           : flow(value, room);
    if (text) out += before + *text + "\n";
    return text.has_value();
  }

  void block(const Yaml& value, size_t indent, bool started) {
    const auto start = [&] {
      if (!started) out.append(indent, ' ');
      started = false;
    };
    for (const Yaml& item : value.items()) {
      start();
      out += '-';
      this->value(item, indent, true);
    }
    for (const Yaml::Entry& entry : value.entries()) {
      start();
      const std::string key = key_text(entry.key, false);
      out += key.size() > max_key ? "? " + key + "\n" + std::string(indent, ' ') : key;
      out += ':';
      this->value(entry.value, indent, false);
    }
  }
};

}  // namespace

std::string Yaml::str() const {
  const bool marker = text_.starts_with("---") || text_.starts_with("...");
  Writer writer;
  if (marker) writer.out = " ";  // at the start of a line it would start or end a document
  if (!writer.line(*this, max_columns, "")) writer.block(*this, 0, false);
  return writer.out;
}

}  // namespace weft
