// The base of nodes that draw random numbers, shaped by a param or as another value is.
#pragma once

#include "framework/node/node.h"
#include "framework/node/plugin.h"

namespace weft {

class Draw : public Node {
 protected:
  In like{this,
          "like",
          "[batch, ...]; gives the shape or, beside `shape`, the batch; its values are not read.",
          {.any = true, .grad = false, .optional = true}};
  Param<std::vector<int64_t>> shape{
      this, "shape", "[rows, ...]; with `like`, of a row. It or `like` must be given.",
      std::vector<int64_t>{}, at_least(1)};

  Shape wanted() const {
    if (!like.wired() && shape->empty())
      throw Error("neither `shape`, [rows, ...], nor `like` is given, but one must be");
    if (!like.wired()) return Shape(*shape);
    if (like.shape().rank() < 1) throw Error("`like` is one number, but must be [batch, ...]");
    if (shape->empty()) return like.shape();
    std::vector<int64_t> dims(shape->begin(), shape->end());
    dims.insert(dims.begin(), like.rows());
    return Shape(dims);
  }
};

// An integer in [0, n) from 64 random bits: the first 32 and the rest.
inline int32_t below(uint64_t n, uint32_t high, uint32_t low) {
  return static_cast<int32_t>((high * n + (low * n >> 32)) >> 32);
}

}  // namespace weft
