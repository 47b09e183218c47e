#include "framework/run/signals.h"

#include <unistd.h>

#include <array>
#include <atomic>
#include <csignal>

#include "framework/node/error.h"

namespace weft {

namespace {
std::atomic<int> stops = 0;
std::atomic<bool> save = false;
static_assert(std::atomic<int>::is_always_lock_free && std::atomic<bool>::is_always_lock_free);

constexpr std::array handled{SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2};
std::array<struct sigaction, handled.size()> before;

void note(int signal) {
  if (signal == SIGUSR2)
    save = true;
  else if (stops.fetch_add(1) > 0 && signal == SIGINT)
    _exit(static_cast<int>(Exit::interrupted));
}
}  // namespace

Signals::Signals() {
  stops = 0, save = false;
  struct sigaction action {};
  action.sa_handler = note;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  for (size_t i = 0; i < handled.size(); ++i) sigaction(handled[i], &action, &before[i]);
  std::signal(SIGXFSZ, SIG_IGN);  // a file that may not grow is an error of write()
}

Signals::~Signals() {
  for (size_t i = 0; i < handled.size(); ++i) sigaction(handled[i], &before[i], nullptr);
}

bool Signals::stop() {
  return stops > 0;
}

bool Signals::take_save() {
  return save.exchange(false);
}

}  // namespace weft
