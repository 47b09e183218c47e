#include <cmath>
#include <vector>

#include "framework/node/loops.h"
#include "framework/node/node.h"
#include "framework/node/plugin.h"
#include "nodes/layers/channels.h"

namespace weft {
namespace {

class GroupNorm final : public Node {
  In x{this, "x", "[batch, ..., c]"};
  Out y{this, "y", "Shaped as `x`."};
  Param<int64_t> groups{this, "groups", "Of c / groups channels side by side.", 32, at_least(1)};
  Param<double> eps{this, "eps", "Added to the variance.", 1e-5, above(0)};
  Param<bool> affine{this, "affine", "Scale and shift the result by learned numbers.", true};
  Weight weight{this, "weight", "[c]; absent if `affine: false`"};
  Weight bias{this, "bias", "[c]; absent if `affine: false`"};
  Saved mean{this, "mean", "Of each group, [batch, groups]."};
  Saved rstd{this, "rstd", "1 / sqrt(variance + eps) of each group, [batch, groups]."};
  Saved grad_weight{this, "grad_weight", "[batch, c]; Σ dy x̂ of each sample."};
  Saved grad_bias{this, "grad_bias", "[batch, c]; Σ dy of each sample."};

  std::vector<float> mean_, scale_, slope_, shift_;  // [c]; of one sample
  std::vector<float> ones_, zeros_;                  // [c]; for weights that are absent

  int64_t c() const { return x.shape().back(); }
  int64_t width() const { return c() / *groups; }
  int64_t sites() const { return x.row_size() / c(); }
  float count() const { return static_cast<float>(sites() * width()); }  // numbers of a group

  void infer() override {
    if (x.shape().rank() < 2 || x.row_size() == 0)
      throw Error("`x` is " + x.shape().str() + ", but must be [batch, ..., c]");
    if (c() % *groups != 0)
      throw Error("`groups` is " + std::to_string(*groups) + ", which does not divide the " +
                  std::to_string(c()) + " channels of `x`");
    y.shape(x.shape());
    y.forward_only();
    if (*affine) weight.shape({c()}, Init::constant(1)), bias.shape({c()}, Init::constant(0));
    for (Saved* own : {&mean, &rstd}) own->shape({x.rows(), *groups});
    for (Saved* own : {&grad_weight, &grad_bias}) own->shape({x.rows(), c()});
  }

  void prepare(Pass) override {
    for (auto* own : {&mean_, &scale_, &slope_, &shift_}) own->resize(static_cast<size_t>(c()));
    ones_.assign(mean_.size(), 1), zeros_.assign(mean_.size(), 0);
  }
  const float* scales() const { return *affine ? weight.data() : ones_.data(); }
  const float* offsets() const { return *affine ? bias.data() : zeros_.data(); }

  // Puts into each channel of `to` what `f` makes of its group's sum.
  template <class F>
  void by_group(const float* channels, float* to, F f) const {
    for (int64_t g = 0; g < *groups; ++g) {
      float sum = 0;
      for (int64_t j = g * width(); j < (g + 1) * width(); ++j) sum += channels[j];
      std::fill_n(to + g * width(), width(), f(sum));
    }
  }

  void forward(const Step&) override {
    for (int64_t i = 0; i < x.rows(); ++i) {
      const float* const from = x.data() + i * x.row_size();
      sum_rows(from, sites(), c(), c(), shift_.data());
      by_group(shift_.data(), mean_.data(), [&](float sum) { return sum / count(); });
      sum_squares(from, mean_.data(), sites(), c(), shift_.data());
      by_group(shift_.data(), scale_.data(),
               [&](float sum) { return 1 / std::sqrt(sum / count() + static_cast<float>(*eps)); });
      for (int64_t g = 0; training() && g < *groups; ++g) {
        mean.data()[i * *groups + g] = mean_[static_cast<size_t>(g * width())];
        rstd.data()[i * *groups + g] = scale_[static_cast<size_t>(g * width())];
      }
      for (int64_t j = 0; j < c(); ++j) {
        scale_[j] *= scales()[j];
        shift_[j] = offsets()[j] - mean_[j] * scale_[j];
      }
      scale_rows(from, scale_.data(), shift_.data(), y.data() + i * y.row_size(), sites(), c());
    }
  }

