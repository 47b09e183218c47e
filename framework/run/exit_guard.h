// A plugin that calls exit() must not make a failure look like success.
#pragma once

#include <sys/types.h>

#include <functional>
#include <string>

namespace weft {

// While one lives, refuse_exit() says what happened, calls `last` of every guard with that
// sentence, the newest first, and ends the process with Exit::plugin. One is made inside another.
class ExitGuard {
 public:
  using Last = std::function<void(const std::string&)>;
  explicit ExitGuard(Last last = {});
  ~ExitGuard();
  ExitGuard(const ExitGuard&) = delete;

  // The program's exit() calls it first. Returns where no guard lives, or in a child of its
  // process.
  static void refuse_exit();

 private:
  Last last_;
  ExitGuard* outer_;
  pid_t process_;
};

}  // namespace weft
