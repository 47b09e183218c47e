// What may include what: node <- plugin <- language <- plan <- print, run <- trial <- cli, beside
// them formats and datasets, and each library in its one place.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>

#include "tests/support/text_file.h"

namespace weft::tests {
namespace {

namespace fs = std::filesystem;
using testing::IsEmpty;
using testing::SizeIs;

struct Include {
  std::string from, what;  // paths from the root
  bool quoted;
};

std::vector<Include> includes_of(const std::string& folder) {
  std::vector<Include> all;
  const fs::path root = SOURCE_DIR;
  for (const auto& entry : fs::recursive_directory_iterator(root / folder)) {
    const std::string name = entry.path().filename().string();
    if (!name.ends_with(".h") && !name.ends_with(".cpp") && !name.ends_with(".cpp.in")) continue;
    std::istringstream text(read_text(entry.path()));
    for (std::string line; std::getline(text, line);) {
      std::string word, what;
      if (!(std::istringstream(line) >> word >> what) || word != "#include") continue;
      all.push_back({fs::relative(entry.path(), root).string(), what.substr(1, what.size() - 2),
                     what[0] == '"'});
    }
  }
  return all;
}

bool starts(const std::string& path, const std::vector<std::string>& heads) {
  return std::ranges::any_of(heads, [&](const auto& head) { return path.starts_with(head); });
}

// Of `folder`, what includes a file of ours that does not stand under `allowed`.
std::vector<std::string> strays(const std::string& folder,
                                const std::vector<std::string>& allowed) {
  std::vector<std::string> wrong;
  for (const auto& [from, what, quoted] : includes_of(folder))
    if (quoted && !starts(what, allowed)) wrong.push_back(from + " includes " + what);
  return wrong;
}

// What includes `library`, but for its version, outside of `homes`.
std::vector<std::string> spread(const std::string& library, const std::vector<std::string>& homes) {
  std::vector<std::string> wrong;
  for (const std::string folder : {"framework", "nodes", "plugins"})
    for (const auto& [from, what, quoted] : includes_of(folder))
      if (what.starts_with(library) && !what.ends_with("version.h") && !starts(from, homes))
        wrong.push_back(from + " includes " + what);
  return wrong;
}

TEST(Layers, PointOneWay) {
  std::vector<std::string> below;
  for (const std::string layer :
       {"node", "plugin", "ranks", "language", "plan", "print", "run", "trial", "cli"}) {
    below.push_back("framework/" + layer + "/");
    if (layer == "plan") below.push_back("framework/formats/");
    if (layer == "trial") below.push_back("framework/datasets/");
    EXPECT_THAT(includes_of("framework/" + layer), Not(IsEmpty()));
    EXPECT_THAT(strays("framework/" + layer, below), IsEmpty());
  }
  for (const std::string inner : {"framework/print/", "framework/trial/"})
    EXPECT_THAT(spread(inner, {inner, "framework/cli/"}), IsEmpty());
}

TEST(Layers, FormatsKnowNoNodesAndDataSetsNoPlans) {
  EXPECT_THAT(strays("framework/formats", {"framework/node/error.h", "framework/node/shape.h",
                                           "framework/node/did_you_mean.h", "framework/formats/"}),
              IsEmpty());
  EXPECT_THAT(spread("framework/formats/", {"framework/formats/", "framework/run/", "nodes/"}),
              IsEmpty());
  EXPECT_THAT(strays("framework/datasets",
                     {"framework/node/", "framework/language/", "framework/datasets/"}),
              IsEmpty());
  EXPECT_THAT(spread("framework/datasets/", {"framework/datasets/", "framework/cli/"}), IsEmpty());
}

TEST(Layers, NodesKnowTheContractAndFormats) {
  EXPECT_THAT(strays("nodes", {"framework/node/", "framework/formats/", "nodes/"}), IsEmpty());
  EXPECT_THAT(strays("plugins", {"framework/node/"}), IsEmpty());
}

TEST(Layers, LibrariesHaveOnePlaceEach) {
  EXPECT_THAT(spread("yaml-cpp/", {"framework/language/yaml.cpp"}), IsEmpty());
  EXPECT_THAT(spread("oneapi/dnnl/", {"framework/node/dnn"}), IsEmpty());
  EXPECT_THAT(spread("dnnl", {"framework/node/dnn"}), IsEmpty());
  EXPECT_THAT(spread("boost/", {"framework/plugin/loader.cpp"}), IsEmpty());
  EXPECT_THAT(spread("dlfcn.h", {"framework/plugin/loader.cpp"}), IsEmpty());
  EXPECT_THAT(spread("tbb/", {"framework/run/", "framework/node/parallel.cpp"}), IsEmpty());
  EXPECT_THAT(spread("CLI/", {"framework/cli/"}), IsEmpty());
  for (const std::string library : {"png.h", "turbojpeg.h", "sndfile.h", "archive"})
    EXPECT_THAT(spread(library, {"framework/formats/"}), IsEmpty());
  EXPECT_THAT(spread("openssl/", {"framework/datasets/files.cpp"}), IsEmpty());
  EXPECT_THAT(spread("oneapi/dnnl/", {"nowhere"}), Not(IsEmpty()));  // the check does see them
}

}  // namespace
}  // namespace weft::tests
