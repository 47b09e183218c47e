#include "framework/plugin/probe.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <new>
#include <optional>
#include <thread>

#include "framework/node/error.h"

namespace weft {
namespace {

using Clock = std::chrono::steady_clock;

// What the child tells its parent, in memory that they share.
class Note {
 public:
  Note()
      : page_(mmap(nullptr, sizeof(Page), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
                   0)) {
    if (page_ == MAP_FAILED) throw std::bad_alloc();
  }
  ~Note() { munmap(page_, sizeof(Page)); }
  Note(const Note&) = delete;

  enum class End : int { none, done, threw };
  void stage(const std::string& text) { write(page().stage, text); }
  void done(const std::string& text) { write(page().sentence, text), page().end = End::done; }
  void threw(const std::string& text) { write(page().sentence, text), page().end = End::threw; }

  End end() const { return page().end; }
  std::string stage() const { return read(page().stage); }
  std::string sentence() const { return read(page().sentence); }

 private:
  struct Page {
    End end;
    char stage[256];
    char sentence[16384];
  };
  Page& page() const { return *static_cast<Page*>(page_); }

  template <size_t N>
  static void write(char (&to)[N], const std::string& text) {
    to[text.copy(to, N - 1)] = '\0';
  }
  template <size_t N>
  static std::string read(const char (&from)[N]) {
    return {from, strnlen(from, N)};
  }

  void* page_;
};

// Notes the exception that is being handled and ends the child: exceptions cannot pass through
// dlopen(), which is declared not to throw.
void note_exception_and_exit(Note& note, const std::string& subject) {
  const std::string told = subject + " throws " + note.stage();
  try {
    if (const auto thrown = std::current_exception()) std::rethrow_exception(thrown);
    return;
  } catch (const std::exception& error) {
    note.threw(told + ": " + error.what());
  } catch (...) {
    note.threw(told);
  }
  _exit(0);
}

[[noreturn]] void be_child(Note& note, const std::string& subject,
                           const std::function<std::string(const Stage&)>& work) {
  static Note* const shared = &note;
  static const std::string* const name = &subject;
  std::set_terminate([] {
    note_exception_and_exit(*shared, *name);
    std::abort();
  });
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  const rlimit no_core{0, 0};
  setrlimit(RLIMIT_CORE, &no_core);
  const int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);  // the child prints nothing
  dup2(nowhere, STDOUT_FILENO);
  dup2(nowhere, STDERR_FILENO);
  try {
    note.done(work([&note](const std::string& text) { note.stage(text); }));
  } catch (const Error& error) {
    note.threw(error.what());
  } catch (...) {
    note_exception_and_exit(note, subject);
  }
  _exit(0);
}

// The child's wait status, or nothing if it had to be killed.
std::optional<int> wait_for(pid_t child, std::chrono::milliseconds patience) {
  const Clock::time_point deadline = Clock::now() + patience;
  int status = 0;
  while (waitpid(child, &status, WNOHANG) == 0) {
    if (Clock::now() > deadline) {
      kill(child, SIGKILL);
      while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
      }
      return std::nullopt;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return status;
}

std::string fate(std::optional<int> status, std::chrono::milliseconds patience) {
  if (!status) return "hangs (" + std::to_string(patience.count()) + " ms were not enough)";
  if (WIFSIGNALED(*status)) return std::string("crashes (") + strsignal(WTERMSIG(*status)) + ")";
  return "ends the process (exit code " + std::to_string(WEXITSTATUS(*status)) + ")";
}

}  // namespace

std::string probe(const std::string& subject, const std::function<std::string(const Stage&)>& work,
                  std::chrono::milliseconds patience) {
  Note note;
  const pid_t child = fork();
  if (child < 0)
    throw Error(Exit::resources,
                subject + " cannot be tried in a process of its own: " + strerror(errno));
  if (child == 0) be_child(note, subject, work);
  const std::optional<int> status = wait_for(child, patience);
  if (note.end() == Note::End::done) return note.sentence();
  if (note.end() == Note::End::threw) throw Error(Exit::plugin, note.sentence());
  throw Error(Exit::plugin, subject + " " + fate(status, patience) + " " + note.stage());
}

}  // namespace weft
