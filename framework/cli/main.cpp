// weft: trains, evaluates and generates with models written as YAML graphs.
#include <fmt/core.h>
#include <unistd.h>

#include <cstdio>

#include "framework/cli/command_tree.h"
#include "framework/run/exit_guard.h"

using namespace weft;

// Plugins call this one: the program stands before the C library for all that it loads. What is
// registered to run at exit does not run: other lanes may still compute.
extern "C" WEFT_API void exit(int status) noexcept {
  ExitGuard::refuse_exit();
  std::fflush(nullptr);
  ::_exit(status);
}

int main(int argc, char** argv) {
  const ExitGuard guard;
  Exit exit = Exit::done;
  std::string typed;
  for (int i = 0; i < argc; ++i) typed += std::string(i ? " " : "") + argv[i];
  const auto app = cli::command_tree(exit, typed);
  try {
    if (argc == 1) throw CLI::CallForHelp();
    cli::check_commands(*app, argv + 1);
    app->parse(argc, argv);
    return static_cast<int>(exit);
  } catch (const CLI::ParseError& error) {
    return app->exit(error) == 0 ? 0 : static_cast<int>(Exit::usage);
  } catch (const Error& error) {
    fmt::print(stderr, "{}\n", error.what());
    return static_cast<int>(error.code());
  } catch (const std::bad_alloc&) {
    fmt::print(stderr, "weft: there is not enough memory: make `batch` or the layers smaller\n");
    return static_cast<int>(Exit::resources);
  } catch (const std::exception& error) {
    fmt::print(stderr, "weft: unexpected: {}\n", error.what());
    return static_cast<int>(Exit::internal);
  }
}
