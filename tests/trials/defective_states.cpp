// Nodes with one defect each, in what they remember.
#include <algorithm>

#include "framework/node/plugin.h"
#include "tests/trials/as_x.h"

namespace weft {
namespace {

// y = x + shift, where training takes the shift from x and does not use it.
class Shifted : public AsX {
 public:
  State shift{this, "shift", "The first number of x."};

  bool remembers() const { return training() && !frozen(); }
  void remember() {
    if (remembers() && x.size() > 0) shift.data()[0] = x.data()[0];
  }
  bool whole_batch() const override { return true; }
  void infer() override {
    AsX::infer();
    shift.shape({1}, Init::constant(0));
  }
  void forward(const Step&) override {
    add(remembers() ? 0 : shift.data()[0]);
    remember();
  }
  void backward(const Step&) override { std::copy_n(y.grad(), y.size(), x.grad()); }
  void add(float number) {
    for (int64_t i = 0; i < x.size(); ++i) y.data()[i] = x.data()[i] + number;
  }
};

class LaneWritesState final : public Shifted {
  bool whole_batch() const override { return false; }
};
WEFT_NODE(LaneWritesState, "lane_writes_state", "In forward() of each lane.", "{x: [5, 3]}")

class NeverRemembers final : public Shifted {
  void forward(const Step&) override { add(shift.data()[0]); }
};
WEFT_NODE(NeverRemembers, "never_remembers", "Its state stays what it was.", "{x: [5, 3]}")

class EvaluationRemembers final : public Shifted {
  void forward(const Step&) override {
    add(remembers() ? 0 : shift.data()[0]);
    if (mode() != Mode::generate && !frozen()) shift.data()[0] += 1;
  }
};
WEFT_NODE(EvaluationRemembers, "evaluation_remembers", "Moves a state in evaluation.",
          "{x: [5, 3]}")

class HiddenState final : public Shifted {
  float steps_ = 0;
  void forward(const Step&) override {
    add(remembers() ? steps_ : shift.data()[0]);
    remember();
    steps_ += 1;
  }
};
WEFT_NODE(HiddenState, "hidden_state", "Counts steps in a member.", "{x: [5, 3]}",
          .follows_state = true)

class FollowsState final : public Shifted {
  void forward(const Step&) override {
    add(shift.data()[0]);
    remember();
  }
};
WEFT_NODE(FollowsState, "follows_state", "And does not say so.", "{x: [5, 3]}")

}  // namespace
}  // namespace weft
