#include "framework/graph/transfer.h"

#include <filesystem>

#include "framework/graph/vars.h"

namespace weft {

namespace {
// The modules of a run, variables replaced.
Yaml modules_of(const std::string& run, Mistakes& mistakes) {
  const auto file = std::filesystem::path(run) / "resolved.yaml";
  if (std::error_code missing; !std::filesystem::exists(file, missing))
    throw Error("there is no run `" + run + "`: train it first, or give the folder of a run");
  const Yaml tree = Yaml::read(file);
  const Yaml* modules = tree.find("modules");
  const Yaml* vars = tree.find("vars");
  if (!modules) return Yaml::map({}, tree.place());
  return substitute(*modules, vars ? read_vars(*vars, {}, mistakes) : Vars{}, mistakes);
}

void transfer(Yaml& modules, const std::string& name, const std::string& run,
              const std::string& original, const Yaml& theirs, const Place& place) {
  std::vector<std::string> known;
  for (const auto& entry : theirs.entries()) known.push_back(entry.key);
  const Yaml* found = theirs.find(original);
  if (!found)
    throw Error("the run `" + run + "` has no module `" + original + "`" +
                did_you_mean(original, known));
  Yaml module = *found;
  module.put("from", Yaml::scalar(run, place));
  module.put("module", Yaml::scalar(original, place));
  modules.put(name, module);
  const Yaml* nodes = found->find("nodes");
  if (!nodes) return;
  for (const auto& entry : nodes->entries())
    if (const Yaml* use = entry.value.find("use"); use && !modules.find(use->text()))
      transfer(modules, use->text(), run, use->text(), theirs, place);
}
}  // namespace

void transfer_modules(Yaml& tree, Mistakes& mistakes) {
  Yaml* modules = tree.find("modules");
  if (!modules || !modules->is_map()) return;
  const Yaml before = *modules;
  const Yaml* declared = tree.find("vars");
  const Vars vars = declared && declared->is_map() ? read_vars(*declared, {}, mistakes) : Vars{};
  for (const auto& [name, place, module] : before.entries()) {
    const Yaml* from = module.is_map() ? module.find("from") : nullptr;
    if (!from || module.find("nodes")) continue;
    try {
      const std::string run = substitute(*from, vars, mistakes).to_text("`from`");
      const Yaml* original = module.find("module");
      const Yaml* frozen = module.find("frozen");
      transfer(*modules, name, run, original ? original->to_text("`module`") : name,
               modules_of(run, mistakes), from->place());
      if (frozen) modules->find(name)->put("frozen", *frozen);
    } catch (const Error& error) {
      mistakes.add(error.place().line ? error : Error(from->place(), error.sentence()));
    }
  }
}

}  // namespace weft
