// `weft plugin new` and `weft plugin doctor`, and nodes at fault, as an author meets them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/support/program.h"
#include "tests/support/temporary_directory.h"
#include "tests/support/text_file.h"

namespace weft::tests {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

class PluginCommand : public testing::Test {
 protected:
  Ended weft(std::vector<std::string> words,
             const std::map<std::string, std::string>& environment = {}) const {
    words.insert(words.begin(), {program("weft"), "plugin"});
    return run({words, here_.path(), environment});
  }
  void refused(const std::vector<std::string>& words, int exit, const std::string& sentence) const {
    const Ended ended = weft(words);
    EXPECT_EQ(ended.exit, exit);
    EXPECT_EQ(ended.err, sentence + "\n");
  }

  TemporaryDirectory here_;
};

TEST_F(PluginCommand, NewCopiesTheTemplateUnderItsName) {
  const Ended ended = weft({"new", "waves"});
  EXPECT_EQ(ended.exit, 0) << ended.err;
  EXPECT_THAT(ended.out, AllOf(HasSubstr("cd waves\n"), HasSubstr("cmake --build build\n")));
  const fs::path source = SOURCE_DIR "/plugins/template";
  int files = 0;
  for (const auto& entry : fs::recursive_directory_iterator(source)) {
    const fs::path copy = here_ / "waves" / fs::relative(entry.path(), source);
    EXPECT_TRUE(fs::exists(copy)) << copy;
    if (entry.is_directory()) continue;
    ++files;
    EXPECT_THAT(read_text(copy), Not(HasSubstr("my_nodes"))) << copy;
    if (entry.path().extension() == ".cpp") {
      EXPECT_EQ(read_text(copy), read_text(entry.path()));
    }
  }
  EXPECT_EQ(files, 14);
  EXPECT_THAT(read_text(here_ / "waves/CMakeLists.txt"), HasSubstr("weft_plugin(waves "));
}

TEST_F(PluginCommand, NewSaysWhatCannotBe) {
  for (const char* name : {"Waves", "my-nodes", "../up", "", "1st", "é"})
    refused({"new", name}, 2,
            "`" + std::string(name) +
                "` is no name of a plugin: it must be a lower_snake word, such as my_nodes");
  refused({"new", "layers"}, 2, "weft has a plugin `layers` already: take another name");
  refused({"new", "waves", "--into", "nowhere"}, 2,
          "there is no folder `nowhere` to write `waves` into");
  refused({"new", "waves", "--into", "/proc"}, 7,
          "cannot write `/proc/waves`: No such file or directory");
  write_text(here_ / "waves", "mine");
  refused({"new", "waves"}, 2, "`waves` is here already: weft writes over no file of yours");
  EXPECT_EQ(read_text(here_ / "waves"), "mine");
  EXPECT_EQ(std::distance(fs::directory_iterator(here_.path()), {}), 1);
}

TEST_F(PluginCommand, DoctorTellsWhatIsWhere) {
  const fs::path good = BUILD_DIR "/template/lib/weft/plugins/libweft_my_nodes.so";
  fs::create_directories(here_ / "a");
  fs::create_directories(here_ / "none");
  fs::copy(good, here_ / "a/libweft_my_nodes.so");
  fs::copy(good, here_ / "a/other.so");
  write_text(here_ / "a/text.so", "no plugin");
  const Ended ended = weft({"doctor", "none", good}, {{"WEFT_PLUGIN_PATH", here_ / "a"}});
  EXPECT_EQ(ended.exit, 3);
  const std::string a = fs::canonical(here_.path() / "a").string();
  EXPECT_THAT(ended.out,
              AllOf(HasSubstr("lib/weft/plugins (of this weft)\n  ok    augment "),
                    HasSubstr((here_ / "a").string() + " (WEFT_PLUGIN_PATH)\n"),
                    HasSubstr("  ok    my_nodes 0.1.0, 8 kinds, libweft_my_nodes.so\n")));
  EXPECT_THAT(ended.out, HasSubstr("  error two plugins have the name `my_nodes`, " + a +
                                   "/libweft_my_nodes.so and " + a + "/other.so: keep one\n"));
  EXPECT_THAT(ended.out, HasSubstr("  error " + a + "/text.so is not a shared library\n"));
  EXPECT_THAT(ended.out, HasSubstr("none (given)\n  warn  there is no .so in it\n"));
  EXPECT_THAT(ended.out,
              HasSubstr("  same  libweft_my_nodes.so, is " + a + "/libweft_my_nodes.so"));
  EXPECT_EQ(weft({"doctor", good}).exit, 0);
}

TEST_F(PluginCommand, DoctorNamesWhatIsMissing) {
  const Ended ended = weft({"doctor", BUILD_DIR "/tests/plugins/fixtures/unlinked.so"});
  EXPECT_EQ(ended.exit, 3);
  EXPECT_THAT(ended.out, AllOf(HasSubstr("unlinked.so cannot be loaded: `sf_close` is in "),
                               HasSubstr("no library here has `nobody_defines_this()`")));
}

TEST_F(PluginCommand, CheckRefusesWhatHasNoShape) {
  const std::string plugin = BUILD_DIR "/tests/plugins/fixtures/shapeless.so";
  for (const auto& [kind, what] :
       {std::pair("no_output_shape", "output `y`"), std::pair("no_state_shape", "state `mean`")}) {
    write_text(here_ / "p.yaml", "weft: 1\nplugins: " + plugin +
                                     "\nmodules:\n  m: {inputs: [x], nodes: {y: {node: " + kind +
                                     ", x: x}}, outputs: {y: y}}\ngenerate:\n  nodes:\n"
                                     "    z: {node: normal, shape: [2, 3]}\n    y: {use: m, x: z}\n"
                                     "    f: {node: npy_file, x: y, path: y.npy}\n");
    const Ended ended = run({{program("weft"), "check", "p.yaml"}, here_.path()});
    EXPECT_EQ(ended.exit, 3) << ended.err;
    EXPECT_THAT(ended.err, HasSubstr("y.y (" + std::string(kind) + "): gives its " + what +
                                     " no shape: a defect of the node"));
  }
}

}  // namespace
}  // namespace weft::tests
