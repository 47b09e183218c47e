#include <algorithm>
#include <cmath>
#include <vector>

#include "framework/node/dnn.h"
#include "framework/node/loops.h"
#include "framework/node/plugin.h"
#include "framework/node/simd.h"
#include "nodes/layers/product_weights.h"
#include "nodes/layers/windows.h"

namespace weft {
namespace {

// The transpose of a convolution: of the one that would make x from y.
class ConvTranspose2d final : public Node {
  In x{this, "x", "Feature maps, [batch, height, width, channels]."};
  Out y{this, "y",
        "Images, [batch, height', width', features]; height' = (height - 1) stride - 2 padding + "
        "dilation (kernel - 1) + 1 + output_padding."};
  Param<int64_t> features{this, "features", "Channels of the result.", required,
                          within(1, 1 << 16)};
  PairParam kernel{this, "kernel", "Height and width of the window.", {2}, within(1, 1024)};
  PairParam stride{this, "stride", "Step of the window in the result.", {2}, within(1, 1024)};
  PairParam padding{this, "padding", "Cut from each edge of the result.", {0}, within(0, 1024)};
  PairParam output_padding{
      this, "output_padding", "Added to the last edges, below stride.", {0}, within(0, 1024)};
  PairParam dilation{this, "dilation", "Step within the window.", {1}, within(1, 1024)};
  Param<int64_t> groups{this, "groups", "Parts of the channels that do not mix.", 1,
                        within(1, 1 << 16)};
  Param<bool> with_bias{this, "bias", "Add a learned offset.", true};
  Param<Activation> activation{this, "activation", "Applied to the result.", Activation::none};
  Param<double> slope{this, "slope", "Of leaky_relu below 0.", 0.01, at_least(0)};
  Weight weight{this, "weight", "[channels, features / groups, kernel height, kernel width]"};
  Weight bias{this, "bias", "[features]; absent if `bias: false`"};

  Convolution spread_, grad_x_, grad_weight_;
  std::vector<float> before_, bend_;  // gradients before the activation, shaped as y
  std::vector<float> more_;           // the part of weight.grad() that a smooth activation has

  bool learns_in_lanes() const override { return true; }
  int64_t channels() const { return x.shape()[3]; }

  // The shape of that convolution: its input is y here, its output is x.
  ConvolutionShape shape() const {
    return {.batch = x.rows(),
            .in = *features,
            .out = channels(),
            .x_size = {y.shape()[1], y.shape()[2]},
            .y_size = {x.shape()[1], x.shape()[2]},
            .kernel = *kernel,
            .stride = *stride,
            .padding = *padding,
            .dilation = *dilation,
            .groups = *groups};
  }

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
    const int64_t out = *features / *groups, area = (*kernel)[0] * (*kernel)[1];
    const Init init = Init::uniform(1 / std::sqrt(static_cast<double>(out * area)));
    weight.shape({channels(), out, (*kernel)[0], (*kernel)[1]}, init);
    if (*with_bias) bias.shape({*features}, init);
  }

  void prepare(Pass pass) override {
    using Of = Convolution::Of;
    const bool twice = pass == Pass::backward_twice || pass == Pass::learn_twice;
    if (pass == Pass::forward || twice) spread_ = Convolution(Of::x, shape());
    if ((pass == Pass::backward || twice) && x.wants_grad()) grad_x_ = Convolution(Of::y, shape());
    if (pass == Pass::learn || twice) grad_weight_ = Convolution(Of::w, shape());
    if (!twice) return;
    for (auto* own : {&before_, &bend_}) own->resize(static_cast<size_t>(y.size()));
    more_.resize(static_cast<size_t>(weight.shape().elements()));
  }

  void forward(const Step&) override {
    spread_.to_x(y.data(), weight.data(), x.data());
    if (*with_bias) add_to_rows(bias.data(), y.size() / *features, *features, y.data());
    activation_forward(*activation, static_cast<float>(*slope), y.data(), y.size());
  }

  void backward(const Step&) override {
    activation_backward(*activation, static_cast<float>(*slope), y.data(), y.grad(), y.size());
    if (x.wants_grad()) grad_x_.to_y(y.grad(), weight.data(), x.grad());
  }

  void learn(const Step&) override {  // y.grad() is by now the gradient before the activation
    grad_weight_.to_w(y.grad(), weight.grad(), x.data());
    if (bias.wants_grad())
      sum_rows(y.grad(), y.size() / *features, *features, *features, bias.grad());
  }

  Twice twice() const override { return Twice::yes; }
  void backward_twice(const Step&) override {
    bend(y.tangent());
    if (x.wants_grad() && is_smooth(*activation))
      grad_x_.to_y(bend_.data(), weight.data(), x.grad());
    else if (x.wants_grad())
      std::fill_n(x.grad(), x.size(), 0.0F);
  }
  void learn_twice(const Step&) override {
    std::copy_n(y.grad(), y.size(), before_.data());
    before_activation(before_.data());
    grad_weight_.to_w(before_.data(), weight.grad(), x.tangent());
    if (is_smooth(*activation)) {
      bend(bend_.data());
      grad_weight_.to_w(bend_.data(), more_.data(), x.data());
      add_scaled(more_.data(), 1, weight.grad(), weight.shape().elements());
    }
    if (bias.wants_grad())
      sum_rows(bend_.data(), y.size() / *features, *features, *features, bias.grad());
  }
  // Writes y.tangent() to `along`, and what a smooth activation adds to gradients to bend_.
  void bend(float* along) {
    spread_.to_x(along, weight.data(), x.tangent());
    before_activation(along);
    if (is_smooth(*activation))
      activation_twice(*activation, y.data(), y.grad(), along, bend_.data(), y.size());
  }
  void before_activation(float* grad) const {
    activation_backward(*activation, static_cast<float>(*slope), y.data(), grad, y.size());
  }

  double flops() const override { return shape().flops(); }
};

WEFT_NODE(ConvTranspose2d, "conv_transpose2d",
          "Spreads feature maps over larger images: the gradient of a convolution, with weights of "
          "its own (Zeiler et al. 2010).",
          "{x: [4, 3, 4, 4], features: 6, kernel: [4, 3], stride: 2, padding: 1, groups: 2, "
          "output_padding: [1, 0], activation: tanh}")

}  // namespace
}  // namespace weft
