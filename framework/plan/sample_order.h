// The order of a source's samples. It is a function of (seed, epoch), so a run can resume anywhere.
#pragma once

#include <cstdint>

#include "framework/node/source.h"

namespace weft {

class SampleOrder {
 public:
  explicit SampleOrder(const Source& source);

  int64_t batches() const;           // batches in one epoch
  int64_t rows(int64_t step) const;  // samples in the batch of a step
  // The sample at a row of a step's batch. The section's data ends with its epoch; a source among
  // the nodes is `endless`: it starts again within a batch.
  int64_t sample(int64_t step, int64_t row, bool endless) const;

 private:
  int64_t samples_, batch_;
  bool shuffle_, drop_last_;
  uint64_t key_;
};

}  // namespace weft
