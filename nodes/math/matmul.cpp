#include <algorithm>
#include <functional>
#include <vector>

#include "framework/node/dnn.h"
#include "framework/node/node.h"
#include "framework/node/parallel.h"
#include "framework/node/plugin.h"
#include "nodes/math/broadcast.h"

namespace weft {
namespace {

// c = a b, for all matrices that a walk comes to, whose strides are those in a, b and c. If `sums`
// is not 0, c, of so many numbers, has matrices that it comes to again: each is the sum of its
// products. Rows come `block` at a time.
class Product {
 public:
  Product() = default;
  Product(const Matrix& a, const Matrix& b, const Matrix& c, const Walk<3>& walk, int64_t block,
          int64_t sums, MatmulOptions how = {})
      : a_(a), c_(c), walk_(walk), block_(block), sums_(sums) {
    const int64_t count = walk_.inner().extent;
    const Walk<3>::Strides& strides = walk_.inner().strides;
    const int64_t stack = std::ranges::count(strides, 0) == 0 ? count : 1;
    turns_ = count / std::max<int64_t>(stack, 1);
    how.accumulate = how.accumulate || sums > 0;
    if (how.accumulate && a.cols == 0) return;
    const auto stacked = [&](Matrix m, int64_t rows, size_t operand) {
      m.rows = rows, m.inner = stack, m.inner_stride = strides[operand];
      return m;
    };
    for (int64_t begin = 0; begin < a.rows; begin += block_) {
      const int64_t rows = std::min(block_, a.rows - begin);
      products_.emplace_back(stacked(a, rows, 0), stacked(b, b.rows, 1), stacked(c, rows, 2), how);
    }
  }

  void operator()(const float* a, const float* b, float* c) const {
    std::fill_n(c, sums_, 0.0F);
    if (products_.empty()) return;
    const Walk<3>::Strides &down = walk_.outer().strides, &right = walk_.inner().strides;
    walk_.each_block([&](int64_t, const auto& at) {
      for (int64_t row = 0; row < walk_.rows(); ++row)
        for (int64_t turn = 0; turn < turns_; ++turn) {
          const auto place = [&](size_t of) { return at[of] + row * down[of] + turn * right[of]; };
          multiply(a + place(0), b + place(1), c + place(2));
        }
    });
  }

 private:
  void multiply(const float* a, const float* b, float* c) const {
    const auto block = [&](int64_t begin, int64_t) {
      products_[static_cast<size_t>(begin / block_)](a + begin * a_.row_stride, b,
                                                     c + begin * c_.row_stride);
    };
    in_blocks(a_.rows, block_, std::ref(block));
  }

  Matrix a_{}, c_{};
  Walk<3> walk_;
  int64_t block_ = 1, sums_ = 0, turns_ = 0;
  std::vector<Matmul> products_;
};

class MatrixProduct final : public Node {
  In a{this,
       "a",
       "[batch, ..., n, k], or [batch, ..., k, n] if it is transposed. A row, [batch, k], gives "
       "rows, [batch, ..., m]. All samples may share it, [1, ..., n, k].",
       {.shared = true}};
  In b{this,
       "b",
       "[batch, ..., k, m], or [batch, ..., m, k] if it is transposed. All samples may share it, "
       "[1, ..., k, m].",
       {.shared = true}};
  Out y{this, "y",
        "[batch, ..., n, m]. Along axes before the matrices that one of both lacks, or that are 1 "
        "there, its matrices are repeated."};
  Param<bool> transpose_a{this, "transpose_a", "Takes aᵀ for a.", false};
  Param<bool> transpose_b{this, "transpose_b", "Takes bᵀ for b.", false};

  enum Operand : size_t { of_a, of_b, of_y };
  // n × k, k × m and n × m, as they lie, and the axes of y before them, with strides in all three.
  struct Stacks {
    Matrix a, b, y;
    std::vector<Walk<3>::Axis> axes;
  };
  Stacks stacks_;
  bool one_ = false;  // is there one product for the whole batch?
  Product product_, added_, grad_a_, grad_b_;

  [[noreturn]] void refuse() const {
    throw Error("`a` is " + a.shape().str() + " and `b` is " + b.shape().str() + ", but must be " +
                (*transpose_a ? "[batch, ..., k, n]" : "[batch, ..., n, k]") + " and " +
                (*transpose_b ? "[batch, ..., m, k]" : "[batch, ..., k, m]") +
                ", with axes before the matrices that are alike or 1");
  }
  Stacks stacks() const {
    const size_t rank = a.shape().rank();
    if (rank < 2 || b.shape().rank() < 3 || (rank == 2 && *transpose_a)) refuse();
    const Shape x = rank == 2 ? a.shape().inserted(1, 1) : a.shape(), &w = b.shape();
    const auto matrix = [](const Shape& of, bool transposed) {
      const Matrix m = Matrix::plain(of[of.rank() - 2], of.back());
      return transposed ? m.t() : m;
    };
    const Matrix A = matrix(x, *transpose_a), B = matrix(w, *transpose_b);
    if (A.cols != B.rows) refuse();
    const Matrix Y = Matrix::plain(A.rows, B.cols);
    return {A, B, Y, axes(x, A.rows * A.cols, w, B.rows * B.cols, Y.rows * Y.cols)};
  }
  // Of stacks of matrices with so many numbers.
  std::vector<Walk<3>::Axis> axes(const Shape& x, int64_t of_x, const Shape& w, int64_t of_w,
                                  int64_t of_y) const {
    const Shape p(x.dims().first(x.rank() - 2)), q(w.dims().first(w.rank() - 2));
    const Shape& longer = p.rank() < q.rank() ? q : p;
    std::vector<Walk<3>::Axis> axes(longer.rank());
    for (size_t axis = longer.rank(); axis-- > 0;) {
      const int64_t i = extent_at(p, longer, axis), j = extent_at(q, longer, axis);
      if (i != j && i != 1 && j != 1) refuse();
      axes[axis] = {i == 1 ? j : i,
                    {stride_at(p, longer, axis) * of_x, stride_at(q, longer, axis) * of_w, of_y}};
      of_y *= axes[axis].extent;
    }
    return axes;
  }

