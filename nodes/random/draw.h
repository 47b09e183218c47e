// The base of nodes that draw random numbers, shaped by a param or as another value is.
#pragma once

#include "framework/node/node.h"
#include "framework/node/plugin.h"

namespace weft {

class Draw : public Node {
 protected:
  In like{this,
          "like",
          "Gives the shape, instead of `shape`; its values are not read.",
          {.grad = false, .optional = true}};
  Param<std::vector<int64_t>> shape{this, "shape", "[rows, ...]; it or `like` must be given.",
                                    std::vector<int64_t>{}, at_least(1)};

  Shape wanted() const {
    if (like.wired() && !shape->empty())
      throw Error("`shape` and `like` are given, but one must be");
    if (!like.wired() && shape->empty())
      throw Error("neither `shape`, [rows, ...], nor `like` is given, but one must be");
    const Shape wanted = like.wired() ? like.shape() : Shape(*shape);
    if (wanted.rank() < 1) throw Error("`like` is one number, but must be [batch, ...]");
    return wanted;
  }
};

// An integer in [0, n) from 64 random bits: the first 32 and the rest.
inline int32_t below(uint64_t n, uint32_t high, uint32_t low) {
  return static_cast<int32_t>((high * n + (low * n >> 32)) >> 32);
}

}  // namespace weft
