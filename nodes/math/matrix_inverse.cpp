#include <Eigen/LU>

#include <cmath>

#include "framework/node/node.h"
#include "framework/node/plugin.h"

namespace weft {
namespace {
using Square = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using Floats = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

class MatrixInverse final : public Node {
  In x{this, "x", "Square matrices, [batch, n, n]."};
  Out y{this, "y", "x⁻¹, [batch, n, n]; not finite where there is none."};

  int64_t n() const { return x.shape().back(); }
  Square matrix(const float* from) const {
    return Eigen::Map<const Floats>(from, n(), n()).cast<double>();
  }
  void write(const Square& from, float* to) const {
    Eigen::Map<Floats>(to, n(), n()) = from.cast<float>();
  }

  void infer() override {
    if (x.shape().rank() != 3 || x.shape()[1] != n() || n() == 0)
      throw Error("`x` is " + x.shape().str() + ", but must be [batch, n, n]");
    y.shape(x.shape());
    x.forward_only();
  }

  void forward(const Step&) override {
    for (int64_t row = 0; row < x.rows(); ++row)
      write(matrix(x.data() + row * n() * n()).partialPivLu().inverse(),
            y.data() + row * n() * n());
  }
  void backward(const Step&) override {  // d x⁻¹ = -x⁻¹ dx x⁻¹
    for (int64_t row = 0; row < x.rows() && x.wants_grad(); ++row) {
      const int64_t at = row * n() * n();
      const Square turned = matrix(y.data() + at).transpose();
      write(-turned * matrix(y.grad() + at) * turned, x.grad() + at);
    }
  }

  double flops() const override {
    return 2.0 * static_cast<double>(x.size()) * static_cast<double>(n());
  }
};

WEFT_NODE(MatrixInverse, "matrix_inverse", "The inverses of square matrices.", "{x: [4, 3, 3]}")

}  // namespace
}  // namespace weft
