#include <Eigen/Eigenvalues>
#include <algorithm>

#include "framework/node/measure.h"
#include "framework/node/plugin.h"

namespace weft {
namespace {

using Eigen::MatrixXd;
using Eigen::VectorXd;

// Mean and covariance of a set, merged batch by batch (Chan, Golub & LeVeque 1983).
class Moments {
 public:
  explicit Moments(int64_t d) : mean_(VectorXd::Zero(d)), scatter_(MatrixXd::Zero(d, d)) {}

  template <class Rows>
  void add(const Rows& batch) {
    const auto n = static_cast<double>(batch.rows());
    const VectorXd mean = batch.colwise().mean();
    const MatrixXd deviations = batch.rowwise() - mean.transpose();
    const VectorXd step = mean - mean_;
    auto lower = scatter_.selfadjointView<Eigen::Lower>();
    lower.rankUpdate(deviations.transpose());
    lower.rankUpdate(step, samples_ * n / (samples_ + n));
    samples_ += n;
    mean_ += step * n / samples_;
  }

  const VectorXd& mean() const { return mean_; }
  MatrixXd covariance() const {
    return MatrixXd(scatter_.selfadjointView<Eigen::Lower>()) / (samples_ - 1);
  }

 private:
  double samples_ = 0;
  VectorXd mean_;
  MatrixXd scatter_;  // the lower half of Σ (x - mean)(x - mean)ᵀ, [d, d]
};

// tr (C D)^(1/2), for C and D of [d, d]. With C = V Λ Vᵀ and R = Λ^(1/2) Vᵀ, C D has the
// eigenvalues of R D Rᵀ, which is symmetric.
double trace_of_root(const MatrixXd& c, const MatrixXd& d) {
  const Eigen::SelfAdjointEigenSolver<MatrixXd> of_c(c);
  const MatrixXd root =
      of_c.eigenvalues().cwiseMax(0).cwiseSqrt().asDiagonal() * of_c.eigenvectors().transpose();
  const Eigen::SelfAdjointEigenSolver<MatrixXd> of_both(root * d * root.transpose(),
                                                        Eigen::EigenvaluesOnly);
  return of_both.eigenvalues().cwiseMax(0).cwiseSqrt().sum();
}

// The Fréchet distance of two sets of features: Heusel et al. 2017, arXiv:1706.08500, equation 6.
class FrechetDistance final : public Measure {
  In a{this, "a", "Features of one set, such as generated images, [batch, d].", {.grad = false}};
  In b{this, "b", "Of the other, such as real ones, shaped as `a`.", {.grad = false}};

  Moments of_a_{0}, of_b_{0};

  int64_t d() const { return a.shape()[1]; }

  void infer() override {
    if (a.shape() != b.shape() || a.shape().rank() != 2 || d() == 0)
      throw Error("`a` is " + a.shape().str() + " and `b` is " + b.shape().str() +
                  ", but both must have one shape, [batch, d]");
    y.shape(Shape{});
  }

  void begin() override { of_a_ = of_b_ = Moments(d()); }

  void forward(const Step& step) override {
    using Rows = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
    const int64_t n = std::min(step.rows, a.rows());
    if (n == 0) return;
    of_a_.add(Eigen::Map<const Rows>(a.data(), n, d()).cast<double>());
    of_b_.add(Eigen::Map<const Rows>(b.data(), n, d()).cast<double>());
  }

  double result() override {
    const MatrixXd c = of_a_.covariance(), d = of_b_.covariance();
    return (of_a_.mean() - of_b_.mean()).squaredNorm() + c.trace() + d.trace() -
           2 * trace_of_root(c, d);
  }

  double flops() const override { return 2.0 * static_cast<double>(a.size() * d()); }
};

WEFT_NODE(FrechetDistance, "frechet_distance",
          "How far two sets of features are apart, each seen as a Gaussian (the FID, if they are "
          "Inception's).",
          "{a: [7, 3], b: [7, 3]}")

}  // namespace
}  // namespace weft
