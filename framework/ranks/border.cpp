#include "framework/ranks/border.h"

#include <atomic>

namespace weft {

struct Border::Heard {
  std::atomic<int> left = 0;  // of what is received and sent
};

Border::Border(Ranks& ranks) : ranks_(ranks) {
  heard_ = std::make_shared<Heard>();
  theirs_.resize(static_cast<size_t>(ranks.count()));
  const auto over = [heard = heard_] { --heard->left; };
  Exchange exchange{.received = over, .sent = over};
  for (int64_t r = 0; r < ranks.count(); ++r) {
    if (r == ranks.rank()) continue;
    exchange.sends.push_back({r, &own_, sizeof own_});
    exchange.receives.push_back({r, &theirs_[static_cast<size_t>(r)], sizeof own_});
  }
  exchange_ = &ranks.add(std::move(exchange));
}

void Border::say(uint64_t asked) {
  own_ = asked;
  heard_->left = 2;
  ranks_.receive(*exchange_);
  ranks_.send(*exchange_);
}

uint64_t Border::hear() {
  while (heard_->left > 0) ranks_.move(), std::this_thread::yield();
  if (const auto why = ranks_.failure()) throw Error(*why);
  uint64_t all = own_;
  for (const uint64_t asked : theirs_) all |= asked;
  return all;
}

}  // namespace weft
