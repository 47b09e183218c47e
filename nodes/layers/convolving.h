// What convolutions and their transposes have in common: all but which way they lead.
#pragma once

#include <algorithm>
#include <vector>

#include "framework/node/dnn.h"
#include "framework/node/loops.h"
#include "framework/node/node.h"
#include "nodes/layers/product_weights.h"
#include "nodes/layers/windows.h"

namespace weft {

class Convolving : public Node {
 protected:
  enum class Way { plain, transposed };
  struct Told {
    const char *x, *y, *stride, *padding, *weight;
    int64_t usual_kernel, usual_stride;
  };

  In x;
  Out y;
  Param<int64_t> features;
  PairParam kernel, stride, padding, dilation;
  Param<int64_t> groups;
  Param<bool> with_bias;
  Param<Activation> activation;
  Param<double> slope;
  Weight weight, bias;
  Convolution product_, back_, outer_;  // y of x, x of y, the weight of both

  Convolving(Way way, const Told& told)
      : x(this, "x", told.x),
        y(this, "y", told.y),
        features(this, "features", "Channels of the result.", required, within(1, 1 << 16)),
        kernel(this, "kernel", "Height and width of the window.", {told.usual_kernel},
               within(1, 1024)),
        stride(this, "stride", told.stride, {told.usual_stride}, within(1, 1024)),
        padding(this, "padding", told.padding, {0}, within(0, 1024)),
        dilation(this, "dilation", "Step within the window.", {1}, within(1, 1024)),
        groups(this, "groups", "Parts of the channels that do not mix.", 1, within(1, 1 << 16)),
        with_bias(this, "bias", "Add a learned offset.", true),
        activation(this, "activation", "Applied to the result.", Activation::none),
        slope(this, "slope", "Of leaky_relu below 0.", 0.01, at_least(0)),
        weight(this, "weight", told.weight),
        bias(this, "bias", "[features]; absent if `bias: false`"),
        turned_(way == Way::transposed) {}

  int64_t channels() const { return x.shape()[3]; }
  int64_t area() const { return (*kernel)[0] * (*kernel)[1]; }
  float leak() const { return static_cast<float>(*slope); }

  // Of a transpose, that of the convolution that would make x from y.
  ConvolutionShape shape() const {
    const Shape &from = turned_ ? y.shape() : x.shape(), &to = turned_ ? x.shape() : y.shape();
    return {.batch = x.rows(),
            .in = from[3],
            .out = to[3],
            .x_size = {from[1], from[2]},
            .y_size = {to[1], to[2]},
            .kernel = *kernel,
            .stride = *stride,
            .padding = *padding,
            .dilation = *dilation,
            .groups = *groups};
  }
  Convolution product_of() const { return {turned_ ? Of::x : Of::y, shape()}; }
  Convolution outer_of(const ConvolutionOptions& options = {}) const {
    return {Of::w, shape(), options};
  }

  void product(const float* from, float* to) const {
    turned_ ? product_.to_x(to, weight.data(), from) : product_.to_y(from, weight.data(), to);
  }
  void back(const float* from, float* to) const {
    turned_ ? back_.to_y(from, weight.data(), to) : back_.to_x(to, weight.data(), from);
  }
  void outer(const float* of_x, const float* of_y, float* to) const {
    turned_ ? outer_.to_w(of_y, to, of_x) : outer_.to_w(of_x, to, of_y);
  }
  void sum_bias(const float* of_y) {
    if (bias.wants_grad()) sum_rows(of_y, y.size() / *features, *features, *features, bias.grad());
  }

  void prepare(Pass pass) override {
    const bool twice = pass == Pass::backward_twice || pass == Pass::learn_twice;
    if ((pass == Pass::backward || twice) && x.wants_grad())
      back_ = Convolution(turned_ ? Of::y : Of::x, shape());
    if (!twice) return;
    product_ = product_of(), outer_ = outer_of();
    for (auto* own : {&before_, &bend_}) own->resize(static_cast<size_t>(y.size()));
    more_.resize(static_cast<size_t>(weight.shape().elements()));
  }

 private:
  using Of = Convolution::Of;
  const bool turned_;
  std::vector<float> before_, bend_;  // gradients before the activation, shaped as y
  std::vector<float> more_;           // the part of weight.grad() that a smooth activation has

  bool learns_in_lanes() const override { return true; }
  double flops() const override { return shape().flops(); }

  void backward(const Step&) override {
    before_activation(y.grad());
    if (x.wants_grad()) back(y.grad(), x.grad());
  }

  Twice twice() const override { return Twice::yes; }
  void backward_twice(const Step&) override {
    bend(y.tangent());
    if (x.wants_grad() && is_smooth(*activation))
      back(bend_.data(), x.grad());
    else if (x.wants_grad())
      std::fill_n(x.grad(), x.size(), 0.0F);
  }
  void learn_twice(const Step&) override {
    std::copy_n(y.grad(), y.size(), before_.data());
    before_activation(before_.data());
    outer(x.tangent(), before_.data(), weight.grad());
    if (is_smooth(*activation)) {
      bend(bend_.data());
      outer(x.data(), bend_.data(), more_.data());
      add_scaled(more_.data(), 1, weight.grad(), weight.shape().elements());
    }
    sum_bias(bend_.data());
  }
  // Writes y.tangent() to `along`, and what a smooth activation adds to gradients to bend_.
  void bend(float* along) {
    product(x.tangent(), along);
    before_activation(along);
    if (is_smooth(*activation))
      activation_twice(*activation, y.data(), y.grad(), along, bend_.data(), y.size());
  }
  void before_activation(float* grad) const {
    activation_backward(*activation, leak(), y.data(), grad, y.size());
  }
};

}  // namespace weft
