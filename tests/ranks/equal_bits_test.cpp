// The same bits, whatever the number of processes that share a training.
#include "tests/support/rank_runs.h"

namespace weft::tests {
namespace {

using testing::HasSubstr;

const Words shards{"--set", "train.shards=8", "--set", "train.lanes=8"};

class EqualBits : public RankRuns, public testing::WithParamInterface<Tiny> {
 protected:
  EqualBits() { write("it", GetParam().pipeline()); }
};

TEST_P(EqualBits, HoldForAnyNumberOfProcesses) {
  const Ended one = TinyRuns::train("it", "one", shards);
  ASSERT_EQ(one.exit, 0) << one.err;
  for (const int count : {2, 3, 8}) {
    const std::string run = "ranks" + std::to_string(count);
    const Ended ended = train(count, "it", run, shards);
    ASSERT_EQ(ended.exit, 0) << ended.err;
    expect_equal_runs("one", run);
  }
}

// Stopped and resumed on another number of processes, in the midst of accumulated gradients.
TEST_P(EqualBits, HoldAfterResumingOnOthers) {
  ASSERT_EQ(TinyRuns::train("it", "one", shards).exit, 0);
  ASSERT_EQ(train(2, "it", "many", with(shards, {"--steps", "17"})).exit, 75);
  ASSERT_EQ(TinyRuns::train("it", "many", with(shards, {"--steps", "28", "--resume", "auto"})).exit,
            75);
  ASSERT_EQ(train(4, "it", "many", with(shards, {"--steps", "43", "--resume", "auto"})).exit, 75);
  const Ended last = train(3, "it", "many", with(shards, {"--resume", "auto"}));
  ASSERT_EQ(last.exit, 0) << last.err;
  expect_equal_runs("one", "many");
}

INSTANTIATE_TEST_SUITE_P(Ranks, EqualBits, testing::ValuesIn(tiny_pipelines),
                         [](const auto& instance) { return std::string(instance.param.name); });

// A node that weft does not know, in lanes that several processes run.
TEST_F(RankRuns, ForeignNodesSummarizeTheWholeBatch) {
  const std::string pipeline =
      replaced(tiny_classifier(), "{node: batch_norm, x: h}", "{node: centre, x: h}");
  write("it", "plugins: " CENTRE "\n" + pipeline);
  ASSERT_EQ(TinyRuns::train("it", "one", with(shards, {"--threads", "2"})).exit, 0);
  ASSERT_EQ(TinyRuns::train("it", "watched", with(shards, {"--check"})).exit, 0);
  expect_equal_runs("one", "watched");
  for (const int count : {2, 3, 8}) {
    const std::string run = "ranks" + std::to_string(count);
    const Ended ended = train(count, "it", run, shards);
    ASSERT_EQ(ended.exit, 0) << ended.err;
    expect_equal_runs("one", run);
  }
  const Ended trials = weft({"plugin", "test", CENTRE});
  EXPECT_EQ(trials.exit, 0) << trials.out << trials.err;
}

using Shards = RankRuns;

TEST_F(Shards, OfOneAreAsNone) {
  write("it", tiny_siamese());
  ASSERT_EQ(TinyRuns::train("it", "none").exit, 0);
  ASSERT_EQ(TinyRuns::train("it", "one", {"--set", "train.shards=1"}).exit, 0);
  EXPECT_TRUE(read_text(last("none") / "model.safetensors") ==
              read_text(last("one") / "model.safetensors"));
}

TEST_F(Shards, LimitTheProcesses) {
  write("it", tiny_vae());
  const Ended none = train(2, "it", "it");
  EXPECT_EQ(none.exit, 2);
  EXPECT_THAT(none.err, HasSubstr("2 processes can't share a training of one shard: `shards: 2`"));
  EXPECT_EQ(none.err.find("can't share"), none.err.rfind("can't share"));  // said once
}

}  // namespace
}  // namespace weft::tests
