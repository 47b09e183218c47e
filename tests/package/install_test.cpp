// An installation: complete, movable, and enough to build plugins with.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <sstream>

#include "tests/support/program.h"
#include "tests/support/temporary_directory.h"
#include "tests/support/text_file.h"

namespace weft::tests {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

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

// The commands of a README: the lines of its first block.
std::vector<std::string> commands_of(const fs::path& page) {
  std::istringstream text(read_text(page));
  std::vector<std::string> commands;
  std::string line;
  while (std::getline(text, line) && line != "```sh") {
  }
  while (std::getline(text, line) && line != "```") commands.push_back(line);
  return commands;
}

TEST_F(Installed, MakesAPluginThatTrains) {
  done({weft_, "plugin", "new", "my_own", "--into", here_.path()});
  const std::string cd = "cd my_own && ", cmake = fs::path(CMAKE).parent_path().string() + ":";
  const std::map<std::string, std::string> environment = {
      {"PATH", prefix_ + "/bin:" + cmake + std::getenv("PATH")},
      {"CXX", COMPILER},
      {"CXXFLAGS", FLAGS}};
  const auto commands = commands_of(here_ / "my_own/README.md");
  EXPECT_EQ(commands.size(), 6U);
  std::string said;
  for (const std::string& command : commands) said += done({"sh", "-c", cd + command}, environment);
  EXPECT_THAT(said, HasSubstr("ok    my_own 0.1.0, 7 kinds, libweft_my_own.so"));
  EXPECT_THAT(said, HasSubstr("worst"));
  EXPECT_FALSE(read_text(here_ / "my_own/runs/denoise/points.txt").empty());
  done({"sh", "-c", cd + "ctest --test-dir build -R training"}, environment);
  EXPECT_THAT(read_text(here_ / "my_own/build/CMakeCache.txt"),
              HasSubstr("weft_DIR:PATH=" + prefix_));

  done({CMAKE, "--install", "my_own/build", "--prefix", prefix_});
  EXPECT_THAT(done({weft_, "nodes", "snake"}), HasSubstr("x + sin²(a x) / a."));
  EXPECT_THAT(done({weft_, "nodes", "snake_layer"}), HasSubstr("A dense layer with waves"));
}

TEST_F(Installed, HidesTheFrameworksSideFromAuthors) {
  const fs::path headers = prefix_ + "/include/weft/framework/node";
  EXPECT_TRUE(fs::exists(headers / "node.h"));
  for (const char* own : {"host.h", "dnn_call.h", "dnn_plans.h"})
    EXPECT_FALSE(fs::exists(headers / own)) << own;
}

}  // namespace
}  // namespace weft::tests
