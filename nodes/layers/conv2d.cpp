#include <algorithm>

#include "framework/node/dnn.h"
#include "framework/node/loops.h"
#include "framework/node/plugin.h"
#include "nodes/layers/product_weights.h"
#include "nodes/layers/windows.h"

namespace weft {
namespace {

class Conv2d final : public Node {
  In x{this, "x", "Images, [batch, height, width, channels]."};
  Out y{this, "y", "Feature maps, [batch, height', width', features]."};
  Param<int64_t> features{this, "features", "Channels of the result.", required,
                          within(1, 1 << 16)};
  PairParam kernel{this, "kernel", "Height and width of the window.", {3}, within(1, 1024)};
  PairParam stride{this, "stride", "Step of the window.", {1}, within(1, 1024)};
  PairParam padding{this, "padding", "Zeros around the image.", {0}, within(0, 1024)};
  PairParam dilation{this, "dilation", "Step within the window.", {1}, within(1, 1024)};
  Param<int64_t> groups{this, "groups", "Parts of the channels that do not mix.", 1,
                        within(1, 1 << 16)};
  Param<bool> with_bias{this, "bias", "Add a learned offset.", true};
  Param<Activation> activation{this, "activation", "Applied to the result.", Activation::none};
  Param<double> slope{this, "slope", "Of leaky_relu below 0.", 0.01, at_least(0)};
  ProductWeights start{this};
  Weight weight{this, "weight", "[features, channels / groups, kernel height, kernel width]"};
  Weight bias{this, "bias", "[features]; absent if `bias: false`"};

  Convolution convolve_, grad_x_, grad_weight_, along_;  // y, x.grad(), weight.grad(), y.tangent()
  std::vector<float> before_, bend_;  // gradients before the activation, shaped as y
  std::vector<float> more_;           // the part of weight.grad() that a smooth activation has

  bool learns_in_lanes() const override { return true; }
  int64_t channels() const { return x.shape()[3]; }

  ConvolutionShape shape() const {
    return {.batch = x.rows(),
            .in = channels(),
            .out = *features,
            .x_size = {x.shape()[1], x.shape()[2]},
            .y_size = {y.shape()[1], y.shape()[2]},
            .kernel = *kernel,
            .stride = *stride,
            .padding = *padding,
            .dilation = *dilation,
            .groups = *groups};
  }

  void infer() override {
    expect_images(x);
    check_groups(*groups, channels(), *features);
    const Pair size =
        count_windows({x.shape()[1], x.shape()[2]}, *kernel, *stride, *padding, *dilation);
    y.shape({x.rows(), size[0], size[1], *features});
    if (*activation == Activation::none) y.forward_only();
    const int64_t in = channels() / *groups, area = (*kernel)[0] * (*kernel)[1];
    start.shape(weight, {*features, in, (*kernel)[0], (*kernel)[1]}, *with_bias ? &bias : nullptr,
                in * area);
  }

  void prepare(Pass pass) override {
    using Of = Convolution::Of;
    if (pass == Pass::forward)
      convolve_ =
          Convolution(Of::y, shape(), {*with_bias, *activation, static_cast<float>(*slope)});
    if (pass == Pass::learn) grad_weight_ = Convolution(Of::w, shape(), {*with_bias});
    const bool twice = pass == Pass::backward_twice || pass == Pass::learn_twice;
    if ((pass == Pass::backward || twice) && x.wants_grad()) grad_x_ = Convolution(Of::x, shape());
    if (!twice) return;
    along_ = Convolution(Of::y, shape());
    grad_weight_ = Convolution(Of::w, shape());
    for (auto* own : {&before_, &bend_}) own->resize(static_cast<size_t>(y.size()));
    more_.resize(static_cast<size_t>(weight.shape().elements()));
  }

  void forward(const Step&) override {
    convolve_.to_y(x.data(), weight.data(), y.data(), bias.data());
  }

  void backward(const Step&) override {
    activation_backward(*activation, static_cast<float>(*slope), y.data(), y.grad(), y.size());
    if (x.wants_grad()) grad_x_.to_x(x.grad(), weight.data(), y.grad());
  }

  void learn(const Step&) override {  // y.grad() is by now the gradient before the activation
    grad_weight_.to_w(x.data(), weight.grad(), y.grad(), bias.grad());
  }

  Twice twice() const override { return Twice::yes; }
  void backward_twice(const Step&) override {
    bend(y.tangent());
    if (x.wants_grad() && is_smooth(*activation))
      grad_x_.to_x(x.grad(), weight.data(), bend_.data());
    else if (x.wants_grad())
      std::fill_n(x.grad(), x.size(), 0.0F);
  }
  void learn_twice(const Step&) override {
    std::copy_n(y.grad(), y.size(), before_.data());
    before_activation(before_.data());
    grad_weight_.to_w(x.tangent(), weight.grad(), before_.data());
    if (is_smooth(*activation)) {
      bend(bend_.data());
      grad_weight_.to_w(x.data(), more_.data(), bend_.data());
      add_scaled(more_.data(), 1, weight.grad(), weight.shape().elements());
    }
    if (bias.wants_grad())
      sum_rows(bend_.data(), y.size() / *features, *features, *features, bias.grad());
  }
  // Writes y.tangent() to `along`, and what a smooth activation adds to gradients to bend_.
  void bend(float* along) {
    along_.to_y(x.tangent(), weight.data(), along);
    before_activation(along);
    if (is_smooth(*activation))
      activation_twice(*activation, y.data(), y.grad(), along, bend_.data(), y.size());
  }
  void before_activation(float* grad) const {
    activation_backward(*activation, static_cast<float>(*slope), y.data(), grad, y.size());
  }

  double flops() const override { return shape().flops(); }
};

WEFT_NODE(Conv2d, "conv2d", "Slides learned windows over images (LeCun et al. 1989).",
          "{x: [4, 6, 5, 4], features: 6, kernel: [3, 2], stride: [2, 1], padding: 1, groups: 2, "
          "activation: tanh}")

}  // namespace
}  // namespace weft
