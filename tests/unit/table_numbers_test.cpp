// Columns of numbers.
#include <gmock/gmock.h>

#include "framework/node/host.h"
#include "tests/support/lone_node.h"
#include "tests/support/temporary_directory.h"
#include "tests/support/text_file.h"

namespace weft::tests {
namespace {

using testing::ElementsAre;
using testing::FloatNear;
using testing::HasSubstr;
using testing::Pointwise;
using Strings = std::vector<std::string>;

class TableNumbers : public testing::Test {
 protected:
  LoneNode::Params table(const std::string& text, const Strings& columns, int64_t batch) const {
    write_text(here_ / "t.csv", text);
    return {{"file", (here_ / "t.csv").string()}, {"numbers", columns}, {"batch", batch}};
  }
  static std::vector<float> read(const LoneNode::Params& params, int64_t rows) {
    LoneNode node("table", params);
    node.infer();
    node.forward(0, rows);
    return node.floats("numbers");
  }
  TemporaryDirectory here_;
};

TEST_F(TableNumbers, StandBesideEachOther) {
  auto params = table("a,b,c\n1,x,-2.5e1\n+2.5,y, 7 \n", {"c", "a"}, 2);
  LoneNode node("table", params);
  node.infer();
  node.forward(0, 2);
  EXPECT_EQ(node.out("numbers").shape(), Shape({2, 2}));
  EXPECT_THAT(node.floats("numbers"), ElementsAre(-25, 1, 7, 2.5F));
  params["numbers"] = Strings{};
  LoneNode none("table", params);
  none.infer();
  EXPECT_EQ(none.out("numbers").shape(), Shape({2, 0}));
}

TEST_F(TableNumbers, AreStandardisedByWhatIsTrainedWith) {
  auto params = table("a,b\n1,5\n3,5\n8,5\n", {"a", "b"}, 2);
  params["standardise"] = true;
  params["limit"] = int64_t{2};  // mean 2, deviation 1
  EXPECT_THAT(read(params, 2), ElementsAre(-1, 0, 1, 0));
  params["limit"] = int64_t{0};
  LoneNode other("table", params);
  other.node().host().setting.fitted = std::make_shared<FittedMap>();
  (*other.node().host().setting.fitted)["means of `a`, `b`"].bytes =
      std::make_shared<const std::string>("2 1\n5 0\n");
  other.infer();
  other.forward(1, 2);  // the third row
  EXPECT_THAT(other.floats("numbers")[0], 6);
}

TEST_F(TableNumbers, RowsWithoutAreNamed) {
  const std::string hole = "name,a\nant,1\nbee,\ncow,x\n";
  EXPECT_THAT(LoneNode::complaint("table", table(hole, {"a"}, 1)),
              HasSubstr("row 2 (bee) has no `a`; 1 of 3 rows lack"));
  auto params = table(hole, {"a"}, 1);
  params["missing"] = std::string("leave_out");
  EXPECT_THAT(LoneNode::complaint("table", params),
              HasSubstr("t.csv: row 3 (cow) has `x` as its `a`, which is no number"));
  for (const char* cell : {"1,5", "nan", "inf", "1e99", "0x1", "1 2", "-", "+"})
    EXPECT_THAT(LoneNode::complaint("table", table("a\n\"" + std::string(cell) + "\"\n", {"a"}, 1)),
                HasSubstr("row 1 (" + std::string(cell) + ") has `" + cell))
        << cell;
  EXPECT_THAT(LoneNode::complaint("table", table("aa\n1\n", {"a"}, 1)), HasSubstr("no column `a`"));
}

}  // namespace
}  // namespace weft::tests
