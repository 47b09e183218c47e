#include <algorithm>

#include "framework/node/plugin.h"
#include "framework/node/sink.h"

namespace weft {
namespace {

class PointsFile final : public Sink {
  In x{this, "x", "Points, [batch, axes].", {.grad = false}};
  Param<std::string> path{this, "path", "The file, in the run's folder.", required};

  std::string lines_;

  void infer() override {
    check_output(*path, ".txt");
    if (x.shape().rank() != 2 || x.shape().back() == 0)
      throw Error("`x` is " + x.shape().str() + ", but must be [batch, axes]");
  }

  void forward(const Step& step) override {
    for (int64_t row = 0; row < std::min(step.rows, x.rows()); ++row) {
      for (int64_t axis = 0; axis < x.row_size(); ++axis)
        lines_ += std::to_string(x.data()[row * x.row_size() + axis]) + ' ';
      lines_.back() = '\n';
    }
  }

  void finish() override {  // once, after the last batch
    write(*path, lines_);
    lines_.clear();
  }
};

WEFT_NODE(PointsFile, "points_file", "Writes points as text, a line for each.",
          "{x: [3, 2], path: points.txt}")

}  // namespace
}  // namespace weft
