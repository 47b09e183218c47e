#include "framework/language/fields.h"

#include <algorithm>
#include <cctype>
#include <stdexcept>

#include "framework/language/vars.h"
#include "framework/node/did_you_mean.h"

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

namespace {
bool is_checkpoint(const std::string& text) {
  return text == "last" || text == "best" ||
         (!text.empty() && text.find_first_not_of("0123456789") == std::string::npos);
}
}  // namespace

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

Fields::Fields(const Yaml& map, const Keys& keys, std::string what, Mistakes& mistakes)
    : map_(map),
      keys_(keys),
      what_(std::move(what)),
      mistakes_(mistakes),
      spelling_(map, *keys.further ? std::vector<std::string>() : keys.names()) {
  if (!map.is_map()) mistakes.add(map.place(), what_ + " must be a map of keys and values");
  if (*keys.further) return;
  for (const auto& [entry, near] : spelling_.unknown())
    mistakes.add(entry->place, what_ + " has no key " + ticked(entry->key) +
                                   (near.empty() ? "; it has " + listed(keys.names()) : near));
  for (const Yaml::Entry& entry : map.entries())
    if (entry.value.is_null() && keys.find(entry.key))
      mistakes.add(entry.place, what_ + " leaves " + ticked(entry.key) +
                                    " blank: give it a value, or leave the key out");
}

const Value& Fields::expected(const std::string& key) const {
  if (const Key* found = keys_.find(key)) return found->value;
  throw std::logic_error("the table of `" + std::string(keys_.name) + "` has no key `" + key + "`");
}

const Yaml* Fields::take(const std::string& key) const {
  expected(key);
  const Yaml* value = map_.find(key);
  return value && !value->is_null() ? value : nullptr;
}

const Yaml* Fields::need(const std::string& key) {
  if (!expected(key).required)
    throw std::logic_error("`" + key + "` of `" + keys_.name + "` may be left out");
  const Yaml* value = take(key);
  if (!value && map_.is_map() && !told(key))
    mistakes_.add(map_.place(), what_ + " needs the key " + ticked(key));
  return value;
}

bool Fields::told(const std::string& key) const {
  return !take(key) && !spelling_.lacks(key);
}

template <class T, class Convert>
T Fields::convert(const std::string& key, std::initializer_list<Type> types, T otherwise,
                  Convert f) {
  const Value& expected = this->expected(key);
  if (std::find(types.begin(), types.end(), expected.alone.value_or(expected.type)) == types.end())
    throw std::logic_error("`" + key + "` of `" + keys_.name + "` is of another type");
  if (*expected.standard) otherwise = f(Yaml::scalar(expected.standard, {}), expected.check);
  const Yaml* value = expected.required ? need(key) : take(key);
  if (!value || unresolved(*value)) return otherwise;
  try {
    return f(*value, expected.check);
  } catch (const Error& error) {
    mistakes_.add(error);
    return otherwise;
  }
}

std::string Fields::text(const std::string& key, const std::string& otherwise) {
  const auto types = {Type::text, Type::name, Type::reference, Type::checkpoint};
  const bool checkpoint = expected(key).type == Type::checkpoint;
  return convert(key, types, otherwise, [&](const Yaml& v, const Check& check) {
    const std::string& given = v.to_text(ticked(key));
    const auto& choices = check.choices;
    if (checkpoint && !is_checkpoint(given))
      throw Error(v.place(), ticked(key) + " must be last, best or a step, not " + ticked(given));
    if (choices.empty() || std::find(choices.begin(), choices.end(), given) != choices.end())
      return given;
    if (choices.size() == 2)
      throw Error(v.place(), ticked(key) + " must be " + choices[0] + " or " + choices[1] +
                                 ", not " + ticked(given));
    throw Error(v.place(), ticked(key) + " is " + ticked(given) + ", but must be one of " +
                               listed(choices) + did_you_mean(given, choices));
  });
}

int64_t Fields::integer(const std::string& key) {
  return convert(key, {Type::integer}, int64_t{0}, [&](const Yaml& v, const Check& check) {
    const int64_t given = v.to_int(ticked(key));
    const auto refuse = [&](const char* must, double bound) {
      throw Error(v.place(), ticked(key) + " is " + std::to_string(given) + ", but must be " +
                                 must + std::to_string(static_cast<int64_t>(bound)));
    };
    if (check.least && given < static_cast<int64_t>(*check.least))
      refuse("at least ", *check.least);
    if (check.most && given > static_cast<int64_t>(*check.most)) refuse("at most ", *check.most);
    return given;
  });
}

double Fields::number(const std::string& key, double otherwise) {
  return convert(key, {Type::number}, otherwise, [&](const Yaml& v, const Check& check) {
    const double given = v.to_number(ticked(key));
    if (check.least && given < *check.least)  // amounts alone have a bound
      throw Error(v.place(), ticked(key) + " is " + v.text() + ", but must not be negative");
    return given;
  });
}

bool Fields::boolean(const std::string& key) {
  return convert(key, {Type::boolean}, false,
                 [&](const Yaml& v, const Check&) { return v.to_bool(ticked(key)); });
}

std::vector<Yaml> Fields::list(const std::string& key) const {
  if (expected(key).count != Value::Count::some)
    throw std::logic_error("`" + key + "` of `" + keys_.name + "` is no list");
  const Yaml* value = take(key);
  if (!value) return {};
  if (value->is_list()) return value->items();
  return {*value};
}

}  // namespace weft
