#include "framework/node/node.h"
#include "framework/node/plugin.h"

namespace weft {
namespace {

class Cycle final : public Node {
  Out y{this, "y", "0, 1, …, below - 1, 0, …, [rows].", DType::i32};
  Param<int64_t> rows{this, "rows", "How many.", required, within(1, 1 << 24)};
  Param<int64_t> below{this, "below", "Where counting starts again.", required, within(1, 1 << 30)};

  void infer() override { y.shape({*rows}); }
  void forward(const Step&) override {
    for (int64_t i = 0; i < y.size(); ++i)
      y.ints()[i] = static_cast<int32_t>((first_row() + i) % *below);
  }
};

WEFT_NODE(Cycle, "cycle", "Counts up again and again: a class for each row to generate.",
          "{rows: 7, below: 3}")

}  // namespace
}  // namespace weft
