// How the gradients of a phase travel between processes: in buckets, which are sent as soon as all
// of their blocks are learned, while earlier layers still compute. Each block of weights has an
// owner, which adds up its gradient, updates the weights and sends them to all.
#pragma once

#include <vector>

#include "framework/plan/plan.h"

namespace weft {

// Consecutive blocks of a weight that one process owns: rows that lie one behind another.
struct BlockRun {
  size_t learn = 0;    // of the phase's
  size_t weight = 0;   // of those that it learns
  Range blocks, rows;  // of the weight
  int64_t owner = 0;
};

struct Bucket {
  std::vector<BlockRun> runs;
  std::vector<std::pair<size_t, size_t>> blocks;  // learn and block, in the order of backward
  std::vector<int64_t> owners;                    // of the blocks
};

// The buckets in the order in which they are full. They are the same in every process.
std::vector<Bucket> buckets_of(const Plan& plan, const PlanPhase& phase);

}  // namespace weft
