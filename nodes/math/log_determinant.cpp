#include <Eigen/LU>

#include <cmath>

#include "framework/node/node.h"
#include "framework/node/plugin.h"

namespace weft {
namespace {
using Square = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

class LogDeterminant final : public Node {
  In x{this, "x", "Square matrices, [batch, n, n]."};
  Out y{this, "y", "ln |det x|, [batch]; -inf of a singular matrix."};

  int64_t n() const { return x.shape().back(); }
  Square matrix(int64_t row) const {
    return Eigen::Map<const Eigen::Matrix<float, -1, -1, Eigen::RowMajor>>(
               x.data() + row * n() * n(), n(), n())
        .cast<double>();
  }

  void infer() override {
    if (x.shape().rank() != 3 || x.shape()[1] != n() || n() == 0)
      throw Error("`x` is " + x.shape().str() + ", but must be [batch, n, n]");
    y.shape({x.rows()});
    y.forward_only();
  }

  void forward(const Step&) override {
    for (int64_t row = 0; row < x.rows(); ++row)
      y.data()[row] = static_cast<float>(
          matrix(row).partialPivLu().matrixLU().diagonal().array().abs().log().sum());
  }
  void backward(const Step&) override {  // d ln |det x| = tr(x⁻¹ dx)
    if (!x.wants_grad()) return;
    for (int64_t row = 0; row < x.rows(); ++row) {
      const Square inverse = matrix(row).partialPivLu().inverse().transpose();
      const auto g = static_cast<double>(y.grad()[row]);
      for (int64_t i = 0; i < n() * n(); ++i)
        x.grad()[row * n() * n() + i] = static_cast<float>(g * inverse.data()[i]);
    }
  }

  double flops() const override {
    return 2.0 / 3 * static_cast<double>(x.size()) * static_cast<double>(n());
  }
};

WEFT_NODE(LogDeterminant, "log_determinant",
          "ln |det x|: how much a linear map stretches volumes (Kingma & Dhariwal 2018, "
          "arXiv:1807.03039).",
          "{x: [4, 3, 3]}")

}  // namespace
}  // namespace weft
