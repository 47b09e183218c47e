#include "framework/plan/sample_order.h"

#include <algorithm>

#include "framework/node/host.h"

namespace weft {

SampleOrder::SampleOrder(const Source& source)
    : samples_(source.samples()),
      batch_(*source.batch),
      shuffle_(*source.shuffle),
      drop_last_(*source.drop_last),
      key_(source.host().setting.random_key) {}

int64_t SampleOrder::batches() const {
  return drop_last_ ? samples_ / batch_ : (samples_ + batch_ - 1) / batch_;
}

int64_t SampleOrder::rows(int64_t step) const {
  return std::min(batch_, samples_ - step % batches() * batch_);
}

int64_t SampleOrder::sample(int64_t step, int64_t row, bool endless) const {
  const int64_t number = endless ? step * batch_ + row : step % batches() * batch_ + row;
  const int64_t place = endless ? number % samples_ : number;
  const int64_t epoch = endless ? number / samples_ : step / batches();
  if (!shuffle_) return place;
  return static_cast<int64_t>(permuted(static_cast<uint64_t>(place),
                                       static_cast<uint64_t>(samples_), key_,
                                       static_cast<uint64_t>(epoch)));
}

}  // namespace weft
