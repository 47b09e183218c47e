#include <algorithm>
#include <array>

#include "framework/node/plugin.h"
#include "nodes/layers/windows.h"

namespace weft {
namespace {

// Pairs of patches as in Doersch, Gupta & Efros 2015, arXiv:1505.05192, section 3: the middle one
// of a grid of 3 × 3 patches with gaps, and one of the eight around it. Both are moved a little, so
// that lines do not simply go on from one to the other.
class PatchPair final : public Node {
  In x{this, "x", "Images, [batch, height, width, channels].", {.grad = false}};
  Out a{this, "a", "The patch in the middle, [batch, patch, patch, channels]."};
  Out b{this, "b", "One of the eight around it, shaped as `a`."};
  Out label{this, "label", "Which of the eight, [batch]: row by row, from 0.", DType::i32};
  Param<int64_t> patch{this, "patch", "Height and width of a patch.", required, within(1, 4096)};
  Param<int64_t> gap{this, "gap", "Pixels between patches.", 0, within(0, 4096)};
  Param<int64_t> jitter{this, "jitter", "A patch moves by up to that many pixels.", 0,
                        within(0, 4096)};

  int64_t c() const { return x.shape()[3]; }

  void infer() override {
    expect_images(x);
    const int64_t side = 3 * *patch + 2 * *gap + 2 * *jitter;
    if (x.shape()[1] < side || x.shape()[2] < side)
      throw Error("`x` is " + x.shape().str() + ", but three patches, two gaps and the jitter of " +
                  "both sides need " + std::to_string(side) + " pixels");
    for (Out* out : {&a, &b}) out->shape({x.rows(), *patch, *patch, c()});
    label.shape({x.rows()});
  }

  void copy(int64_t row, int64_t top, int64_t left, Out& to) const {
    const int64_t w = x.shape()[2], line = *patch * c();
    const float* image = x.data() + row * x.row_size();
    for (int64_t i = 0; i < *patch; ++i)
      std::copy_n(image + ((top + i) * w + left) * c(), line,
                  to.data() + row * to.row_size() + i * line);
  }

  void forward(const Step& step) override {
    const int64_t top = (x.shape()[1] - *patch) / 2, left = (x.shape()[2] - *patch) / 2;
    for (int64_t row = 0; row < x.rows(); ++row) {
      std::array<float, 5> u{};
      random(step, row).uniform(u);
      const auto moved = [&](size_t i) {
        return static_cast<int64_t>(u[i] * static_cast<float>(2 * *jitter + 1)) - *jitter;
      };
      const auto which = static_cast<int64_t>(u[0] * 8);
      const int64_t cell = which < 4 ? which : which + 1, pitch = *patch + *gap;
      label.ints()[row] = static_cast<int32_t>(which);
      copy(row, top + moved(1), left + moved(2), a);
      copy(row, top + (cell / 3 - 1) * pitch + moved(3), left + (cell % 3 - 1) * pitch + moved(4),
           b);
    }
  }
};

WEFT_NODE(PatchPair, "patch_pair", "Two neighbouring patches of an image, and how they lie.",
          "{x: [4, 13, 15, 2], patch: 3, gap: 1, jitter: 1}")

}  // namespace
}  // namespace weft
