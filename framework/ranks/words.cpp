#include "framework/ranks/words.h"

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <utility>

namespace weft {

namespace {
using namespace std::chrono_literals;
constexpr auto between_glances = 250ms;
constexpr auto patience = 8s;       // with a process that says nothing
constexpr auto last_patience = 3s;  // with processes that have yet to hear of a failure

// Is there such a process, and no ended one whose parent has yet to see it?
bool runs(pid_t process) {
  std::ifstream in("/proc/" + std::to_string(process) + "/stat");
  std::string stat;
  std::getline(in, stat);
  const size_t name = stat.rfind(')');
  return name != std::string::npos && stat.find_first_of("ZX", name) != name + 2;
}
}  // namespace

// Processes of this host, in which a process has one number for all, can be seen to end.
void Ranks::meet_neighbours() {
  std::error_code unknown;
  const std::string numbers = std::filesystem::read_symlink("/proc/self/ns/pid", unknown);
  const std::vector<std::string> all = this->all(std::to_string(::getpid()) + " " + numbers);
  const std::scoped_lock lock(mutex_);
  for (size_t r = 0; r < all.size() && !unknown; ++r)
    if (static_cast<int64_t>(r) != rank_ && hosts_[r] == hosts_[static_cast<size_t>(rank_)] &&
        all[r].substr(all[r].find(' ') + 1) == numbers)
      peers_[r].process = std::stoi(all[r]);
}

void Ranks::listen(size_t peer) {
  wire_->receive(static_cast<int64_t>(peer), word_tag, peers_[peer].in.get(), sizeof(Word),
                 uint64_t{peer} << 2 | of_word);
}

void Ranks::hear(size_t p) {
  Peer& peer = peers_[p];
  const Word& word = *peer.in;
  const std::string text(word.text.data());
  peer.heard = Clock::now().time_since_epoch();
  if (word.kind == Word::beat) {
    const std::scoped_lock lock(mutex_);
    peer.doing = text;
  }
  if (word.kind == Word::failed)
    heard_failure(Error(static_cast<Exit>(word.code), who(static_cast<int64_t>(p)) + ": " + text));
  if (word.kind == Word::bye)
    peer.gone = true;
  else
    listen(p);
}

void Ranks::say(size_t p, int kind) {
  Peer& peer = peers_[p];
  Word& word = *peer.out;
  word.kind = kind;
  if (kind == Word::failed) {
    const auto why = failure();
    word.code = static_cast<int32_t>(why->code());
    word.write(why->what());
  } else {
    const std::scoped_lock lock(asking_);
    word.write(doing_ ? doing_() : "");
  }
  peer.talking = true;
  wire_->tell(static_cast<int64_t>(p), word_tag, &word, sizeof word,
              uint64_t{p} << 2 | of_word | 1);
}

// One word after the other: of a failure, then of the end.
void Ranks::say_what_is_owed() {
  for (size_t r = 0; r < peers_.size(); ++r) {
    Peer& peer = peers_[r];
    if (static_cast<int64_t>(r) == rank_ || peer.talking || peer.dead) continue;
    if (std::exchange(peer.owed_failure, false) && !peer.gone)
      say(r, Word::failed);
    else if (std::exchange(peer.owed_bye, false))
      say(r, Word::bye);
  }
}

// Says that this process lives, and looks whether the others do. What stopped this process, such as
// a signal, is not held against them.
void Ranks::live() {
  const auto now = Clock::now();
  if (now - looked_ > between_beats)
    for (Peer& peer : peers_) peer.heard = peer.heard.load() + (now - looked_);
  looked_ = now;
  if (now - glanced_ > between_glances) glanced_ = now, look_at_neighbours();
  if (now - beat_ < between_beats) return;
  beat_ = now;
  for (size_t r = 0; r < peers_.size() && !failed_; ++r) {
    Peer& peer = peers_[r];
    if (static_cast<int64_t>(r) == rank_ || peer.gone) continue;
    if (!peer.talking && !leaves_now_) say(r, Word::beat);  // a bye is the last word
    if (now - Clock::time_point(peer.heard.load()) < patience) continue;
    fail(Error(Exit::resources, who(static_cast<int64_t>(r)) + " has said nothing for " +
                                    std::to_string(std::chrono::seconds(patience).count()) +
                                    " s: it has ended, is stopped, or its host is cut off"));
  }
}

void Ranks::look_at_neighbours() {
  const std::scoped_lock lock(mutex_);
  for (size_t r = 0; r < peers_.size() && !failure_; ++r) {
    Peer& peer = peers_[r];
    if (peer.gone || peer.process == 0 || runs(peer.process)) continue;
    peer.gone = peer.dead = true;
    failure_.emplace(Exit::resources, who(static_cast<int64_t>(r)) +
                                          " has ended without a word: it crashed or was killed");
  }
}

// Tells the others of a failure of this process; then all exchanges are over.
void Ranks::heard_failure(const Error& error) {
  if (std::exchange(failed_, true)) return;
  bool own = true;
  {
    const std::scoped_lock lock(mutex_);
    own = failure_.has_value();
    if (!own) failure_.emplace(error);
  }
  for (Peer& peer : peers_) peer.owed_failure = own;
  for (Exchange* exchange : std::exchange(under_way_, {})) {
    const bool receiving = std::exchange(exchange->receiving, 0) > 0;
    const bool sending = std::exchange(exchange->sending, 0) > 0;
    if (receiving) exchange->received();
    if (sending) exchange->sent();  // only then may it be gone
  }
}

// Has every process said that it ends? Says so first, when this one is to end.
bool Ranks::left() {
  {
    const std::scoped_lock lock(mutex_);
    if (!leaving_ || (failure_ && !failed_)) return false;  // of a failure first
  }
  if (!std::exchange(leaves_now_, true)) {
    leaves_ = Clock::now();
    for (Peer& peer : peers_) peer.owed_bye = true;
  }
  say_what_is_owed();
  const bool all = std::ranges::all_of(peers_, [&](const Peer& peer) {
    return &peer == &peers_[static_cast<size_t>(rank_)] || peer.dead ||
           (peer.gone && !peer.talking && !peer.owed_bye);
  });
  if (!all && failed_ && Clock::now() - leaves_ > last_patience) {
    const std::string sentence = "weft: " + who(rank_) + ": " + failure()->what() + "\n";
    [[maybe_unused]] const auto written = ::write(STDERR_FILENO, sentence.data(), sentence.size());
    wire_->abort(static_cast<int>(failure()->code()));
    return true;
  }
  return all;
}

}  // namespace weft
