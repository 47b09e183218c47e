#include "framework/ranks/ranks.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <utility>

#include "framework/ranks/words.h"

namespace weft {

using namespace std::chrono_literals;

Ranks::Ranks(const std::function<std::unique_ptr<Wire>()>& make) {
  thread_ = std::thread([this, make] { carry(make); });
  {
    std::unique_lock lock(mutex_);
    wake_.wait(lock, [this] { return ready_; });
  }
  if (refused_) {
    thread_.join();
    std::rethrow_exception(refused_);
  }
}

Ranks::~Ranks() {
  leave();
}

void Ranks::leave() {
  {
    const std::scoped_lock lock(mutex_);
    leaving_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

Exit Ranks::together(const std::function<Exit()>& f) {
  try {
    meet_neighbours();
    return f();
  } catch (const Error& error) {
    fail(error);
  } catch (const std::bad_alloc&) {
    fail(Error(Exit::resources, "there is not enough memory: make `batch` or the layers smaller"));
  } catch (const std::exception& error) {
    fail(Error(Exit::internal, std::string("unexpected: ") + error.what()));
  }
  end();
}

void Ranks::end() {
  const Error why = *failure();
  if (rank_ == 0) {
    const std::string sentence = std::string(why.what()) + "\n";
    [[maybe_unused]] const auto written = ::write(STDERR_FILENO, sentence.data(), sentence.size());
  }
  leave();
  ::_exit(static_cast<int>(why.code()));
}

std::string Ranks::who(int64_t rank) const {
  const auto i = static_cast<size_t>(rank);
  return "rank " + std::to_string(rank) + " on " + hosts_[i];
}

Exchange& Ranks::add(Exchange exchange) {
  const std::scoped_lock lock(mutex_);
  exchange.tag = first_tag + static_cast<int>(exchanges_.size());
  return exchanges_.emplace_back(std::move(exchange));
}

void Ranks::ask(const Command& command) {
  {
    const std::scoped_lock lock(mutex_);
    commands_.push_back(command);
  }
  move();
}

void Ranks::move() {
  const std::unique_lock lock(wire_in_use_, std::try_to_lock);
  if (lock) work();
}

// One exchange, here and now.
void Ranks::run(std::vector<Piece> sends, std::vector<Piece> receives, int tag) {
  std::atomic<int> left = 2;
  Exchange once{std::move(sends), std::move(receives), [&] { --left; }, [&] { --left; }};
  once.tag = tag;
  receive(once), send(once);
  while (left > 0) move(), std::this_thread::yield();
  if (const auto why = failure()) throw Error(*why);
}

namespace {
// Calls f with memory that others may still write to when an exchange has failed: it then stays for
// the rest of the process, which is short.
template <class Memory, class F>
auto exchanged(F f) {
  auto memory = std::make_unique<Memory>();
  try {
    return f(*memory);
  } catch (...) {
    static_cast<void>(memory.release());
    throw;
  }
}
}  // namespace

std::vector<std::string> Ranks::all(const std::string& mine) {
  struct Said {
    std::vector<uint64_t> sizes;
    std::vector<std::string> texts;
  };
  const auto n = static_cast<size_t>(count_), own = static_cast<size_t>(rank_);
  const auto others = [&](auto data, auto bytes) {
    std::vector<Piece> pieces;
    for (size_t r = 0; r < n; ++r)
      if (r != own) pieces.push_back({static_cast<int64_t>(r), data(r), bytes(r)});
    return pieces;
  };
  const auto word = [](size_t) { return sizeof(uint64_t); };
  return exchanged<Said>([&](Said& said) {
    said.sizes.assign(n, mine.size());
    run(others([&](size_t) { return &said.sizes[own]; }, word),
        others([&](size_t r) { return &said.sizes[r]; }, word), size_tag);
    for (const uint64_t size : said.sizes) said.texts.emplace_back(size, ' ');
    said.texts[own] = mine;
    run(others([&](size_t) { return said.texts[own].data(); }, [&](size_t) { return mine.size(); }),
        others([&](size_t r) { return said.texts[r].data(); },
               [&](size_t r) { return said.texts[r].size(); }),
        text_tag);
    return said.texts;
  });
}

std::string Ranks::first(const std::string& mine) {
  struct Said {
    uint64_t size;
    std::string text;
  };
  return exchanged<Said>([&](Said& said) {
    said = {mine.size(), mine};
    spread(&said.size, sizeof said.size);
    said.text.resize(said.size);
    spread(said.text.data(), said.text.size());
    return said.text;
  });
}

void Ranks::spread(void* data, size_t bytes) {
  std::vector<Piece> sends, receives;
  for (int64_t r = 1; r < count_ && rank_ == 0; ++r) sends.push_back({r, data, bytes});
  if (rank_ > 0) receives.push_back({0, data, bytes});
  run(std::move(sends), std::move(receives), text_tag);
}

void Ranks::fail(const Error& error) {
  {
    const std::scoped_lock lock(mutex_);
    if (failure_) return;
    failure_.emplace(error);
  }
  wake_.notify_all();
}

std::optional<Error> Ranks::failure() const {
  const std::scoped_lock lock(mutex_);
  return failure_;
}

void Ranks::doing(std::function<std::string()> f) {
  const std::scoped_lock lock(asking_);
  doing_ = std::move(f);
}

std::vector<std::string> Ranks::others_doing() const {
  std::vector<std::string> silent, busy;
  const std::scoped_lock lock(mutex_);
  for (size_t r = 0; r < peers_.size(); ++r) {
    const Peer& peer = peers_[r];
    if (static_cast<int64_t>(r) == rank_) continue;
    const std::string text = who(static_cast<int64_t>(r)) + ": " +
                             (peer.doing.empty() ? "before its first step" : peer.doing);
    const auto since = Clock::now() - Clock::time_point(peer.heard.load());
    if (since > 2 * between_beats)
      silent.push_back(text + ", silent for " + std::to_string(since / 1s) + " s");
    else if (peer.doing.find(" in ") != std::string::npos)
      busy.push_back(text);
  }
  return silent.empty() ? busy : silent;
}

void Ranks::carry(const std::function<std::unique_ptr<Wire>()>& make) {
  try {
    wire_ = make();
    rank_ = wire_->rank(), count_ = wire_->count();
    engine_ = wire_->engine(), hosts_ = wire_->hosts();
    peers_.resize(static_cast<size_t>(count_));
    for (Peer& peer : peers_) {
      peer.heard = Clock::now().time_since_epoch();
      peer.in = std::make_unique<Word>(), peer.out = std::make_unique<Word>();
    }
    for (size_t r = 0; r < peers_.size(); ++r)
      if (static_cast<int64_t>(r) != rank_) listen(r);
    looked_ = Clock::now();
  } catch (...) {
    refused_ = std::current_exception();
  }
  const bool runs = !refused_;
  {
    const std::scoped_lock lock(mutex_);
    ready_ = true;
  }
  wake_.notify_all();
  if (runs) loop();
  wire_.reset();
}

// Others move messages as well: this thread sees to it that they move at all.
void Ranks::loop() {
  for (;;) {
    bool moving = false;
    {
      const std::scoped_lock lock(wire_in_use_);
      work(), live();
      if (left()) return;
      moving = !under_way_.empty();
    }
    std::unique_lock lock(mutex_);
    wake_.wait_for(lock, moving ? 2ms : 20ms, [&] { return leaving_; });
    if (leaving_) lock.unlock(), std::this_thread::sleep_for(1ms);
  }
}

// Begins what was asked for, and ends what has arrived. An engine that fails is a failure of this
// process.
void Ranks::work() {
  try {
    do {
      {
        const std::scoped_lock lock(mutex_);
        taken_.swap(commands_);
      }
      for (const Command& command : taken_) begin(command);
      taken_.clear();
      if (const auto why = failed_ ? std::nullopt : failure()) heard_failure(*why);
      if (failed_) say_what_is_owed();
    } while (poll());
  } catch (const Error& error) {
    heard_failure(error);
  }
}

void Ranks::begin(const Command& command) {
  Exchange& exchange = *command.exchange;
  int& count = command.sends ? exchange.sending : exchange.receiving;
  const auto ticket = reinterpret_cast<uint64_t>(&exchange) | (command.sends ? 1 : 0);
  if (!failed_)
    for (const Piece& piece : command.sends ? exchange.sends : exchange.receives)
      count += command.sends
                   ? wire_->send(piece.rank, exchange.tag, piece.data, piece.bytes, ticket)
                   : wire_->receive(piece.rank, exchange.tag, piece.data, piece.bytes, ticket);
  if (count == 0)
    command.sends ? exchange.sent() : exchange.received();
  else if (std::ranges::find(under_way_, &exchange) == under_way_.end())
    under_way_.push_back(&exchange);
}

bool Ranks::poll() {
  tickets_.clear();
  wire_->finished(tickets_);
  for (const uint64_t ticket : tickets_) {
    if (ticket & of_word) {
      const size_t peer = ticket >> 2;
      if (ticket & 1)
        peers_[peer].talking = false;
      else
        hear(peer);
      continue;
    }
    auto* const exchange = reinterpret_cast<Exchange*>(ticket & ~uint64_t{1});
    if (failed_) continue;  // it is over, and may be gone
    int& count = ticket & 1 ? exchange->sending : exchange->receiving;
    if (--count > 0) continue;
    if (exchange->sending == 0 && exchange->receiving == 0) std::erase(under_way_, exchange);
    ticket & 1 ? exchange->sent() : exchange->received();
  }
  return !tickets_.empty();
}

}  // namespace weft
