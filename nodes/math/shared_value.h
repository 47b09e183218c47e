// The base of nodes that give all samples the same.
#pragma once

#include <vector>

#include "framework/node/node.h"

namespace weft {

class SharedValue : public Node {
 protected:
  In like{this,
          "like",
          "[batch, ...]; gives the batch, its values are not read.",
          {.any = true, .grad = false, .optional = true}};

  // Shapes y as [1, *of_row], which all samples share; with `like`, as a copy for each.
  void shape(Out& y, const std::vector<int64_t>& of_row) {
    if (!like.wired()) y.share();
    std::vector<int64_t> dims{like.wired() ? like.rows() : 1};
    dims.insert(dims.end(), of_row.begin(), of_row.end());
    if (dims.size() > Shape::max_rank) throw Error("`shape` has at most 7 axes");
    y.shape(Shape(dims));
    like.forward_only();
  }
};

}  // namespace weft
