// Sides of a data set: to train, to validate, to test; folds.
#include "framework/node/split.h"

#include <gmock/gmock.h>

#include <map>
#include <set>

#include "framework/node/source.h"
#include "tests/support/lone_node.h"
#include "tests/support/temporary_directory.h"
#include "tests/support/text_file.h"
#include "tests/support/tiny_idx.h"

namespace weft::tests {
namespace {

using testing::HasSubstr;
using Params = LoneNode::Params;
using Rows = std::set<int>;

class Splits : public testing::Test {
 protected:
  static constexpr int count = 400;
  Splits() {
    std::string text = "n\n";
    for (int i = 0; i < count; ++i) text += std::to_string(i) + "\n";
    write_text(here_ / "t.csv", text);
  }
  Params side(const std::string& split, const Params& more) const {
    Params params{{"file", (here_ / "t.csv").string()},
                  {"numbers", std::vector<std::string>{"n"}},
                  {"group", std::string("n")},
                  {"batch", int64_t{1}},
                  {"split", split}};
    params.insert(more.begin(), more.end());
    return params;
  }
  Rows rows(const std::string& split, const Params& more) const {
    LoneNode node("table", side(split, more));
    node.infer();
    Rows all;
    const int64_t samples = dynamic_cast<Source&>(node.node()).samples();
    for (int64_t i = 0; i < samples; ++i) {
      node.forward(i, 1);
      all.insert(static_cast<int>(node.floats("numbers")[0]));
    }
    return all;
  }
  TemporaryDirectory here_;
};

Rows both(Rows a, const Rows& b) {
  a.insert(b.begin(), b.end());
  return a;
}

TEST_F(Splits, CutTheSamplesInThree) {
  const Params shares{{"test_share", 0.2}, {"validate_share", 0.1}};
  const Rows train = rows("train", shares), validate = rows("validate", shares),
             test = rows("test", shares);
  EXPECT_EQ(train.size() + validate.size() + test.size(), size_t{count});
  EXPECT_EQ(both(both(train, validate), test), rows("all", shares));
  EXPECT_NEAR(static_cast<double>(validate.size()) / count, 0.1, 0.04);
  EXPECT_EQ(test, rows("test", {{"test_share", 0.2}}));  // what validates is cut off train
  EXPECT_EQ(both(train, validate), rows("train", {{"test_share", 0.2}}));
}

TEST_F(Splits, EachFoldIsTheTestOnce) {
  constexpr int64_t folds = 5;
  std::map<int, int> tested, validated;
  for (int64_t fold = 0; fold < folds; ++fold) {
    const Params params{{"folds", folds}, {"fold", fold}, {"validate_share", 0.2}};
    const Rows train = rows("train", params), test = rows("test", params),
               validate = rows("validate", params);
    EXPECT_NEAR(static_cast<double>(test.size()) / count, 0.2, 0.06);
    EXPECT_EQ(train.size() + test.size() + validate.size(), size_t{count});
    EXPECT_EQ(both(both(train, test), validate).size(), size_t{count});
    for (const int row : test) ++tested[row];
    for (const int row : validate) ++validated[row];
  }
  EXPECT_EQ(tested.size(), size_t{count});
  for (const auto& [row, times] : tested) EXPECT_EQ(times, 1) << row;
  for (const auto& [row, times] : validated) EXPECT_EQ(times, 1) << row;
  EXPECT_EQ(rows("test", {{"folds", folds}}), rows("test", {{"test_share", 0.2}}));
}

TEST_F(Splits, MistakesAreSentences) {
  const auto said = [&](const std::string& split, const Params& more) {
    return LoneNode::complaint("table", side(split, more));
  };
  EXPECT_EQ(said("test", {{"folds", int64_t{5}}, {"fold", int64_t{5}}}),
            "`fold` is 5, but must be below `folds`, 5");
  EXPECT_EQ(said("train", {{"fold", int64_t{1}}}), "`fold` is 1, but must be below `folds`, 0");
  EXPECT_EQ(said("validate", {}), "`split: validate` needs a `validate_share`");
  EXPECT_EQ(said("train", {{"test_share", 0.6}, {"validate_share", 0.6}}),
            "the test set and `validate_share` take more than all groups");
}

TEST_F(Splits, OfImagesGoByTheirNumbers) {
  write_tiny_idx(here_.path());
  std::map<std::string, std::multiset<std::vector<float>>> images;
  for (const char* split : {"all", "train", "validate"}) {
    LoneNode node("idx", {{"images", (here_ / "train-images-idx3-ubyte").string()},
                          {"batch", int64_t{1}},
                          {"split", std::string(split)},
                          {"test_share", 0.0},
                          {"validate_share", 0.3}});
    node.infer();
    const int64_t samples = dynamic_cast<Source&>(node.node()).samples();
    for (int64_t i = 0; i < samples; ++i) {
      node.forward(i, 1);
      images[split].insert(node.floats("image"));
    }
  }
  EXPECT_GT(images["validate"].size(), 0U);
  EXPECT_GT(images["train"].size(), images["validate"].size());
  images["train"].merge(images["validate"]);
  EXPECT_EQ(images["train"], images["all"]);
}

}  // namespace
}  // namespace weft::tests
