#include "framework/run/last_words.h"

#include <semaphore.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <csignal>
#include <cstring>
#include <ctime>
#include <memory>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

#include "framework/node/running.h"
#include "framework/run/tell.h"

namespace weft {

namespace {
std::mutex saying;  // held while an object comes, goes or speaks
LastWords* newest = nullptr;
std::atomic<bool> ending{false};

constexpr std::array crashes{SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
constexpr size_t stack_size = 64 << 10;

// A thread that waits for a crash of another, since a signal handler may do next to nothing.
struct Scribe {
  sem_t crashed{};
  std::array<char, 512> sentence{};
  std::atomic<bool> done = false, written = false;
  std::atomic<pid_t> process = 0;
  std::thread thread;
} scribe;

const char* name_of(int signal) {
  switch (signal) {
    case SIGSEGV: return "segmentation fault";
    case SIGBUS: return "bus error";
    case SIGFPE: return "arithmetic fault";
    case SIGILL: return "illegal instruction";
    default: return "abort";
  }
}

// Builds text in a fixed array, by calls that a signal handler may make.
class Line {
 public:
  explicit Line(std::array<char, 512>& to) : to_(to) { to_.fill('\0'); }
  Line& operator<<(const char* text) {
    for (; *text && size_ + 1 < to_.size(); ++text) to_[size_++] = *text;
    return *this;
  }
  Line& operator<<(int64_t number) {
    std::array<char, 24> digits{};
    size_t at = digits.size() - 1;
    do digits[--at] = static_cast<char>('0' + number % 10);
    while (number /= 10);
    return *this << digits.data() + at;
  }

 private:
  std::array<char, 512>& to_;
  size_t size_ = 0;
};

void describe(int signal, bool null, Line& line) {
  const Running* const now = Running::here();
  if (!now) {
    line << "weft crashed outside of any node";
  } else {
    line << now->node << " (" << now->kind << ")";
    if (now->step >= 0) line << ", step " << now->step;
    line << ", " << now->call << ": crashed";
  }
  line << " (" << name_of(signal) << (null ? " at a null pointer)" : ")");
}

void on_crash(int signal, siginfo_t* info, void*) {
  thread_local bool telling = false;
  if (!std::exchange(telling, true) && scribe.process == ::getpid()) {
    while (ending.exchange(true)) ::pause();  // another thread is reporting
    Line line(scribe.sentence);
    constexpr uintptr_t near = 1 << 20;  // an index from null
    describe(signal, signal == SIGSEGV && reinterpret_cast<uintptr_t>(info->si_addr) < near, line);
    for (const char* part : {"weft: ", static_cast<const char*>(scribe.sentence.data()), "\n"})
      if (::write(STDERR_FILENO, part, std::strlen(part)) < 0) break;
    sem_post(&scribe.crashed);
    const timespec pause{0, 10'000'000};
    for (int i = 0; i < 200 && !scribe.written; ++i) ::nanosleep(&pause, nullptr);
  }
  std::signal(signal, SIG_DFL);
  ::raise(signal);
}

void write_of_crashes() {
  while (sem_wait(&scribe.crashed) != 0) continue;
  if (!scribe.done) LastWords::say(scribe.sentence.data());
  scribe.written = true;
}
}  // namespace

LastWords::LastWords(Say say) : say_(std::move(say)), process_(::getpid()) {
  const std::scoped_lock lock(saying);
  outer_ = std::exchange(newest, this);
}

LastWords::~LastWords() {
  const std::scoped_lock lock(saying);
  newest = outer_;
}

void LastWords::say(const std::string& sentence) {
  const std::scoped_lock lock(saying);
  if (!newest || newest->process_ != ::getpid()) return;
  for (const LastWords* last = newest; last; last = last->outer_) try {
      if (last->say_) last->say_(sentence);
    } catch (...) {  // the process ends anyway
    }
}

void LastWords::refuse_exit() {
  {
    const std::scoped_lock lock(saying);
    if (!newest || newest->process_ != ::getpid()) return;
  }
  while (ending.exchange(true)) ::pause();  // another thread is reporting
  const Running* const now = Running::here();
  const std::string sentence = now ? std::string(now->node) + " (" + now->kind + "), " + now->call +
                                         ": ended the process by exit()"
                                   : "a node or a library that it uses ended the process by exit()";
  tell("weft: {}\n", sentence);
  say(sentence);
  ::_exit(static_cast<int>(Exit::plugin));
}

Crashes::Crashes() {
  sem_init(&scribe.crashed, 0, 0);
  scribe.done = scribe.written = false;
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);  // the scribe takes no other signals
  try {
    scribe.thread = std::thread(write_of_crashes);
  } catch (const std::system_error&) {  // crashes are then reported on stderr only
    scribe.written = true;
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  scribe.process = ::getpid();
  prepare_thread();
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)  // they report crashes, too
  struct sigaction action {};
  action.sa_sigaction = on_crash;
  action.sa_flags = SA_ONSTACK | SA_NODEFER | SA_SIGINFO;
  for (const int signal : crashes) ::sigaction(signal, &action, nullptr);
#endif
}

Crashes::~Crashes() {
  for (const int signal : crashes) std::signal(signal, SIG_DFL);
  scribe.done = true;
  sem_post(&scribe.crashed);
  if (scribe.thread.joinable()) scribe.thread.join();
}

void Crashes::prepare_thread() {
  thread_local std::unique_ptr<char[]> stack;
  if (stack) return;
  static_cast<void>(Running::here());
  stack = std::make_unique<char[]>(stack_size);
  const stack_t given{.ss_sp = stack.get(), .ss_flags = 0, .ss_size = stack_size};
  ::sigaltstack(&given, nullptr);
}

}  // namespace weft
