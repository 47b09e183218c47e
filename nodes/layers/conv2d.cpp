#include "framework/node/plugin.h"
#include "nodes/layers/convolving.h"

namespace weft {
namespace {

class Conv2d final : public Convolving {
  ProductWeights start{this};
  Convolution convolve_;  // with the bias and the activation

 public:
  Conv2d()
      : Convolving(Way::plain,
                   {.x = "Images, [batch, height, width, channels].",
                    .y = "Feature maps, [batch, height', width', features].",
                    .stride = "Step of the window.",
                    .padding = "Zeros around the image.",
                    .weight = "[features, channels / groups, kernel height, kernel width]",
                    .usual_kernel = 3,
                    .usual_stride = 1}) {}

 private:
  void infer() override {
    expect_images(x);
    check_groups(*groups, channels(), *features);
    const Pair size =
        count_windows({x.shape()[1], x.shape()[2]}, *kernel, *stride, *padding, *dilation);
    y.shape({x.rows(), size[0], size[1], *features});
    if (*activation == Activation::none) y.forward_only();
    const int64_t in = channels() / *groups;
    start.shape(weight, {*features, in, (*kernel)[0], (*kernel)[1]}, *with_bias ? &bias : nullptr,
                in * area());
  }

  void prepare(Pass pass) override {
    Convolving::prepare(pass);
    if (pass == Pass::forward)
      convolve_ = Convolution(Convolution::Of::y, shape(), {*with_bias, *activation, leak()});
    if (pass == Pass::learn) outer_ = outer_of({*with_bias});
  }

  void forward(const Step&) override {
    convolve_.to_y(x.data(), weight.data(), y.data(), bias.data());
  }

  void learn(const Step&) override {  // y.grad() is by now the gradient before the activation
    outer_.to_w(x.data(), weight.grad(), y.grad(), bias.grad());
  }
};

WEFT_NODE(Conv2d, "conv2d", "Slides learned windows over images (LeCun et al. 1989).",
          "{x: [4, 6, 5, 4], features: 6, kernel: [3, 2], stride: [2, 1], padding: 1, groups: 2, "
          "activation: tanh}")

}  // namespace
}  // namespace weft
