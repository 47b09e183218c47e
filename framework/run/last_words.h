// What is still done when a node ends the process by exit() or by a crash, so that a failure does
// not look like success or like nothing.
#pragma once

#include <sys/types.h>

#include <functional>
#include <string>

namespace weft {

// While one lives, its function is called with a sentence about what happened before the process
// ends so. One is made inside another; the newest is called first. The thread that calls is none
// that runs nodes, or runs what called exit().
class LastWords {
 public:
  using Say = std::function<void(const std::string&)>;
  explicit LastWords(Say say = {});
  ~LastWords();
  LastWords(const LastWords&) = delete;

  // Calls them all. False where none lives, or in a child of their process.
  static bool say(const std::string& sentence);
  // The program's exit() calls it first: ends the process with Exit::plugin, unless none lives.
  static void refuse_exit();

 private:
  Say say_;
  LastWords* outer_;
  pid_t process_;
};

// While it lives, a crash (SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT) is told with the node that
// ran, to stderr and as last words; then the process ends by the signal, as it would have.
class Crashes {
 public:
  Crashes();
  ~Crashes();
  Crashes(const Crashes&) = delete;

  // Gives this thread a stack for the report: its own may be what crashed.
  static void prepare_thread();
};

}  // namespace weft
