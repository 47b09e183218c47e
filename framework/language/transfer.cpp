#include "framework/language/transfer.h"

#include <filesystem>

#include "framework/language/fields.h"
#include "framework/language/followers.h"
#include "framework/language/keys.h"
#include "framework/language/vars.h"
#include "framework/node/did_you_mean.h"

namespace weft {

namespace {
const std::vector<Yaml::Entry>& entries_of(const Yaml* map) {
  static const std::vector<Yaml::Entry> none;
  return map && map->is_map() ? map->entries() : none;
}

// Copies modules of one run into the tree of a pipeline, with the modules and fragments they use.
class Transfer {
 public:
  Transfer(Yaml& tree, const std::string& run, const std::string& checkpoint, const Place& place,
           Mistakes& mistakes)
      : tree_(tree), run_(run), checkpoint_(checkpoint), place_(place) {
    const auto file = std::filesystem::path(run) / "resolved.yaml";
    if (std::error_code missing; !std::filesystem::exists(file, missing))
      throw Error("there is no run `" + run + "`: train it first, or give the folder of a run");
    const Yaml theirs = Yaml::read(file);
    const Vars vars = read_vars(theirs, mistakes);
    if (const Yaml* modules = theirs.find("modules"))
      their_modules_ = substitute(*modules, vars, mistakes);
    if (const Yaml* fragments = theirs.find("fragments")) {
      their_fragments_ = *fragments;
      for (Yaml::Entry& entry : their_fragments_.entries())
        close_fragment(entry.value, vars, mistakes);
    }
    expand_followers(their_modules_, mistakes);
  }

  void module(const std::string& name, const std::string& original) {
    std::vector<std::string> known;
    for (const auto& entry : entries_of(&their_modules_)) known.push_back(entry.key);
    const Yaml* found = their_modules_.find(original);
    if (!found)
      throw Error("the run `" + run_ + "` has no module `" + original + "`" +
                  did_you_mean(original, known));
    Yaml module = *found;
    for (const char* key : {"follows", "decay"}) module.erase(key);
    module.put("from", Yaml::scalar(run_, place_));
    module.put("module", Yaml::scalar(original, place_));
    module.put("checkpoint", Yaml::scalar(checkpoint_, place_));
    modules().put(name, module);
    for (const auto& [key, place, node] : entries_of(found->find("nodes"))) {
      if (const Yaml* kind = node.find("node")) fragment(kind->text());
      if (const Yaml* use = node.find("use")) {
        const Yaml here = Yaml::scalar(nested(name, use->text()), use->place());
        modules().find(name)->find("nodes")->find(key)->put("use", here);
      }
    }
  }

 private:
  // The name in this pipeline of a module that `user` uses: its own, unless a different module has
  // that name here.
  std::string nested(const std::string& user, const std::string& original) {
    std::string name = original;
    while (const Yaml* taken = modules().find(name)) {
      if (is_theirs(*taken, original)) return name;
      name = user + "_" + name;
    }
    module(name, original);
    return name;
  }

  // Was this module of the pipeline copied from the run's module `original`?
  bool is_theirs(const Yaml& ours, const std::string& original) const {
    const auto says = [&](const char* key, const std::string& text) {
      const Yaml* value = ours.find(key);
      return value && value->text() == text;
    };
    return says("from", run_) && says("module", original) && says("checkpoint", checkpoint_);
  }

  // Copies a fragment that the run's own file declares; any other name is that of a plugin's
  // fragment or of a node kind.
  void fragment(const std::string& name) {
    const Yaml* found = their_fragments_.find(name);
    if (!found) return;
    if (!tree_.find("fragments")) tree_.put("fragments", Yaml::map({}, place_));
    Yaml* ours = tree_.find("fragments");
    if (const Yaml* own = ours->find(name)) {
      Yaml same = *own;
      Mistakes unheard;
      close_fragment(same, read_vars(tree_, unheard), unheard);
      if (!(same == *found))
        throw Error("fragment `" + name + "` is another here than in the run `" + run_ +
                    "`: give one of them another name");
      return;
    }
    ours->put(name, *found);
    for (const auto& [key, place, node] : entries_of(found->find("nodes"))) {
      if (const Yaml* kind = node.find("node")) fragment(kind->text());
      const Yaml* use = node.find("use");
      if (!use) continue;
      const Yaml* taken = modules().find(use->text());
      if (!taken)
        module(use->text(), use->text());
      else if (!is_theirs(*taken, use->text()))
        throw Error("module `" + use->text() + "` is another here than in the run `" + run_ +
                    "`, whose fragment `" + name + "` uses it: give yours another name");
    }
  }

  Yaml& modules() { return *tree_.find("modules"); }

  Yaml& tree_;
  const std::string run_, checkpoint_;
  const Place place_;
  Yaml their_modules_, their_fragments_;
};

// `from: RUN`, or `from: {run: RUN, checkpoint: last, best or a step}`.
std::pair<std::string, std::string> source_of(const Yaml& from, Mistakes& mistakes) {
  if (!from.is_map()) return {from.to_text("`from`"), "last"};
  Fields fields(from, keys::source, "`from`", mistakes);
  return {fields.text("run"), fields.text("checkpoint")};
}
}  // namespace

void transfer_modules(Yaml& tree, Mistakes& mistakes) {
  Yaml* modules = tree.find("modules");
  if (!modules || !modules->is_map()) return;
  const Yaml before = *modules;
  const Vars vars = read_vars(tree, mistakes);
  const auto each = [&](auto act) {
    for (const auto& [name, place, module] : before.entries()) {
      const Yaml* from = module.is_map() ? module.find("from") : nullptr;
      if (!from || module.find("nodes")) continue;
      try {
        act(name, *from, modules->find(name));
      } catch (const Error& error) {
        mistakes.add(error.place().line ? error : Error(from->place(), error.sentence()));
      }
    }
  };
  each([&](const std::string& name, const Yaml& from, Yaml* module) {  // makes all `from` alike
    // Check the module's own keys now: those of the run are going to replace them.
    const Fields checked(*module, keys::module, "module " + ticked(name), mistakes);
    const size_t before = mistakes.size();
    const auto [run, checkpoint] = source_of(substitute(from, vars, mistakes), mistakes);
    module->put("from", Yaml::scalar(run, from.place()));
    if (mistakes.size() > before) return;
    if (!module->find("module")) module->put("module", Yaml::scalar(name, from.place()));
    module->put("checkpoint", Yaml::scalar(checkpoint, from.place()));
  });
  each([&](const std::string& name, const Yaml& from, Yaml* module) {
    const Yaml* checkpoint = module->find("checkpoint");
    if (!checkpoint) return;  // reported above
    const std::string original = module->find("module")->to_text("`module`");
    const Yaml* frozen = module->find("frozen");
    const Yaml kept = frozen ? *frozen : Yaml();
    Transfer(tree, module->find("from")->text(), checkpoint->text(), from.place(), mistakes)
        .module(name, original);
    if (frozen) tree.find("modules")->find(name)->put("frozen", kept);
  });
}

}  // namespace weft
