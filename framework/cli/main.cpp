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

// The exit() that plugins call, since the program stands before the C library in the order of
// look-up. Functions registered by atexit() do not run: other lanes may still compute.
extern "C" WEFT_API void exit(int status) noexcept {
  LastWords::refuse_exit();
  std::fflush(nullptr);
  ::_exit(status);
}

namespace {
// Opens /dev/null in place of standard streams that are closed: otherwise the next file to be
// opened would take their place, and messages would be written into it.
void fill_descriptors() {
  int fd = 0;
  while (fd >= 0 && fd <= STDERR_FILENO) fd = open("/dev/null", O_RDWR);
  if (fd >= 0) close(fd);
}

// The exit code of the program: results that could not be written are a failure, reported unless
// the reader has closed its end.
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
  } catch (const CLI::RequiredError& error) {
    tell("{}\n", cli::lacking(*app, error.what()));
    return Exit::usage;
  } catch (const CLI::ParseError& error) {
    return app->exit(error) == 0 ? Exit::done : Exit::usage;
  } catch (const Error& error) {
    tell("{}\n", error.what());
    return error.code();
  } catch (const std::bad_alloc&) {
    tell("weft: there is not enough memory: make `batch` or the layers smaller\n");
    return Exit::resources;
  } catch (const std::system_error& error) {  // from a thread or the output
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
  std::signal(SIGPIPE, SIG_IGN);  // write() then fails if the reader is gone
  const LastWords last;
  const Crashes crashes;
  return ended(run(argc, argv));
}
