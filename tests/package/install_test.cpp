// An installation: complete, movable, and enough to build plugins with.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "tests/support/program.h"
#include "tests/support/temporary_directory.h"
#include "tests/support/text_file.h"

namespace weft::tests {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::UnorderedElementsAre;

class Installed : public testing::Test {
 protected:
  // Installs into one place and moves it to another.
  Installed() {
    for (const char* component : {"weft", "dev"})
      done({CMAKE, "--install", BUILD_DIR, "--prefix", here_ / "first", "--component", component});
    fs::rename(here_ / "first", here_ / "prefix");
  }
  std::string done(const std::vector<std::string>& words,
                   const std::map<std::string, std::string>& environment = {}) const {
    const Ended ended = run({words, here_.path(), environment, 300});
    EXPECT_EQ(ended.exit, 0) << ended.out << ended.err;
    return ended.out;
  }

  TemporaryDirectory here_;
  const std::string prefix_ = here_ / "prefix";
  const std::string weft_ = prefix_ + "/bin/weft";
};

TEST_F(Installed, IsWholeWhereverItLies) {
  EXPECT_THAT(done({weft_, "new"}), HasSubstr("vae"));
  EXPECT_THAT(done({weft_, "nodes", "linear"}), HasSubstr("plugin"));
  EXPECT_THAT(done({weft_, "nodes", "mlp"}), HasSubstr(prefix_ + "/share/weft/fragments/mlp.yaml"));
  EXPECT_THAT(done({"ldd", weft_}), HasSubstr(prefix_ + "/"));
  for (const char* file : {"share/man/man1/weft.1.gz", "share/bash-completion/completions/weft",
                           "share/zsh/vendor-completions/_weft", "share/doc/weft/copyright"})
    EXPECT_TRUE(fs::exists(prefix_ + "/" + file)) << file;
}

// The first block of a page that opens with this line.
std::string block_of(const fs::path& page, const std::string& opening) {
  const std::string text = read_text(page);
  const size_t begin = text.find(opening + '\n') + opening.size() + 1;
  return text.substr(begin, text.find("```", begin) - begin);
}

TEST_F(Installed, MakesAPluginThatTrains) {
  done({weft_, "plugin", "new", "my_own", "--into", here_.path()});
  const std::string cd = "cd my_own && ", cmake = fs::path(CMAKE).parent_path().string() + ":";
  const std::map<std::string, std::string> environment = {
      {"PATH", prefix_ + "/bin:" + cmake + std::getenv("PATH")},
      {"CXX", COMPILER},
      {"CXXFLAGS", FLAGS}};
  write_text(here_ / "my_own/nodes/swish.cpp", block_of(SOURCE_DIR "/README.md", "```cpp"));
  const std::string commands = block_of(here_ / "my_own/README.md", "```sh");
  const std::string said = done({"sh", "-ec", cd + commands}, environment);
  EXPECT_THAT(said, HasSubstr("9 nodes: "));
  EXPECT_THAT(said, HasSubstr("passed, 0 failed"));
  EXPECT_THAT(said, HasSubstr("worst"));
  EXPECT_FALSE(read_text(here_ / "my_own/runs/denoise/points.txt").empty());
  done({"sh", "-c", cd + "ctest --test-dir build --output-on-failure"}, environment);
  EXPECT_THAT(read_text(here_ / "my_own/build/CMakeCache.txt"),
              HasSubstr("weft_DIR:PATH=" + prefix_));

  done({CMAKE, "--install", "my_own/build", "--prefix", prefix_});
  EXPECT_THAT(done({weft_, "nodes", "snake"}), HasSubstr("x + sin²(a x) / a."));
  EXPECT_THAT(done({weft_, "nodes", "swish"}), HasSubstr("x · sigmoid(beta x)"));
  EXPECT_THAT(done({weft_, "nodes", "snake_layer"}), HasSubstr("A dense layer with waves"));
}

TEST_F(Installed, HasTheHeadersOfAuthorsAndNoOthers) {
  const fs::path folder = prefix_ + "/include/weft/framework/node";
  std::string includes;
  std::vector<std::string> names;
  for (const auto& header : fs::directory_iterator(folder)) {
    names.push_back(header.path().filename());
    includes += "#include \"framework/node/" + names.back() + "\"\n";
  }
  EXPECT_THAT(
      names, UnorderedElementsAre("build.h", "did_you_mean.h", "dnn.h", "elementwise.h", "error.h",
                                  "loops.h", "measure.h", "node.h", "optimizer.h", "parallel.h",
                                  "param.h", "plugin.h", "ports.h", "random.h", "shape.h", "simd.h",
                                  "sink.h", "softmax.h", "source.h", "split.h", "summary.h"));
  write_text(here_ / "all.cpp", includes);
  done({COMPILER, "-std=c++20", "-Wall", "-Wextra", "-Werror", "-fopenmp-simd", "-fsyntax-only",
        "-I" + prefix_ + "/include/weft", "all.cpp"});
}

TEST_F(Installed, SaysThatThePackageOfAuthorsIsMissing) {
  fs::remove_all(prefix_ + "/share/weft/plugin");
  const Ended ended = run({{weft_, "plugin", "new", "my_own"}, here_.path()});
  EXPECT_EQ(ended.exit, 2);
  EXPECT_EQ(ended.err, "there is no " + prefix_ +
                           "/share/weft/plugin: it comes with the package weft-dev, which building "
                           "plugins takes\n");
}

}  // namespace
}  // namespace weft::tests
