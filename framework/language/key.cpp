#include "framework/language/key.h"

#include <algorithm>

namespace weft {

Value Value::needed() const {
  Value value = *this;
  value.required = true;
  return value;
}

Value Value::needed_unless(std::vector<const char*> keys) const {
  Value value = needed();
  value.unless = std::move(keys);
  return value;
}

Value Value::otherwise(const char* standard) const {
  Value value = *this;
  value.standard = standard;
  return value;
}

const Key* Keys::find(const std::string& key) const {
  const auto found =
      std::find_if(all.begin(), all.end(), [&](const Key& k) { return key == k.name; });
  return found == all.end() ? nullptr : &*found;
}

std::vector<std::string> Keys::names() const {
  std::vector<std::string> names;
  for (const Key& key : all) names.emplace_back(key.name);
  std::sort(names.begin(), names.end());
  return names;
}

namespace keys {
Value integer(Check check) {
  return {.type = Type::integer, .check = std::move(check)};
}

Value choice(std::vector<std::string> words) {
  return {.type = Type::text, .check = one_of(std::move(words))};
}

Value map(const Keys& keys) {
  return {.type = Type::map, .keys = &keys};
}

Value map_or(Type alone, const Keys& keys) {
  return {.type = Type::map, .keys = &keys, .alone = alone};
}

Value some(Value value) {
  value.count = Value::Count::some;
  return value;
}

Value named(Value value) {
  value.count = Value::Count::named;
  return value;
}
}  // namespace keys

}  // namespace weft