  // With g = dy weight: dx = rstd (g - mean of g - x̂ · mean of g x̂).
  void backward(const Step&) override {
    for (int64_t i = 0; i < x.rows(); ++i) {
      const int64_t at = i * x.row_size();
      float* const dw = grad_weight.data() + i * c();
      float* const db = grad_bias.data() + i * c();
      for (int64_t j = 0; j < c(); ++j) mean_[j] = mean.data()[i * *groups + j / width()];
      sum_grads(y.grad() + at, x.data() + at, mean_.data(), sites(), c(), db, dw);
      for (int64_t j = 0; j < c(); ++j) {
        dw[j] *= rstd.data()[i * *groups + j / width()];
        slope_[j] = dw[j] * scales()[j], shift_[j] = db[j] * scales()[j];
      }
      if (!x.wants_grad()) continue;
      const auto average = [&](float sum) { return sum / count(); };
      by_group(slope_.data(), slope_.data(), average);
      by_group(shift_.data(), shift_.data(), average);
      for (int64_t j = 0; j < c(); ++j) {
        const float r = rstd.data()[i * *groups + j / width()];
        scale_[j] = r * scales()[j];
        slope_[j] *= -r * r;
        shift_[j] = -r * shift_[j] - slope_[j] * mean_[j];
      }
      grad_rows(y.grad() + at, x.data() + at, scale_.data(), slope_.data(), shift_.data(),
                x.grad() + at, sites(), c());
    }
  }

  void learn(const Step&) override {
    const auto add_up = [&](const Weight& own, const Saved& of_samples) {
      if (own.wants_grad())
        sum_rows(of_samples.data() + own.block().begin, x.rows(), c(), own.block().size(),
                 own.grad());
    };
    add_up(weight, grad_weight), add_up(bias, grad_bias);
  }

  // As for a row of layer_norm, see layer_norm.cpp.
  Twice twice() const override { return Twice::yes; }
  void backward_twice(const Step&) override {
    each_group([&](int64_t group, float mu, float r) {
      const Means m = means(group, mu, r);
      const float all = m.av - m.a * m.v - m.ax * m.vx;
      each_number(group, [&](int64_t at, int64_t channel) {
        const float normal = (x.data()[at] - mu) * r;
        const float of_v = x.tangent()[at] - m.v - normal * m.vx;
        const float of_a = y.grad()[at] * scales()[channel] - m.a - normal * m.ax;
        y.tangent()[at] = scales()[channel] * r * of_v;
        if (x.wants_grad()) x.grad()[at] = -r * r * (normal * all + m.vx * of_a + m.ax * of_v);
      });
    });
  }
  void learn_twice(const Step&) override {
    if (bias.wants_grad()) std::fill_n(bias.grad(), bias.block().size(), 0.0F);
    if (!weight.wants_grad()) return;
    const Range block = weight.block();
    std::fill_n(weight.grad(), block.size(), 0.0F);
    each_group([&](int64_t group, float mu, float r) {
      const Means m = means(group, mu, r);
      each_number(group, [&](int64_t at, int64_t channel) {
        if (channel < block.begin || channel >= block.end) return;
        const float normal = (x.data()[at] - mu) * r;
        weight.grad()[channel - block.begin] +=
            y.grad()[at] * r * (x.tangent()[at] - m.v - normal * m.vx);
      });
    });
  }

  // Calls f(group, its mean, its rstd) for the groups of all samples, one after the other.
  template <class F>
  void each_group(const F& f) const {
    for (int64_t group = 0; group < x.rows() * *groups; ++group)
      f(group, mean.data()[group], rstd.data()[group]);
  }
  // Calls f(where it lies, its channel) for the numbers of a group.
  template <class F>
  void each_number(int64_t group, const F& f) const {
    const int64_t first = group % *groups * width();
    for (int64_t site = 0, at = group / *groups * x.row_size(); site < sites(); ++site, at += c())
      for (int64_t channel = first; channel < first + width(); ++channel) f(at + channel, channel);
  }
  // Of a = dy weight, v, the direction, and their products with x̂, over a group.
  struct Means {
    float a = 0, v = 0, ax = 0, vx = 0, av = 0;
  };
  Means means(int64_t group, float mu, float r) const {
    Means m;
    each_number(group, [&](int64_t at, int64_t channel) {
      const float normal = (x.data()[at] - mu) * r, v = x.tangent()[at] / count();
      const float a = y.grad()[at] * scales()[channel] / count();
      m.a += a, m.v += v, m.ax += a * normal, m.vx += v * normal, m.av += a * x.tangent()[at];
    });
    return m;
  }
};

WEFT_NODE(
    GroupNorm, "group_norm",
    "Normalises each group of channels of a sample (Wu & He 2018); the last axis is channels.",
    "{x: [4, 3, 2, 6], groups: 3}")

}  // namespace
}  // namespace weft
