// weft nodes, weft schema, weft docs, weft version: what follows from the plugins alone
#include <fmt/core.h>
#include <tbb/version.h>

#include "framework/cli/commands.h"
#include "framework/language/fragment_files.h"
#include "framework/node/dnn.h"
#include "framework/plugin/loader.h"
#include "framework/print/describe.h"
#include "framework/print/schema.h"

namespace weft::cli {

Exit nodes(const std::string& name) {
  const Registry registry = load_plugins(plugin_search());
  if (name.empty()) {
    fmt::print("{}{}", list_kinds(registry), list_fragments(plugin_fragments(registry)));
    return Exit::done;
  }
  if (!registry.find(name))
    for (const FragmentDecl& fragment : plugin_fragments(registry))
      if (fragment.name == name) {
        fmt::print("{}", describe_fragment(fragment));
        return Exit::done;
      }
  fmt::print("{}", describe_kind(registry, name));
  return Exit::done;
}

Exit schema() {
  const Registry registry = load_plugins(plugin_search());
  fmt::print("{}", pipeline_schema(registry, fragment_names(registry)));
  return Exit::done;
}

Exit docs(const std::string& page) {
  if (page == "language") {
    fmt::print("{}", language_page());
    return Exit::done;
  }
  const Registry registry = load_plugins(plugin_search());
  fmt::print("{}{}", reference_page(registry), reference_of_fragments(plugin_fragments(registry)));
  return Exit::done;
}

Exit version() {
  const std::string build = build_string();
  fmt::print("{}\n", build.substr(0, build.find(" | ")));
  fmt::print("build    {}\n", build);
  fmt::print("running  {} ({}), oneTBB {}\n", dnn_version(), dnn_isa(), TBB_runtime_version());
  fmt::print("licence  Apache-2.0\n");
  return Exit::done;
}

}  // namespace weft::cli
