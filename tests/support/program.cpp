#include "tests/support/program.h"

#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstring>
#include <stdexcept>
#include <thread>

namespace weft::tests {

namespace {
std::vector<char*> pointers(const std::vector<std::string>& strings) {
  std::vector<char*> all;
  for (const std::string& string : strings) all.push_back(const_cast<char*>(string.c_str()));
  all.push_back(nullptr);
  return all;
}

std::vector<std::string> environment_with(const std::map<std::string, std::string>& more) {
  std::vector<std::string> all;
  for (char** entry = environ; *entry; ++entry) {
    const std::string text = *entry;
    if (!more.contains(text.substr(0, text.find('=')))) all.push_back(text);
  }
  for (const auto& [name, value] : more) all.push_back(name + "=" + value);
  return all;
}

std::string contents(std::FILE* file) {
  std::string text;
  char piece[4096];
  std::rewind(file);
  while (const size_t size = std::fread(piece, 1, sizeof piece, file)) text.append(piece, size);
  return text;
}
}  // namespace

Process::Process(const Command& command)
    : deadline_(seconds_now() + command.seconds),
      out_(std::tmpfile(), std::fclose),
      err_(std::tmpfile(), std::fclose) {
  if (!out_ || !err_) throw std::runtime_error("no temporary file");
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", 0, 0);
  posix_spawn_file_actions_adddup2(&actions, fileno(out_.get()), STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, fileno(err_.get()), STDERR_FILENO);
  posix_spawn_file_actions_addchdir_np(&actions, command.folder.c_str());
  const auto environment = environment_with(command.environment);
  const int error = ::posix_spawnp(&pid_, command.words.at(0).c_str(), &actions, nullptr,
                                   pointers(command.words).data(), pointers(environment).data());
  posix_spawn_file_actions_destroy(&actions);
  if (error) throw std::runtime_error(command.words[0] + ": " + std::strerror(error));
}

Process::~Process() {
  if (reaped_) return;
  signal(SIGKILL);
  reap(0);
}

bool Process::reap(int options) {
  int status = 0;
  rusage usage{};
  if (reaped_ || ::wait4(pid_, &status, options, &usage) != pid_) return reaped_;
  if (WIFEXITED(status)) ended_.exit = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) ended_.signal = WTERMSIG(status);
  ended_.peak_bytes = int64_t{usage.ru_maxrss} * 1024;
  ended_.out = contents(out_.get());
  ended_.err = contents(err_.get());
  return reaped_ = true;
}

bool Process::running() {
  return !reap(WNOHANG);
}

void Process::signal(int number) const {
  ::kill(pid_, number);
}

Ended Process::wait() {
  while (running()) {
    if (seconds_now() > deadline_) {
      ended_.timed_out = true;
      signal(SIGKILL);
      reap(0);
    }
    sleep_for(0.0005);
  }
  return ended_;
}

Ended run(const Command& command) {
  return Process(command).wait();
}

double seconds_now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

void sleep_for(double seconds) {
  std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
}

std::filesystem::path program(const std::string& name) {
  return std::filesystem::read_symlink("/proc/self/exe").parent_path() / name;
}

}  // namespace weft::tests
