// Every pipeline of pipelines/ at its smallest: checked, trained for two steps, generated from.
#include <gmock/gmock.h>

#include <map>
#include <set>

#include "framework/node/error.h"
#include "tests/support/program.h"
#include "tests/support/temporary_directory.h"

namespace weft::tests {
namespace {

namespace fs = std::filesystem;

const fs::path pipelines = fs::path(SOURCE_DIR) / "pipelines";

// The runs that a pipeline takes modules of.
const std::map<std::string, std::vector<std::string>> needs{
    {"audio_classes", {"audio_vae", "audio_classifier"}},
    {"distill", {"classifier_conv"}},
    {"emoji_from_words_score", {"emoji_from_words", "clip"}},
    {"gan_classes", {"gan", "classifier"}},
    {"frechet", {"vae_conv", "classifier"}},
    {"frechet_acgan", {"acgan", "classifier"}},
    {"frechet_cvae", {"cvae", "classifier"}},
    {"frechet_dcgan", {"dcgan", "classifier"}},
    {"frechet_ddpm", {"ddpm", "classifier"}},
    {"frechet_flow_matching", {"flow_matching", "classifier"}},
    {"frechet_vqvae_prior", {"vqvae", "vqvae_prior", "classifier"}},
    {"knn", {"simclr"}},
    {"linear_probe", {"simclr"}},
    {"linear_probe_emoji", {"patch_position"}},
    {"mvae_classes", {"mvae", "classifier"}},
    {"vae_pretrained", {"rotation"}},
    {"vqvae_prior", {"vqvae"}},
};

std::vector<std::string> all() {
  std::set<std::string> names;
  for (const auto& entry : fs::directory_iterator(pipelines))
    if (entry.path().extension() == ".yaml") names.insert(entry.path().stem());
  return {names.begin(), names.end()};
}

class Pipelines : public testing::TestWithParam<std::string> {
 protected:
  Ended weft(std::vector<std::string> words) const {
    words.insert(words.begin(), program("weft"));
    return run({words, here_.path(), {}, 300});
  }
  static std::string file(const std::string& name) { return pipelines / (name + ".yaml"); }
  // Two steps, as runs/NAME; false without the data.
  bool train(const std::string& name) {
    const Ended ended = weft({"train", file(name), "-o", "runs/" + name, "--steps", "2"});
    if (ended.exit == static_cast<int>(Exit::data)) return false;
    EXPECT_EQ(ended.exit, static_cast<int>(Exit::stopped)) << ended.err;
    return true;
  }

  TemporaryDirectory here_;
};

TEST_P(Pipelines, Work) {
  const std::string& name = GetParam();
  if (const auto found = needs.find(name); found != needs.end())
    for (const std::string& run : found->second)
      if (!train(run)) GTEST_SKIP() << "without the data of " << run;
  const Ended check = weft({"check", file(name)});
  if (check.exit == static_cast<int>(Exit::data)) GTEST_SKIP() << check.err;
  ASSERT_EQ(check.exit, 0) << check.err;
  if (check.out.find("train — ") == std::string::npos) return;
  const Ended drawn = weft({"graph", file(name), "-o", "drawn.svg"});
  EXPECT_EQ(drawn.exit, 0) << drawn.err;
  ASSERT_TRUE(train(name));
  if (check.out.find("generate — ") == std::string::npos) return;
  const Ended generated = weft({"generate", "runs/" + name});
  EXPECT_EQ(generated.exit, 0) << generated.err;
}

INSTANTIATE_TEST_SUITE_P(All, Pipelines, testing::ValuesIn(all()),
                         [](const auto& name) { return name.param; });

}  // namespace
}  // namespace weft::tests
