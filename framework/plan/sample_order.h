// The order of a source's samples: a function of (seed, epoch), so that it can be resumed anywhere.
#pragma once

#include <cstdint>

#include "framework/node/source.h"

namespace weft {

class SampleOrder {
 public:
  explicit SampleOrder(const Source& source);

  int64_t batches() const;           // in one epoch
  int64_t rows(int64_t step) const;  // samples in the batch of a step
  // The sample in a row of a step's batch, as the section's data ends with its epoch; or `endless`,
  // as a source among the nodes starts again within a batch.
  int64_t sample(int64_t step, int64_t row, bool endless) const;

 private:
  int64_t samples_, batch_;
  bool shuffle_, drop_last_;
  uint64_t key_;
};

}  // namespace weft
