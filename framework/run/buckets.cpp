#include "framework/run/buckets.h"

#include <algorithm>

#include "framework/run/gradients.h"

namespace weft {

namespace {
constexpr int64_t most_numbers = 128 << 10;  // of a bucket: 512 KiB
constexpr int64_t least_numbers = 16 << 10;

int64_t numbers_of(const Plan& plan, const PlanLearn& learn, size_t block) {
  int64_t numbers = 0;
  for (const WeightId w : learn.learned)
    numbers += extent(plan, w, learn.blocks[block]).size() * plan.weights[w].shape.row_elements();
  return numbers;
}

// Gives each process about as much of the bucket, in one piece.
void choose_owners(const Plan& plan, const PlanPhase& phase, Bucket& bucket) {
  int64_t all = 0, before = 0;
  for (const auto& [learn, block] : bucket.blocks)
    all += numbers_of(plan, phase.learns[learn], block);
  for (const auto& [learn, block] : bucket.blocks) {
    const int64_t own = numbers_of(plan, phase.learns[learn], block);
    const int64_t middle = before + own / 2;
    bucket.owners.push_back(
        std::min(middle * plan.rank.count / std::max<int64_t>(all, 1), plan.rank.count - 1));
    before += own;
  }
}

void add_runs(const Plan& plan, const PlanPhase& phase, Bucket& bucket) {
  for (size_t i = 0; i < bucket.blocks.size(); ++i) {
    const auto [l, block] = bucket.blocks[i];
    const PlanLearn& learn = phase.learns[l];
    for (size_t w = 0; w < learn.learned.size(); ++w) {
      const auto b = static_cast<int64_t>(block);
      const Range rows = extent(plan, learn.learned[w], learn.blocks[block]);
      const auto last = std::ranges::find_if(bucket.runs, [&](const BlockRun& run) {
        return run.learn == l && run.weight == w && run.owner == bucket.owners[i] &&
               run.blocks.end == b;
      });
      if (last == bucket.runs.end())
        bucket.runs.push_back({l, w, {b, b + 1}, rows, bucket.owners[i]});
      else
        last->blocks.end = b + 1, last->rows.end = rows.end;
    }
  }
}
}  // namespace

// The chain rule comes to the last layer first. Nothing is left to compute behind the last bucket:
// towards the end they get smaller.
std::vector<Bucket> buckets_of(const Plan& plan, const PlanPhase& phase) {
  int64_t left = 0, room = 0;
  for (const PlanLearn& learn : phase.learns)
    for (size_t block = 0; block < learn.blocks.size(); ++block)
      left += numbers_of(plan, learn, block);
  std::vector<Bucket> all;
  for (size_t l = phase.learns.size(); l-- > 0;)
    for (size_t block = 0; block < phase.learns[l].blocks.size(); ++block) {
      if (room <= 0) {
        all.emplace_back();
        room = std::clamp(left / 2, least_numbers, most_numbers);
      }
      all.back().blocks.emplace_back(l, block);
      const int64_t numbers = numbers_of(plan, phase.learns[l], block);
      room -= numbers, left -= numbers;
    }
  for (Bucket& bucket : all) {
    choose_owners(plan, phase, bucket);
    add_runs(plan, phase, bucket);
  }
  return all;
}

}  // namespace weft
