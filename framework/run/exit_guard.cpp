#include "framework/run/exit_guard.h"

#include <fmt/core.h>
#include <unistd.h>

#include <atomic>

#include "framework/node/error.h"
#include "framework/run/tell.h"

namespace weft {

namespace {
std::atomic<ExitGuard*> newest{nullptr};
std::atomic<bool> ending{false};
}  // namespace

ExitGuard::ExitGuard(Last last) : last_(std::move(last)), outer_(newest), process_(::getpid()) {
  newest = this;
}

ExitGuard::~ExitGuard() {
  newest = outer_;
}

void ExitGuard::refuse_exit() {
  ExitGuard* guard = newest;
  if (!guard || guard->process_ != ::getpid()) return;
  while (ending.exchange(true)) ::pause();  // a node in another lane was first
  const std::string sentence = "a node or a library that it uses ended the process by exit()";
  tell("weft: {}\n", sentence);
  for (; guard; guard = guard->outer_) try {
      if (guard->last_) guard->last_(sentence);
    } catch (...) {  // the process ends all the same
    }
  ::_exit(static_cast<int>(Exit::plugin));
}

}  // namespace weft
