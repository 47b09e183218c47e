// Pipelines that come with weft, named where a file could stand, and copied.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/program.h"
#include "tests/support/temporary_directory.h"
#include "tests/support/text_file.h"

namespace weft::tests {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

constexpr const char* drawing = R"(weft: 1
generate:
  nodes:
    z: {node: normal, shape: [2, 3]}
    f: {node: npy_file, x: z, path: z.npy}
)";

class Shipped : public testing::Test {
 protected:
  Ended weft(std::vector<std::string> words) const {
    words.insert(words.begin(), program("weft"));
    return run({words, here_.path(), {{"WEFT_DATA_DIR", here_ / "no data"}}});
  }
  std::vector<std::string> files() const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(here_.path()))
      names.push_back(entry.path().filename());
    std::sort(names.begin(), names.end());
    return names;
  }

  TemporaryDirectory here_;
};

TEST_F(Shipped, StandsForItsFile) {
  for (const char* command : {"train", "check", "graph", "bench", "profile", "generate"}) {
    const Ended ended = weft({command, "patch_position"});
    EXPECT_EQ(ended.exit, 4) << command;
    EXPECT_THAT(ended.err, AllOf(HasSubstr("share/weft/pipelines/patch_position.yaml:"),
                                 HasSubstr("`weft data fetch photos`")))
        << command;
  }
}

TEST_F(Shipped, IncludesWhatLiesBesideIt) {
  const Ended ended = weft({"check", "frechet_cvae"});
  EXPECT_EQ(ended.exit, 2);
  EXPECT_THAT(ended.err,
              HasSubstr("share/weft/pipelines/frechet.yaml:7:22: there is no run `runs/cvae`"));
}

TEST_F(Shipped, GivesWayToAFileOfItsName) {
  write_text(here_ / "vae", drawing);
  EXPECT_EQ(weft({"generate", "vae"}).exit, 0);
  EXPECT_TRUE(fs::exists(here_ / "runs/vae/z.npy"));
}

TEST_F(Shipped, IsNotHiddenByAFolder) {
  fs::create_directory(here_ / "patch_position");
  EXPECT_THAT(weft({"check", "patch_position"}).err, HasSubstr("share/weft/pipelines"));
}

TEST_F(Shipped, IsSuggested) {
  const std::string hint =
      " `vea` (did you mean `vae`?); `weft new` lists the pipelines that come with weft\n";
  const Ended trained = weft({"train", "vea"}), evaluated = weft({"evaluate", "vea"}),
              copied = weft({"new", "vea"});
  EXPECT_EQ(trained.err, "there is no file or pipeline" + hint);
  EXPECT_EQ(evaluated.err, "there is no run or pipeline" + hint);
  EXPECT_EQ(
      copied.err,
      "weft has no pipeline `vea` (did you mean `vae`?); `weft new` lists those that it has\n");
  for (const Ended& ended : {trained, evaluated, copied}) EXPECT_EQ(ended.exit, 2);
  EXPECT_THAT(weft({"train", "vea.yaml"}).err, HasSubstr("vea.yaml: there is no such file"));
  write_text(here_ / "vea.yaml", "weft: 1\n");
  EXPECT_THAT(weft({"check", "vea"}).err, HasSubstr("(did you mean `vea.yaml`?)"));
  EXPECT_THAT(weft({"new", "../pipelines/vae"}).err, HasSubstr("weft has no pipeline"));
}

TEST_F(Shipped, AreListed) {
  const Ended ended = weft({"new"});
  EXPECT_EQ(ended.exit, 0);
  EXPECT_THAT(ended.out, AllOf(HasSubstr("vae "), HasSubstr("Variational autoencoder")));
}

TEST_F(Shipped, IsCopiedAndNothingIsLost) {
  EXPECT_EQ(weft({"new", "vae"}).out, "vae.yaml\n");
  EXPECT_EQ(read_text(here_ / "vae.yaml"), read_text(SOURCE_DIR "/pipelines/vae.yaml"));
  write_text(here_ / "vae.yaml", "mine");
  const Ended again = weft({"new", "vae"});
  EXPECT_EQ(again.exit, 2);
  EXPECT_EQ(again.err, "`vae.yaml` is here already: weft writes over no file of yours\n");
  EXPECT_EQ(read_text(here_ / "vae.yaml"), "mine");
}

TEST_F(Shipped, IsCopiedWithWhatItIncludes) {
  EXPECT_EQ(weft({"new", "frechet_cvae"}).out, "frechet_cvae.yaml\nfrechet.yaml\n");
  EXPECT_EQ(weft({"new", "frechet_dcgan"}).out, "frechet_dcgan.yaml\n");
  fs::remove(here_ / "frechet_cvae.yaml");
  write_text(here_ / "frechet.yaml", "mine");
  EXPECT_EQ(weft({"new", "frechet_cvae"}).exit, 2);
  EXPECT_THAT(files(), ElementsAre("frechet.yaml", "frechet_dcgan.yaml"));
  EXPECT_EQ(read_text(here_ / "frechet.yaml"), "mine");
}

// In an installation whose pipelines have fragments beside them.
TEST_F(Shipped, IsCopiedWithItsFragments) {
  const fs::path bin = here_ / "bin", from = here_ / "share/weft/pipelines", to = here_ / "mine";
  for (const fs::path& folder : {bin, from / "fragments", to}) fs::create_directories(folder);
  fs::copy_file(program("weft"), bin / "weft");
  fs::create_directory_symlink(program("weft").parent_path().parent_path() / "lib", here_ / "lib");
  write_text(from / "a.yaml", "include: b.yaml\n");
  write_text(from / "b.yaml", "modules: {m: {nodes: {x: {node: outer}, y: {node: linear}}}}\n");
  write_text(from / "fragments/outer.yaml", "nodes: {x: {repeat: 2, node: inner}}\n");
  write_text(from / "fragments/inner.yaml", "nodes: {x: {node: outer}, y: {node: ../../a}}\n");
  write_text(from / "fragments/other.yaml", "nodes: {}\n");
  const Ended ended = run({{bin / "weft", "new", "a"}, to});
  EXPECT_EQ(ended.out, "a.yaml\nb.yaml\nfragments/outer.yaml\nfragments/inner.yaml\n") << ended.err;
  EXPECT_EQ(read_text(to / "fragments/inner.yaml"), read_text(from / "fragments/inner.yaml"));
}

}  // namespace
}  // namespace weft::tests
