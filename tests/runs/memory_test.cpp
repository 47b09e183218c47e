// Looking at a pipeline costs little, however large it is.
#include "tests/support/tiny_runs.h"

namespace weft::tests {
namespace {

using testing::HasSubstr;

class Memory : public TinyRuns {
 protected:
  Memory() {
#ifdef __SANITIZE_ADDRESS__
    enough_ = int64_t{2} << 30;
#endif
  }
  int64_t enough_ = 200'000'000;
};

TEST_F(Memory, CheckingIsSmall) {
  const Ended ended = run({.words = {program("weft"), "check", SOURCE_DIR "/pipelines/vae.yaml"},
                           .folder = SOURCE_DIR});
  if (ended.exit == 4) GTEST_SKIP() << "no Fashion-MNIST here: " << ended.err;
  EXPECT_EQ(ended.exit, 0) << ended.err;
  EXPECT_LT(ended.peak_bytes, enough_);
}

// 1 TB, in a value, in a weight, in a batch.
TEST_F(Memory, ATerabyteIsRefused) {
  const std::string vae = tiny_vae();
  const std::string huge[] = {
      replaced(vae, "shape: [$count, $latent]", "shape: [4000000000, $latent]"),
      replaced(vae, "features: 64}",
               "features: 16777216, activation: none}\n      big:    {node: linear, x: logits, "
               "features: 16384}"),
      replaced(vae, "latent: 4", "latent: 4000000000"),
      replaced(vae, "batch: 48", "batch: 1000000000000"),
  };
  for (const std::string& pipeline : huge) {
    write("huge", pipeline);
    for (const Words& words :
         {Words{"check", "huge.yaml"}, Words{"train", "huge.yaml", "-o", "run"}}) {
      const double begin = seconds_now();
      const Ended ended = weft(words);
      EXPECT_EQ(ended.exit, 2) << ended.err;
      EXPECT_THAT(ended.err, HasSubstr("huge.yaml:"));
      EXPECT_LT(ended.peak_bytes, enough_);
      EXPECT_LT(seconds_now() - begin, 5);
    }
  }
}

TEST_F(Memory, StepsNeedNoMore) {
#ifdef __SANITIZE_ADDRESS__
  GTEST_SKIP() << "the sanitizer keeps what was freed";
#endif
  write("vae", tiny_vae());
  const Ended few = train("vae", "few", {"--steps", "30", "--threads", "2"});
  const Ended many =
      train("vae", "many",
            {"--set", "train.steps=600", "--set", "train.save.every_steps=300", "--threads", "2"});
  ASSERT_EQ(many.exit, 0) << many.err;
  EXPECT_LT(many.peak_bytes, few.peak_bytes * 11 / 10 + (1 << 20));
}

}  // namespace
}  // namespace weft::tests
