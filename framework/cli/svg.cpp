#include "framework/cli/svg.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string_view>

#include "framework/run/durable_files.h"

extern char** environ;

namespace weft::cli {

namespace {
// Runs `dot -Tsvg` with these files as its input and output. Returns its exit status.
int run_dot(int input, int output) {
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_adddup2(&files, input, STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&files, output, STDOUT_FILENO);
  std::string program = "dot", kind = "-Tsvg";
  char* const arguments[]{program.data(), kind.data(), nullptr};
  pid_t child = 0;
  const int error = posix_spawnp(&child, "dot", &files, nullptr, arguments, environ);
  posix_spawn_file_actions_destroy(&files);
  if (error == ENOENT)
    throw Error("`dot` is not installed: install the package graphviz, or write -o FILE.dot");
  if (error) throw Error(Exit::resources, std::string("cannot run `dot`: ") + strerror(error));
  int status = 0;
  while (waitpid(child, &status, 0) < 0)
    if (errno != EINTR) return -1;
  return status;
}

void write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = write(fd, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0)
      throw Error(Exit::resources,
                  std::string("cannot hand the graph to `dot`: ") + strerror(errno));
    text.remove_prefix(static_cast<size_t>(written));
  }
}
}  // namespace

void write_svg(const std::string& dot, const std::filesystem::path& path) {
  const std::string unfinished = path.string() + ".unfinished";
  const Descriptor output(open(unfinished.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666));
  if (!output.open())
    throw Error(Exit::resources,
                "cannot write `" + path.string() + "`: " + std::string(strerror(errno)));
  try {
    const Descriptor input(memfd_create("dot", MFD_CLOEXEC));
    write_all(input.get(), dot);
    lseek(input.get(), 0, SEEK_SET);
    if (const int status = run_dot(input.get(), output.get()); status != 0)
      throw Error(Exit::resources, "`dot` failed: write -o FILE.dot, and try `dot -Tsvg FILE.dot`");
    std::filesystem::rename(unfinished, path);
  } catch (...) {
    std::error_code gone;
    std::filesystem::remove(unfinished, gone);
    throw;
  }
}

}  // namespace weft::cli