  void infer() override {
    stacks_ = stacks();
    std::vector<int64_t> dims;
    for (const auto& axis : stacks_.axes) dims.push_back(axis.extent);
    if (a.shape().rank() > 2) dims.push_back(stacks_.y.rows);
    dims.push_back(stacks_.y.cols);
    y.shape(Shape(dims));
    y.forward_only();
    join_rows();
    one_ = stacks_.axes.empty();
  }

  // Matrices of a that lie one behind the other and meet the same one of b are one; of single rows
  // it is enough that they lie evenly apart.
  void join_rows() {
    auto& [a, b, y, axes] = stacks_;
    while (!*transpose_a && !axes.empty() && axes.back().strides[of_b] == 0 &&
           (axes.back().extent == 1 || axes.back().strides[of_a] == a.rows * a.cols)) {
      y.rows = a.rows *= axes.back().extent;
      axes.pop_back();
    }
    const auto apart = std::ranges::find_if(
        axes, [](const auto& axis) { return axis.extent > 1 && axis.strides[of_b] == 0; });
    if (a.rows != 1 || apart == axes.end()) return;
    y.rows = a.rows = apart->extent;
    a.row_stride = apart->strides[of_a], y.row_stride = apart->strides[of_y];
    axes.erase(apart);
  }

  Product product(Operand i, const Matrix& left, Operand j, const Matrix& right, Operand k,
                  const Matrix& to, const MatmulOptions& how = {}) const {
    std::vector<Walk<3>::Axis> axes = stacks_.axes;
    bool again = false;
    for (auto& [extent, strides] : axes) {
      strides = {strides[i], strides[j], strides[k]};
      again = again || (extent != 1 && strides[2] == 0);
    }
    const int64_t size = k == of_a ? a.size() : k == of_b ? b.size() : y.size();
    const int64_t block = one_ ? 64 : std::max<int64_t>(left.rows, 1);
    return Product(left, right, to, Walk<3>(axes), block, again ? size : 0, how);
  }

  void prepare(Pass pass) override {
    stacks_ = stacks();
    join_rows();
    const auto& [A, B, Y, axes] = stacks_;
    const bool twice = pass == Pass::backward_twice;
    if (pass == Pass::forward || twice) product_ = product(of_a, A, of_b, B, of_y, Y);
    if (twice) added_ = product(of_a, A, of_b, B, of_y, Y, {.accumulate = true});
    if (pass != Pass::backward && !twice) return;
    if (a.wants_grad())
      grad_a_ = *transpose_a ? product(of_b, B, of_y, Y.t(), of_a, A.t())
                             : product(of_y, Y, of_b, B.t(), of_a, A);
    if (b.wants_grad())
      grad_b_ = *transpose_b ? product(of_y, Y.t(), of_a, A, of_b, B.t())
                             : product(of_a, A.t(), of_y, Y, of_b, B);
  }

  void forward(const Step&) override { product_(a.data(), b.data(), y.data()); }
  void backward(const Step&) override { spread(a.data(), b.data()); }

  Twice twice() const override { return Twice::yes; }
  void backward_twice(const Step&) override {
    product_(a.tangent(), b.data(), y.tangent());
    added_(a.data(), b.tangent(), y.tangent());
    spread(a.tangent(), b.tangent());
  }

  // The gradients of the inputs where a is x and b is w.
  void spread(const float* x, const float* w) const {
    const float* const g = y.grad();
    if (a.wants_grad()) *transpose_a ? grad_a_(w, g, a.grad()) : grad_a_(g, w, a.grad());
    if (b.wants_grad()) *transpose_b ? grad_b_(g, x, b.grad()) : grad_b_(x, g, b.grad());
  }

  double flops() const override {
    return 2.0 * static_cast<double>(y.size()) * static_cast<double>(stacks().b.rows);
  }
};

WEFT_NODE(MatrixProduct, "matmul", "The products of the matrices of a and of b.",
          "{a: [4, 2, 5, 3], b: [4, 2, 7, 5], transpose_a: true, transpose_b: true}")

}  // namespace
}  // namespace weft
