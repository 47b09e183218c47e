// A measure: one number for a whole set of samples that is not a mean over them, such as a distance
// of distributions. `evaluate` reports it and calls begin(), forward() for each batch of a pass,
// and result().
#pragma once

#include "framework/node/node.h"

namespace weft {

class WEFT_API Measure : public Node {
 public:
  Out y{this, "y", "One number for the whole set, []."};

  virtual void begin() = 0;
  virtual double result() = 0;
  bool whole_batch() const final { return true; }
};

}  // namespace weft
