#include "framework/language/followers.h"

#include "framework/language/fields.h"
#include "framework/node/did_you_mean.h"

namespace weft {

namespace {
class Followers {
 public:
  explicit Followers(Yaml& modules) : modules_(modules) {
    for (const auto& entry : modules.entries()) names_.push_back(entry.key);
  }

  void expand(const std::string& name) {
    const Yaml own = *modules_.find(name);
    const Yaml& follows = *own.find("follows");
    const std::string leader = follows.to_text("`follows`");
    for (const char* key : {"inputs", "optional", "nodes", "outputs", "from"})
      if (const Yaml* given = own.find(key))
        throw Error(given->place(), "module " + ticked(name) + " follows " + ticked(leader) +
                                        ", and so has no " + ticked(key) + " of its own");
    const Yaml* const found = modules_.find(leader);
    if (!found)
      throw Error(follows.place(),
                  "there is no module " + ticked(leader) + did_you_mean(leader, names_));
    if (!found->is_map()) return;  // reported elsewhere
    if (leader == name) throw Error(follows.place(), "a module cannot follow itself");
    if (found->find("follows"))
      throw Error(follows.place(), "module " + ticked(leader) + " follows another itself");
    Yaml graph = own;
    for (const char* key : {"inputs", "optional", "nodes", "outputs"})
      if (const Yaml* given = found->find(key)) graph.put(key, *given);
    follow_inner(name, own, graph);
    modules_.put(name, graph);
  }

 private:
  // Makes followers of the modules that the graph uses, and lets it use them.
  void follow_inner(const std::string& name, const Yaml& own, Yaml& graph) {
    Yaml* const nodes = graph.find("nodes");
    if (!nodes || !nodes->is_map()) return;
    for (auto& [key, place, node] : nodes->entries()) {
      const Yaml* const use = node.is_map() ? node.find("use") : nullptr;
      if (!use || !use->is_scalar()) continue;
      const std::string inner = name + "_" + use->text();
      const Yaml here = Yaml::scalar(inner, use->place());
      if (!modules_.find(inner)) {
        Yaml follower = own;
        follower.put("follows", *use);
        modules_.put(inner, follower);
        expand(inner);
      }
      node.put("use", here);
    }
  }

  Yaml& modules_;
  std::vector<std::string> names_;
};
}  // namespace

void expand_followers(Yaml& modules, Mistakes& mistakes) {
  if (!modules.is_map()) return;
  const Yaml before = modules;
  for (const auto& [name, place, module] : before.entries()) try {
      if (module.is_map() && module.find("follows")) Followers(modules).expand(name);
    } catch (const Error& error) {
      add_at(mistakes, place, error);
    }
}

}  // namespace weft
