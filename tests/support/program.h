// Programs that a test runs: their output, exit code and memory; signals to them.
#pragma once

#include <sys/types.h>

#include <cstdio>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace weft::tests {

struct Command {
  std::vector<std::string> words;  // the program's path first
  std::filesystem::path folder = ".";
  std::map<std::string, std::string> environment;  // added to the test's
  double seconds = 60;                             // then it is killed
};

struct Ended {
  int exit = -1;           // the exit code, or -1
  int signal = 0;          // that ended it, or 0
  bool timed_out = false;  // `seconds` passed
  int64_t peak_bytes = 0;  // resident, at the most
  std::string out, err;
};

class Process {
 public:
  explicit Process(const Command& command);  // starts it
  ~Process();                                // kills it if it still runs
  Process(const Process&) = delete;

  bool running();
  void signal(int number) const;  // only before it was seen to have ended
  Ended wait();                   // for its end

 private:
  using File = std::unique_ptr<std::FILE, int (*)(std::FILE*)>;
  bool reap(int options);

  pid_t pid_ = -1;
  double deadline_;
  bool reaped_ = false;
  File out_, err_;
  Ended ended_;
};

Ended run(const Command& command);
double seconds_now();
void sleep_for(double seconds);

// A program that stands beside the test's own.
std::filesystem::path program(const std::string& name);

}  // namespace weft::tests
