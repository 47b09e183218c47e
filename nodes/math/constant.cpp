#include <algorithm>

#include "framework/node/node.h"
#include "framework/node/plugin.h"

namespace weft {
namespace {

class Constant final : public Node {
  In like{this,
          "like",
          "[batch, ...]; gives the batch, its values are not read.",
          {.any = true, .grad = false, .optional = true}};
  Out y{this, "y",
        "[1, *shape], which all samples share; with `like`, a copy for each. Without `shape`, [1] "
        "of one number, [1, n] of several."};
  Param<std::vector<double>> value{
      this, "value", "A number, or a list; again and again, if `shape` has more.", required};
  Param<std::vector<int64_t>> shape{this, "shape", "Of a row.", std::vector<int64_t>{},
                                    at_least(1)};

  void infer() override {
    if (value->empty()) throw Error("`value` is an empty list, but must have a number");
    const auto n = static_cast<int64_t>(value->size());
    if (!like.wired()) y.share();
    std::vector<int64_t> dims{like.wired() ? like.rows() : 1};
    dims.insert(dims.end(), shape->begin(), shape->end());
    if (shape->empty() && n > 1) dims.push_back(n);
    if (dims.size() > Shape::max_rank) throw Error("`shape` has at most 7 axes");
    y.shape(Shape(dims));
    if (y.row_size() % n != 0)
      throw Error("`value` has " + std::to_string(n) + " numbers, which do not fill " +
                  y.shape().without_front().str() + " a whole number of times");
  }

  void forward(const Step&) override {
    const auto n = static_cast<int64_t>(value->size());
    for (int64_t i = 0; i < y.size(); ++i)
      y.data()[i] = static_cast<float>((*value)[static_cast<size_t>(i % n)]);
  }
};

WEFT_NODE(Constant, "constant", "Numbers of the pipeline, the same for each sample.",
          "{like: [4, 3], value: [0.5, -1, 2], shape: [2, 3]}")

}  // namespace
}  // namespace weft
