#include "framework/graph/merge.h"

#include <algorithm>
#include <charconv>

namespace weft {

namespace {
constexpr size_t deepest_include = 16;

Yaml merged(const Yaml& base, const Yaml& over) {
  if (!base.is_map() || !over.is_map()) return over;
  Yaml result = base;
  for (const auto& [key, place, value] : over.entries()) {
    const Yaml* below = base.find(key);
    result.put(key, below ? merged(*below, value) : value);
  }
  return result;
}

Yaml merge(Yaml tree, const std::filesystem::path& file, Mistakes& mistakes,
           std::vector<std::filesystem::path>& open) {
  const Yaml* include = tree.is_map() ? tree.find("include") : nullptr;
  if (!include) return tree;
  const Yaml list = include->is_list() ? *include : Yaml::list({*include}, include->place());
  tree.erase("include");
  Yaml below = Yaml::map({}, tree.place());
  for (const Yaml& item : list.items()) {
    try {
      const auto path = (file.parent_path() / item.to_text("an include")).lexically_normal();
      if (std::find(open.begin(), open.end(), path) != open.end() || open.size() > deepest_include)
        throw Error("`" + path.string() + "` includes itself");
      open.push_back(path);
      below = merged(below, merge(Yaml::read(path), path, mistakes, open));
      open.pop_back();
    } catch (const Error& error) {
      mistakes.add(error.place().line ? error : Error(item.place(), error.sentence()));
    }
  }
  return merged(below, tree);
}

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
  size_t begin = 0;
  for (size_t dot = path.find('.'); dot != std::string::npos; dot = path.find('.', begin)) {
    at = &step_into(*at, path.substr(begin, dot - begin));
    begin = dot + 1;
  }
  const std::string last = path.substr(begin);
  if (at->is_map() && begin > 0) return at->put(last, value);
  if (at == &tree && !tree.find(last)) {
    auto known = keys_of(tree);
    if (vars)
      for (const std::string& key : keys_of(*vars)) known.push_back(key);
    throw Error("there is no variable or key `" + last + "`" + did_you_mean(last, known));
  }
  step_into(*at, last) = value;
}
}  // namespace

Yaml merge_includes(Yaml tree, const std::filesystem::path& file, Mistakes& mistakes) {
  std::vector<std::filesystem::path> open{file.lexically_normal()};
  return merge(std::move(tree), file, mistakes, open);
}

void apply_sets(Yaml& tree, const std::vector<std::string>& sets, Mistakes& mistakes) {
  for (const std::string& set : sets) {
    try {
      if (tree.is_map()) apply_set(tree, set);
    } catch (const Error& error) {
      mistakes.add(error.place().line ? error : Error(Place{"--set " + set}, error.sentence()));
    }
  }
}

}  // namespace weft
