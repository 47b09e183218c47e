// An installation: complete, movable, and enough to build plugins with.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/program.h"
#include "tests/support/temporary_directory.h"

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

TEST_F(Installed, BuildsPlugins) {
  const std::string example = prefix_ + "/share/doc/weft-dev/examples/example", build = "build";
  done({CMAKE, "-S", example, "-B", build, "-DCMAKE_BUILD_TYPE=Release",
        "-DCMAKE_PREFIX_PATH=" + prefix_, "-DCMAKE_CXX_COMPILER=" COMPILER,
        "-DCMAKE_CXX_FLAGS=" FLAGS});
  done({CMAKE, "--build", build});
  EXPECT_THAT(done({weft_, "nodes", "scale_shift"},
                   {{"WEFT_PLUGIN_PATH", here_ / "build/lib/weft/plugins"}}),
              HasSubstr("Multiplies by one number"));
  done({CMAKE, "--install", build, "--prefix", prefix_});
  EXPECT_THAT(done({weft_, "nodes", "scale_shift"}), HasSubstr("Multiplies by one number"));
}

}  // namespace
}  // namespace weft::tests
