#include <cmath>

#include "framework/node/plugin.h"
#include "nodes/layers/convolving.h"

namespace weft {
namespace {

// The transpose of a convolution: of the one that would make x from y.
class ConvTranspose2d final : public Convolving {
  PairParam output_padding{
      this, "output_padding", "Added to the last edges, below stride.", {0}, within(0, 1024)};

 public:
  ConvTranspose2d()
      : Convolving(Way::transposed,
                   {.x = "Feature maps, [batch, height, width, channels].",
                    .y = "Images, [batch, height', width', features]; height' = (height - 1) "
                         "stride - 2 padding + dilation (kernel - 1) + 1 + output_padding.",
                    .stride = "Step of the window in the result.",
                    .padding = "Cut from each edge of the result.",
                    .weight = "[channels, features / groups, kernel height, kernel width]",
                    .usual_kernel = 2,
                    .usual_stride = 2}) {}

 private:
  void infer() override {
    expect_images(x);
    check_groups(*groups, channels(), *features);
    Pair size{};
    for (size_t axis = 0; axis < 2; ++axis) {
      const int64_t more = (*output_padding)[axis], step = (*stride)[axis];
      if (more >= step && more > 0)
        throw Error("`output_padding` is " + std::to_string(more) +
                    ", but must be below `stride`, " + std::to_string(step));
      size[axis] = (x.shape()[axis + 1] - 1) * step - 2 * (*padding)[axis] +
                   (*dilation)[axis] * ((*kernel)[axis] - 1) + 1 + more;
      if (size[axis] < 1)
        throw Error("`padding` of " + text(*padding) + " leaves nothing of the result");
    }
    y.shape({x.rows(), size[0], size[1], *features});
    if (*activation == Activation::none) y.forward_only();
    const int64_t out = *features / *groups;
    const Init init = Init::uniform(1 / std::sqrt(static_cast<double>(out * area())));
    weight.shape({channels(), out, (*kernel)[0], (*kernel)[1]}, init);
    if (*with_bias) bias.shape({*features}, init);
  }

  void prepare(Pass pass) override {
    Convolving::prepare(pass);
    if (pass == Pass::forward) product_ = product_of();
    if (pass == Pass::learn) outer_ = outer_of();
  }

  void forward(const Step&) override {
    product(x.data(), y.data());
    if (*with_bias) add_to_rows(bias.data(), y.size() / *features, *features, y.data());
    activation_forward(*activation, leak(), y.data(), y.size());
  }

  void learn(const Step&) override {  // y.grad() is by now the gradient before the activation
    outer(x.data(), y.grad(), weight.grad());
    sum_bias(y.grad());
  }
};

WEFT_NODE(ConvTranspose2d, "conv_transpose2d",
          "Spreads feature maps over larger images: the gradient of a convolution, with weights of "
          "its own (Zeiler et al. 2010).",
          "{x: [4, 3, 4, 4], features: 6, kernel: [4, 3], stride: 2, padding: 1, groups: 2, "
          "output_padding: [1, 0], activation: tanh}")

}  // namespace
}  // namespace weft
