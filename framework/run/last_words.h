// What is still done when a node ends the process by exit() or by a crash, so that the failure is
// recorded and does not look like a success.
#pragma once

#include <sys/types.h>

#include <functional>
#include <string>

namespace weft {

// While an object lives, its function is called with a sentence about what happened before the
// process ends in this way. Objects are nested; the newest is called first. The calling thread is
// one that runs no nodes, or the one that called exit().
class LastWords {
 public:
  using Say = std::function<void(const std::string&)>;
  explicit LastWords(Say say = {});
  ~LastWords();
  LastWords(const LastWords&) = delete;

  // Calls the functions of all objects; in a child process, none.
  static void say(const std::string& sentence);
  // Called first by the program's exit(): ends the process with Exit::plugin if an object lives.
  static void refuse_exit();

 private:
  Say say_;
  LastWords* outer_ = nullptr;
  pid_t process_;
};

// While it lives, a crash (SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT) is reported with the node that
// ran, on stderr and as last words; then the signal ends the process, as it would have.
class Crashes {
 public:
  Crashes();
  ~Crashes();
  Crashes(const Crashes&) = delete;

  // Gives this thread a stack for the report: its own may be what crashed.
  static void prepare_thread();
};

}  // namespace weft
