#include "framework/language/include.h"

#include <algorithm>

#include "framework/language/fields.h"
#include "framework/language/keys.h"

namespace weft {

namespace {
constexpr int most_includes = 100;

// Do both say what a node is, and not the same?
bool other_kind(const Yaml& base, const Yaml& over) {
  for (const char* key : keys::kinds_of_node)
    if (const Yaml* kind = over.find(key); kind && !kind->is_null()) {
      const Yaml* before = base.find(key);
      return before ? !(*before == *kind) : keys::has_kind(base);
    }
  return false;
}

Yaml merged(const Yaml& base, const Yaml& over) {
  if (!base.is_map() || !over.is_map()) return over;
  const bool anew = other_kind(base, over);
  Yaml result = anew ? Yaml::map({}, over.place()) : base;
  for (Yaml::Entry entry : over.entries()) {
    const Yaml* below = base.find(entry.key);
    if (below && entry.value.is_null()) {  // null removes the key
      result.erase(entry.key);
      continue;
    }
    if (below && !anew) entry.value = merged(*below, entry.value);
    result.put(std::move(entry));
  }
  return result;
}

class Includes {
 public:
  explicit Includes(Mistakes& mistakes) : mistakes_(mistakes) {}

  Yaml merge(Yaml tree, const std::filesystem::path& file) {
    const Yaml* include = tree.is_map() ? tree.find("include") : nullptr;
    if (!include) return tree;
    const Yaml list = include->is_list() ? *include : Yaml::list({*include}, include->place());
    tree.erase("include");
    Yaml below = Yaml::map({}, tree.place());
    open_.push_back(file.lexically_normal());
    for (const Yaml& item : list.items()) {
      try {
        below = merged(below, read(file.parent_path() / item.to_text("an include")));
      } catch (const Error& error) {
        add_at(mistakes_, item.place(), error);
      }
    }
    open_.pop_back();
    return merged(below, tree);
  }

 private:
  Yaml read(const std::filesystem::path& file) {
    const auto path = file.lexically_normal();
    if (std::find(open_.begin(), open_.end(), path) != open_.end())
      throw Error("`" + path.string() + "` includes itself");
    if (++files_ > most_includes + 1) return Yaml::map({}, {});  // reported already
    if (files_ > most_includes)
      throw Error("a pipeline includes at most " + std::to_string(most_includes) + " files");
    const Yaml tree = Yaml::read(path);
    if (!tree.is_map()) throw Error("`" + path.string() + "` must be a map of keys and values");
    return merge(tree, path);
  }

  Mistakes& mistakes_;
  std::vector<std::filesystem::path> open_;
  int files_ = 0;
};
}  // namespace

Yaml merge_includes(Yaml tree, const std::filesystem::path& file, Mistakes& mistakes) {
  return Includes(mistakes).merge(std::move(tree), file);
}

void anchor_plugins(Yaml& tree, const std::filesystem::path& file) {
  Yaml* plugins = tree.is_map() ? tree.find("plugins") : nullptr;
  if (!plugins) return;
  const auto folder = std::filesystem::absolute(file).parent_path();
  const auto anchor = [&](Yaml& path) {
    if (path.is_scalar() && !path.text().empty())
      path = Yaml::scalar((folder / path.text()).lexically_normal().string(), path.place(),
                          path.quoted());
  };
  anchor(*plugins);
  for (Yaml& item : plugins->items()) anchor(item);
}

}  // namespace weft
