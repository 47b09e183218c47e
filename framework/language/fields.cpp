#include "framework/language/fields.h"

#include <algorithm>
#include <cctype>

#include "framework/language/vars.h"

namespace weft {

std::string ticked(const std::string& name) {
  return "`" + name + "`";
}

std::string listed(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

bool is_name(const std::string& text) {
  return !text.empty() && text.size() <= 100 &&
         !std::isdigit(static_cast<unsigned char>(text[0])) &&
         std::all_of(text.begin(), text.end(),
                     [](unsigned char c) { return std::isalnum(c) || c == '_' || c == '-'; });
}

void add_at(Mistakes& mistakes, const Place& place, const Error& error, const std::string& who) {
  if (const auto* several = dynamic_cast<const Errors*>(&error)) {
    for (const Error& one : several->all()) add_at(mistakes, place, one, who);
    return;
  }
  if (error.place().line)
    mistakes.add(Error(error.place(), who + error.sentence(), error.code()));
  else
    mistakes.add(Error(place, who + error.what(), error.code()));
}

Fields::Fields(const Yaml& map, std::string what, Mistakes& mistakes)
    : map_(map), what_(std::move(what)), mistakes_(mistakes) {
  if (!map.is_map()) mistakes.add(map.place(), what_ + " must be a map of keys and values");
}

const Yaml* Fields::take(const std::string& key) {
  taken_.insert(key);
  const Yaml* value = map_.find(key);
  return value && !value->is_null() ? value : nullptr;
}

const Yaml* Fields::need(const std::string& key) {
  const Yaml* value = take(key);
  if (value || !map_.is_map()) return value;
  for (const auto& entry : map_.entries())
    if (!taken_.contains(entry.key) && !did_you_mean(entry.key, {key}).empty())
      return missing_.emplace_back(key, entry.key), nullptr;
  lacks(key);
  return nullptr;
}

void Fields::lacks(const std::string& key) {
  mistakes_.add(map_.place(), what_ + " needs the key `" + key + "`");
}

template <class Convert>
void Fields::convert(const std::string& key, Convert f) {
  const Yaml* value = take(key);
  if (!value || unresolved(*value)) return;
  try {
    f(*value, "`" + key + "`");
  } catch (const Error& error) {
    mistakes_.add(error);
  }
}

std::string Fields::text(const std::string& key, std::string otherwise) {
  convert(key, [&](const Yaml& v, const std::string& what) { otherwise = v.to_text(what); });
  return otherwise;
}

int64_t Fields::integer(const std::string& key, int64_t otherwise, int64_t least, int64_t most) {
  convert(key, [&](const Yaml& v, const std::string& what) {
    const int64_t given = v.to_int(what);
    if (given < least || given > most)
      throw Error(v.place(), what + " is " + std::to_string(given) + ", but must be " +
                                 (given < least ? "at least " + std::to_string(least)
                                                : "at most " + std::to_string(most)));
    otherwise = given;
  });
  return otherwise;
}

double Fields::number(const std::string& key, double otherwise, double least) {
  convert(key, [&](const Yaml& v, const std::string& what) {
    const double given = v.to_number(what);
    if (given < least)
      throw Error(v.place(), what + " is " + v.text() + ", but must not be negative");
    otherwise = given;
  });
  return otherwise;
}

bool Fields::boolean(const std::string& key, bool otherwise) {
  convert(key, [&](const Yaml& v, const std::string& what) { otherwise = v.to_bool(what); });
  return otherwise;
}

std::vector<Yaml> Fields::list(const std::string& key) {
  const Yaml* value = take(key);
  if (!value) return {};
  if (value->is_list()) return value->items();
  return {*value};
}

Yaml Fields::rest() {
  std::vector<Yaml::Entry> left;
  for (const auto& entry : map_.entries())
    if (!taken_.contains(entry.key)) left.push_back(entry);
  return Yaml::map(std::move(left), map_.place());
}

void Fields::done() {
  for (const auto& [key, misspelt] : missing_)
    if (taken_.contains(misspelt)) lacks(key);  // it is another key
  const std::vector<std::string> known(taken_.begin(), taken_.end());
  for (const auto& entry : map_.entries()) {
    if (taken_.contains(entry.key)) {
      if (entry.value.is_null())
        mistakes_.add(entry.place, what_ + " leaves `" + entry.key +
                                       "` blank: give it a value, or leave the key out");
      continue;
    }
    const std::string near = did_you_mean(entry.key, known);
    mistakes_.add(entry.place, what_ + " has no key `" + entry.key + "`" +
                                   (near.empty() ? "; it has " + listed(known) : near));
  }
}

}  // namespace weft
