// weft: trains, evaluates and generates with models written as YAML graphs.
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <iostream>
#include <optional>
#include <system_error>

#include "framework/cli/command_tree.h"
#include "framework/cli/typed.h"
#include "framework/run/last_words.h"
#include "framework/run/signals.h"
#include "framework/run/tell.h"

using namespace weft;

// Plugins call this one: the program stands before the C library for all that it loads. What is
// registered to run at exit does not run: other lanes may still compute.
extern "C" WEFT_API void exit(int status) noexcept {
  LastWords::refuse_exit();
  std::fflush(nullptr);
  ::_exit(status);
}

namespace {
// A descriptor that is closed would be given to the next file that is opened, and written into.
void fill_descriptors() {
  int fd = 0;
  while (fd >= 0 && fd <= STDERR_FILENO) fd = open("/dev/null", O_RDWR);
  if (fd >= 0) close(fd);
}

// Results that nobody got are no success. A reader that has seen enough needs no sentence.
int ended(Exit exit) {
  std::cout.flush();
  const bool written = std::fflush(stdout) == 0 && std::ferror(stdout) == 0 && std::cout.good();
  if (written || exit != Exit::done) return static_cast<int>(exit);
  if (errno != EPIPE) tell("weft: the results cannot be written: {}\n", std::strerror(errno));
  return static_cast<int>(Exit::resources);
}

Exit run(int argc, char** argv) {
  std::optional<Signals> signals;
  Exit exit = Exit::done;
  std::string typed;
  for (int i = 0; i < argc; ++i) typed += std::string(i ? " " : "") + argv[i];
  const auto app = cli::command_tree(exit, typed);
  try {
    if (argc > 1 && argv[1] == std::string_view("train")) signals.emplace();
    if (argc == 1) throw CLI::CallForHelp();
    cli::check_typed(*app, argv + 1);
    app->parse(argc, argv);
    return exit;
  } catch (const CLI::ParseError& error) {
    return app->exit(error) == 0 ? Exit::done : Exit::usage;
  } catch (const Error& error) {
    tell("{}\n", error.what());
    return error.code();
  } catch (const std::bad_alloc&) {
    tell("weft: there is not enough memory: make `batch` or the layers smaller\n");
    return Exit::resources;
  } catch (const std::system_error& error) {  // a thread, or the results
    if (error.code() != std::errc::broken_pipe)
      tell("weft: the system refuses: {}\n", error.what());
    return Exit::resources;
  } catch (const std::exception& error) {
    tell("weft: unexpected: {}\n", error.what());
    return Exit::internal;
  }
}
}  // namespace

int main(int argc, char** argv) {
  fill_descriptors();
  std::signal(SIGPIPE, SIG_IGN);  // a reader that is gone is an error of write()
  const LastWords last;
  const Crashes crashes;
  return ended(run(argc, argv));
}
