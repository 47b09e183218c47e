// Trials of an optimizer.
#include "framework/node/optimizer.h"
#include "framework/trial/compare.h"
#include "framework/trial/trials.h"

namespace weft::trial {

namespace {

struct Descent {
  explicit Descent(uint64_t seed) : weight(Shape{7, 5}), grads(4, Array(Shape{7, 5})) {
    fill(weight, seed);
    for (size_t i = 0; i < grads.size(); ++i) fill(grads[i], seed + 1 + i);
  }
  Array weight;
  std::vector<Array> grads;
};

std::vector<Array> run(Attempt& attempt, const Descent& descent, int64_t blocks = 1) {
  return run_updates(attempt.kind, attempt.example().params, descent.weight, descent.grads, blocks,
                     attempt.stage);
}

std::string update(size_t i) {
  return "the weight after update " + std::to_string(i + 1);
}

}  // namespace

void updates(Attempt& attempt) {
  const auto after = run(attempt, Descent(attempt.seed));
  for (size_t i = 0; i < after.size(); ++i) attempt.expect(update(i), unfinished(after[i]));
}

void descends(Attempt& attempt) {
  const Descent descent(attempt.seed);
  const Array after = run(attempt, descent).front();
  for (size_t i = 0; i < after.floats.size(); ++i) {
    const float moved = after.floats[i] - descent.weight.floats[i],
                grad = descent.grads[0].floats[i];
    if (moved * grad < 0) continue;
    return attempt.fail("the first update moves a weight by " + number(static_cast<double>(moved)) +
                        at(after.shape, i) + ", where its gradient is " +
                        number(static_cast<double>(grad)) + ": it must go the other way");
  }
}

void blocks(Attempt& attempt) {
  const Descent descent(attempt.seed);
  const auto whole = run(attempt, descent);
  for (const int64_t count : {3, 7}) {
    const auto cut = run(attempt, descent, count);
    for (size_t i = 0; i < whole.size(); ++i) {
      const std::string complaint = difference(cut[i], whole[i]);
      attempt.expect(update(i), complaint.empty() ? ""
                                                  : complaint + ", once it is cut into " +
                                                        std::to_string(count) + " blocks");
    }
  }
}

// As after a resume: a new instance for each update, with the weight and the slots as they were.
void slots(Attempt& attempt) {
  const Descent descent(attempt.seed);
  const auto expected = run(attempt, descent);
  Descent resumed(attempt.seed);
  std::vector<std::vector<float>> slots;
  for (size_t i = 0; i < expected.size(); ++i) {
    const auto node = attempt.make({attempt.example().params, {}});
    slots.resize(node->host().slots.size(), std::vector<float>(35, 0.0F));
    std::vector<float*> parts;
    parts.reserve(slots.size());
    for (auto& slot : slots) parts.push_back(slot.data());
    attempt.stage("in update()");
    dynamic_cast<const Optimizer&>(*node).update(
        {resumed.weight.shape, resumed.weight.floats.data(), resumed.grads[i].floats.data(), parts,
         static_cast<int64_t>(i) + 1});
    const std::string complaint = difference(resumed.weight, expected[i]);
    attempt.expect(update(i), complaint.empty()
                                  ? ""
                                  : complaint + ", once a new instance goes on with its slots");
  }
}

}  // namespace weft::trial
