// Functions of square matrices, computed in double precision.
#include <Eigen/LU>

#include <cmath>

#include "framework/node/node.h"
#include "framework/node/plugin.h"

namespace weft {
namespace {
using Square = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using Floats = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

class OfMatrices : public Node {
 protected:
  In x{this, "x", "Square matrices, [batch, n, n]."};

  int64_t n() const { return x.shape().back(); }
  void infer() override {
    if (x.shape().rank() != 3 || x.shape()[1] != n() || n() == 0)
      throw Error("`x` is " + x.shape().str() + ", but must be [batch, n, n]");
  }
  // The matrix of a row of what is shaped as x.
  Square matrix(const float* all, int64_t row) const {
    return Eigen::Map<const Floats>(all + row * n() * n(), n(), n()).cast<double>();
  }
  void write(const Square& from, float* all, int64_t row) const {
    Eigen::Map<Floats>(all + row * n() * n(), n(), n()) = from.cast<float>();
  }
};

class LogDeterminant final : public OfMatrices {
  Out y{this, "y", "ln |det x|, [batch]; -inf of a singular matrix."};

  void infer() override {
    OfMatrices::infer();
    y.shape({x.rows()});
    y.forward_only();
  }
  void forward(const Step&) override {
    for (int64_t row = 0; row < x.rows(); ++row)
      y.data()[row] = static_cast<float>(
          matrix(x.data(), row).partialPivLu().matrixLU().diagonal().array().abs().log().sum());
  }
  void backward(const Step&) override {  // d ln |det x| = tr(x⁻¹ dx)
    for (int64_t row = 0; row < x.rows() && x.wants_grad(); ++row) {
      const Square inverse = matrix(x.data(), row).partialPivLu().inverse();
      write(static_cast<double>(y.grad()[row]) * inverse.transpose(), x.grad(), row);
    }
  }
  double flops() const override {
    return 2.0 / 3 * static_cast<double>(x.size()) * static_cast<double>(n());
  }
};

class MatrixInverse final : public OfMatrices {
  Out y{this, "y", "x⁻¹, [batch, n, n]; not finite where there is none."};

  void infer() override {
    OfMatrices::infer();
    y.shape(x.shape());
    x.forward_only();
  }
  void forward(const Step&) override {
    for (int64_t row = 0; row < x.rows(); ++row)
      write(matrix(x.data(), row).partialPivLu().inverse(), y.data(), row);
  }
  void backward(const Step&) override {  // d x⁻¹ = -x⁻¹ dx x⁻¹
    for (int64_t row = 0; row < x.rows() && x.wants_grad(); ++row) {
      const Square turned = matrix(y.data(), row).transpose();
      write(-turned * matrix(y.grad(), row) * turned, x.grad(), row);
    }
  }
  double flops() const override {
    return 2.0 * static_cast<double>(x.size()) * static_cast<double>(n());
  }
};

WEFT_NODE(LogDeterminant, "log_determinant",
          "ln |det x|: how much a linear map stretches volumes (Kingma & Dhariwal 2018, "
          "arXiv:1807.03039).",
          "{x: [4, 3, 3]}")
WEFT_NODE(MatrixInverse, "matrix_inverse", "The inverses of square matrices.", "{x: [4, 3, 3]}")

}  // namespace
}  // namespace weft
