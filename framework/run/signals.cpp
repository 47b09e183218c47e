#include "framework/run/signals.h"

#include <unistd.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <string>

#include "framework/node/error.h"
#include "framework/run/last_words.h"
#include "framework/run/tell.h"

namespace weft {

namespace {
std::atomic<bool> stop_asked = false, save = false, done = false;

sigset_t taken() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2}) sigaddset(&set, signal);
  return set;
}

[[noreturn]] void leave() {
  const std::string sentence = "ended at once: what came after the last checkpoint is lost";
  tell("weft: {}\n", sentence);
  LastWords::say(sentence);
  _exit(static_cast<int>(Exit::interrupted));
}

void wait_for_signals() {
  const sigset_t set = taken();
  using Clock = std::chrono::steady_clock;
  constexpr auto patience = std::chrono::seconds(5);
  Clock::time_point first;
  int interrupts = 0;
  for (int signal = 0; sigwait(&set, &signal) == 0 && !done;) {
    if (signal == SIGUSR2) {
      save = true;
      continue;
    }
    if (signal == SIGINT && ++interrupts == 2) leave();
    if (!stop_asked.exchange(true))
      first = Clock::now();
    else if (signal == SIGTERM && Clock::now() - first >= patience)
      leave();
  }
}
}  // namespace

Signals::Signals() {
  stop_asked = false, save = false, done = false;
  std::signal(SIGXFSZ, SIG_IGN);  // write() then fails at a limit of file size
  const sigset_t set = taken();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  thread_ = std::thread(wait_for_signals);
}

Signals::~Signals() {
  done = true;
  pthread_kill(thread_.native_handle(), SIGUSR2);
  thread_.join();
}

bool Signals::stop() {
  return stop_asked;
}

bool Signals::take_save() {
  return save.exchange(false);
}

}  // namespace weft
