#include "framework/language/overrides.h"

#include <charconv>

#include "framework/language/fields.h"
#include "framework/language/keys.h"
#include "framework/node/did_you_mean.h"

namespace weft {

namespace {
std::vector<std::string> keys_of(const Yaml& map) {
  std::vector<std::string> keys;
  for (const auto& entry : map.entries()) keys.push_back(entry.key);
  return keys;
}

// The value that `part` of a dotted path names inside `tree`.
Yaml& step_into(Yaml& tree, const std::string& part) {
  if (tree.is_list()) {
    size_t index = 0;
    const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), index);
    if (error == std::errc() && end == part.data() + part.size() && index < tree.items().size())
      return tree.items()[index];
    throw Error("a list of " + std::to_string(tree.items().size()) + " has no item `" + part +
                "`; items count from 0");
  }
  if (Yaml* found = tree.is_map() ? tree.find(part) : nullptr) return *found;
  throw Error("there is no key `" + part + "`" + did_you_mean(part, keys_of(tree)));
}

void apply_set(Yaml& tree, const std::string& set) {
  const size_t equals = set.find('=');
  if (equals == std::string::npos || equals == 0) throw Error("write `--set key=value`");
  const std::string path = set.substr(0, equals);
  const Yaml value = Yaml::parse(set.substr(equals + 1), "--set " + path);
  Yaml* vars = tree.find("vars");
  if (path == "count" || (vars && vars->is_map() && vars->find(path))) {
    if (!vars || !vars->is_map()) tree.put("vars", Yaml::map({}, value.place()));
    tree.find("vars")->put(path, value);
    return;
  }
  Yaml* at = &tree;
  const Keys* known = &keys::pipeline;  // of the map there
  size_t begin = 0;
  for (size_t dot = path.find('.'); dot != std::string::npos; dot = path.find('.', begin)) {
    const std::string part = path.substr(begin, dot - begin);
    const Key* const key = known ? known->find(part) : nullptr;
    known = key && key->value.count == Value::Count::one ? key->value.keys : nullptr;
    if (known && begin > 0 && at->is_map() && !at->find(part))  // such as `train.save`
      at->put(part, Yaml::map({}, value.place()));
    at = &step_into(*at, part);
    begin = dot + 1;
  }
  const std::string last = path.substr(begin);
  const bool length = path == "train.epochs" || path == "train.steps";
  if (value.is_null() && at->is_map() && (begin > 0 || at->find(last))) {
    if (!length) step_into(*at, last);  // of which another `--set` may have taken it away
    return at->erase(last);
  }
  if (length) at->erase(last == "steps" ? "epochs" : "steps");  // the file may have the other
  if (at->is_map() && begin > 0) return at->put(last, value);
  const Key* key = at == &tree ? keys::pipeline.find(last) : nullptr;
  if (key && key->value.is_scalar()) return tree.put(last, value);
  if (at == &tree && !tree.find(last)) {
    for (const char* section : {"train", "evaluate", "generate"})
      if (const Yaml* map = tree.find(section); map && map->is_map() && map->find(last))
        throw Error("there is no variable or key `" + last + "` (did you mean `" + section + "." +
                    last + "`?)");
    auto known = keys_of(tree);
    if (vars)
      for (const std::string& key : keys_of(*vars)) known.push_back(key);
    throw Error("there is no variable or key `" + last + "`" + did_you_mean(last, known));
  }
  step_into(*at, last) = value;
}
}  // namespace

void apply_sets(Yaml& tree, const std::vector<std::string>& sets, Mistakes& mistakes) {
  for (const std::string& set : sets) {
    try {
      if (tree.is_map()) apply_set(tree, set);
    } catch (const Error& error) {
      add_at(mistakes, Place{"--set " + set}, error);
    }
  }
}

}  // namespace weft
