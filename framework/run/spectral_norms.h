// Weights that nodes see divided by their spectral norm, the greatest factor by which they lengthen
// a vector (Miyato et al. 2018, arXiv:1802.05957).
#pragma once

#include "framework/plan/plan.h"
#include "framework/run/buffer.h"
#include "framework/run/weights.h"

namespace weft {

// A weight W is seen as a matrix of its rows of axis 0. Its states u and v come near its first
// singular vectors by one power iteration a step (section 3.1); σ = uᵀ W v.
class SpectralNorms {
 public:
  SpectralNorms(const Plan& plan, const Weights& model);

  // What nodes see of the weight: W / σ, or the weight itself if it has no such norm.
  Tensor seen(WeightId weight) const { return of_[weight] ? of_[weight].seen.view : Tensor{}; }
  // Divides the weights as they are now. At the start of a training step, `iterate` comes first
  // for those that move.
  void divide(bool iterate);
  // Makes the gradient of W / σ that of W (eq. 10): (G - ⟨G, W / σ⟩ u vᵀ) / σ.
  void correct(WeightId weight, float* grad) const;

 private:
  struct Matrix {
    Tensor weight, u, v;  // [rows, cols], [rows], [cols]
    OwnedTensor seen;
    bool moves = false;  // is it updated, or follows it another?
    float sigma = 1;
    explicit operator bool() const { return static_cast<bool>(weight); }
    int64_t rows() const { return u.size(); }
    int64_t cols() const { return v.size(); }
    void iterate() const;
  };
  ByWeight<Matrix> of_;
};

}  // namespace weft
