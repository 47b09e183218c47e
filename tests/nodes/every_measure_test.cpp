// What every measure of a whole set must do, tested through its example.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "framework/node/measure.h"
#include "tests/support/kinds.h"
#include "tests/support/node_rig.h"

namespace weft::tests {
namespace {

int64_t rows(const NodeCase& set) {
  return set.inputs.front().second.shape.rows();
}

// As many rows as asked for. What a set lacks is what no measure may see: stale labels, and NaN.
NodeCase padded(NodeCase set, int64_t rows) {
  for (auto& [name, array] : set.inputs) {
    array.shape = array.shape.with_front(rows);
    const auto size = static_cast<size_t>(array.shape.elements());
    if (array.dtype == DType::f32)
      array.floats.resize(size, std::numeric_limits<float>::quiet_NaN());
    else
      for (size_t i = 0; array.ints.size() < size; ++i) array.ints.push_back(array.ints[i]);
  }
  return set;
}

class Passes {
 public:
  Passes(const NodeKind& kind, const NodeCase& set, int64_t batch)
      : node_(make_node(kind, padded(set, batch), {.mode = Mode::evaluate})), batch_(batch) {
    node_->prepare(Pass::forward);
  }

  double over(const NodeCase& set) {
    auto& measure = dynamic_cast<Measure&>(*node_);
    NodeCase whole = padded(set, (rows(set) + batch_ - 1) / batch_ * batch_);
    measure.begin();
    for (int64_t at = 0; at < rows(set); at += batch_) {
      for (In* in : node_->host().ins)
        for (auto& [name, array] : whole.inputs)
          if (name == in->name) Host::bind(*in, array.tensor().slice(at, at + batch_), {});
      node_->forward({at / batch_, std::min(batch_, rows(set) - at)});
    }
    return measure.result();
  }

 private:
  std::unique_ptr<Node> node_;
  int64_t batch_;
};

class EveryMeasure : public testing::TestWithParam<const NodeKind*> {};

TEST_P(EveryMeasure, CountsSamplesHoweverTheyAreBatched) {
  const NodeCase set = example(*GetParam());
  const double whole = Passes(*GetParam(), set, rows(set)).over(set);
  EXPECT_TRUE(std::isfinite(whole));
  for (const int64_t batch : {int64_t{1}, int64_t{2}, rows(set) - 1, rows(set) + 3})
    EXPECT_NEAR(Passes(*GetParam(), set, batch).over(set), whole, 1e-9 * std::abs(whole)) << batch;
}

TEST_P(EveryMeasure, ForgetsThePassBefore) {
  const NodeCase set = example(*GetParam()), other = example(*GetParam(), 2);
  Passes passes(*GetParam(), set, 2), fresh(*GetParam(), set, 2);
  passes.over(other);
  EXPECT_EQ(passes.over(set), fresh.over(set));
}

std::vector<const NodeKind*> measures() {
  std::vector<const NodeKind*> some = kinds();
  std::erase_if(some,
                [](const NodeKind* kind) { return !dynamic_cast<Measure*>(kind->make().get()); });
  return some;
}

INSTANTIATE_TEST_SUITE_P(Kinds, EveryMeasure, testing::ValuesIn(measures()),
                         [](const auto& info) { return std::string(info.param->name); });

}  // namespace
}  // namespace weft::tests
