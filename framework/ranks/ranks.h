// The processes that share a training, and what they say to each other.
//
// Who asks for an exchange does not wait, but is called when it is over. Messages move when a
// thread asks after them: workers do so in passing, between two calls of nodes, and while they have
// nothing else to do; a thread of its own does now and then. It also tells the others every second
// that this process lives. If one fails, or says nothing for a while, all fail with its sentence:
// exchanges are then over at once, without their numbers.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "framework/ranks/wire.h"

namespace weft {

struct Piece {
  int64_t rank = 0;
  void* data = nullptr;
  size_t bytes = 0;
};

// What a process sends and receives at one point of a step, in every step. The functions are called
// by the thread that moves messages: when all has arrived, and when what was sent may be
// overwritten. They may begin no exchange.
struct Exchange {
  std::vector<Piece> sends, receives;
  std::function<void()> received, sent;

  // Of Ranks alone:
  int tag = 0;
  int receiving = 0, sending = 0;  // messages under way
};

class Ranks {
 public:
  // The processes that this one was started with, by mpirun or srun; null if it was started alone.
  static std::unique_ptr<Ranks> start();
  explicit Ranks(const std::function<std::unique_ptr<Wire>()>& make);
  ~Ranks();  // waits for the others to end as well

  int64_t rank() const { return rank_; }
  int64_t count() const { return count_; }
  const std::string& engine() const { return engine_; }
  const std::vector<std::string>& hosts() const { return hosts_; }  // by rank
  std::string who(int64_t rank) const;                              // "rank 3 on b2"

  // Every process adds the same exchanges in the same order, and begins them in any. One that is
  // under way does not begin again.
  Exchange& add(Exchange exchange);
  void send(Exchange& exchange) { ask({&exchange, true}); }
  void receive(Exchange& exchange) { ask({&exchange, false}); }
  // Moves messages, unless another thread does so just now.
  void move();

  // What each process says; waits for all. Throws the failure if there is one.
  std::vector<std::string> all(const std::string& mine);
  // What the first says.
  std::string first(const std::string& mine);
  // Copies memory of the first to the others; waits for it.
  void spread(void* data, size_t bytes);
  // One exchange, here and now.
  void exchange(std::vector<Piece> sends, std::vector<Piece> receives) {
    run(std::move(sends), std::move(receives), text_tag);
  }

  // Tells all processes that this one failed. The first failure that a process hears of is kept.
  void fail(const Error& error);
  std::optional<Error> failure() const;
  // Runs what all processes do. If it throws, all fail, and the process ends here, once the others
  // have heard of it: they may still read and write its memory. The first process says why.
  Exit together(const std::function<Exit()>& f);

  // What this process does just now, for others who wait for it; any thread may be asked.
  void doing(std::function<std::string()> f);
  std::vector<std::string> others_doing() const;  // "rank 3 on b2: step 17, in h"

 private:
  using Clock = std::chrono::steady_clock;
  static constexpr int word_tag = 1, size_tag = 2, text_tag = 3, first_tag = 8;
  struct Word;  // words.h
  struct Peer {
    std::atomic<Clock::duration> heard = {};  // since the clock's begin
    bool gone = false;                        // it has said that it ends, or has ended
    bool dead = false;                        // it has ended without a word
    pid_t process = 0;                        // on this host; else 0
    std::string doing;
    std::unique_ptr<Word> in, out;
    bool talking = false;                         // is a word under way to it?
    bool owed_failure = false, owed_bye = false;  // is that still to be said to it?
  };
  struct Command {
    Exchange* exchange;
    bool sends;
  };

  void ask(const Command& command);
  void carry(const std::function<std::unique_ptr<Wire>()>& make);
  void loop();
  void work();
  void begin(const Command& command);
  bool poll();
  void listen(size_t peer);
  void hear(size_t peer);
  void say(size_t peer, int kind);
  void say_what_is_owed();
  bool left();
  void live();
  void look_at_neighbours();
  void meet_neighbours();
  void heard_failure(const Error& error);
  void run(std::vector<Piece> sends, std::vector<Piece> receives, int tag);
  void leave();
  [[noreturn]] void end();

  int64_t rank_ = 0, count_ = 1;
  std::string engine_;
  std::vector<std::string> hosts_;
  std::deque<Exchange> exchanges_;

  mutable std::mutex mutex_;
  std::mutex asking_;  // held while doing_ is asked or set
  std::condition_variable wake_;
  std::vector<Command> commands_;
  std::optional<Error> failure_;
  std::function<std::string()> doing_;
  bool leaving_ = false, ready_ = false;
  std::exception_ptr refused_;  // why the engine did not start

  std::mutex wire_in_use_;  // all below is of the thread that holds it
  std::unique_ptr<Wire> wire_;
  std::deque<Peer> peers_;
  std::vector<Command> taken_;
  std::vector<uint64_t> tickets_;
  std::vector<Exchange*> under_way_;
  bool failed_ = false, leaves_now_ = false;
  Clock::time_point beat_{}, glanced_{}, looked_{}, leaves_{};

  std::thread thread_;
};

}  // namespace weft
