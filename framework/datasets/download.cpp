#include "framework/datasets/download.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>

#include "framework/datasets/files.h"

namespace weft::datasets {

namespace {
using Command = std::vector<std::string>;
constexpr int not_found = 127;  // the status by which shells say that there is no such program

std::string tail(const std::filesystem::path& file) {
  constexpr int64_t most = 1000;
  std::ifstream in(file, std::ios::binary | std::ios::ate);
  const auto size = static_cast<int64_t>(in.tellg());
  in.seekg(std::max<int64_t>(0, size - most));
  std::string text(std::istreambuf_iterator<char>(in), {});
  while (!text.empty() && text.back() == '\n') text.pop_back();
  size_t start = text.size();
  for (int lines = 0; lines < 4 && start != std::string::npos && start > 0; ++lines)
    start = text.rfind('\n', start - 1);
  return start == std::string::npos ? text : text.substr(start == 0 ? 0 : start + 1);
}

std::vector<std::string> environment() {
  std::vector<std::string> all;
  for (char** entry = environ; *entry; ++entry)
    if (std::string_view(*entry).substr(0, 7) != "LC_ALL=") all.emplace_back(*entry);
  all.emplace_back("LC_ALL=C.UTF-8");
  return all;
}

std::vector<char*> pointers(std::vector<std::string>& words) {
  std::vector<char*> all;
  all.reserve(words.size() + 1);
  for (std::string& word : words) all.push_back(word.data());
  all.push_back(nullptr);
  return all;
}

Command download(const Dataset& set, bool pinned) {
  if (set.manager == Manager::npm)
    return {"npm", "pack", "--ignore-scripts", set.package + (pinned ? "@" + set.version : ""),
            // milliseconds; otherwise a registry that cannot be had is known after minutes
            "--fetch-retry-mintimeout=1000", "--fetch-retry-maxtimeout=5000"};
  return {"apt-get", "download", set.package + (pinned ? "=" + set.version : "")};
}

Command unpack(const Dataset& set, const std::string& archive) {
  if (set.manager == Manager::npm)
    return {"tar", "--no-same-owner", "-xzf", archive, "-C", "unpacked"};
  return {"dpkg-deb", "-x", archive, "unpacked"};
}

std::string archive_in(const std::filesystem::path& folder, const Dataset& set) {
  const char* extension = set.manager == Manager::npm ? ".tgz" : ".deb";
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    if (entry.path().extension() == extension) return entry.path().filename();
  throw Error(Exit::data,
              "the client fetched no " + std::string(extension) + " file of " + set.package);
}

[[noreturn]] void failed(const Command& command, const Dataset& set, const Outcome& outcome) {
  std::string words, hint;
  for (const std::string& word : command) words += (words.empty() ? "" : " ") + word;
  if (outcome.status == not_found)
    hint = "\ninstall the package `" + command[0] + "`, or copy the files of the set into " +
           set.folder().string() + " and run `weft data verify " + set.name + "`";
  else if (set.manager == Manager::apt)
    hint = "\nhas `apt-get update` been run?";
  throw Error(Exit::data,
              "cannot get " + set.name + ": `" + words + "` failed: " + outcome.last_lines + hint);
}
}  // namespace

Outcome run_client(const std::vector<std::string>& command, const std::filesystem::path& folder) {
  const std::filesystem::path log = folder / "client.log";
  Command words = command, variables = environment();
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, log.c_str(),
                                   O_WRONLY | O_CREAT | O_TRUNC, 0644);
  posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO);
  posix_spawn_file_actions_addchdir_np(&actions, folder.c_str());
  pid_t child = 0;
  const int error = posix_spawnp(&child, words[0].c_str(), &actions, nullptr,
                                 pointers(words).data(), pointers(variables).data());
  posix_spawn_file_actions_destroy(&actions);
  if (error) return {not_found, "cannot run " + words[0] + ": " + std::strerror(error)};
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
  return {WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), tail(log)};
}

Package get_package(const Dataset& set, const std::filesystem::path& folder, const Tell& tell) {
  bool pinned = true;
  tell("fetching " + set.package + " " + set.version);
  const Outcome first = run_client(download(set, true), folder);
  if (first.status != 0) {
    pinned = false;
    if (first.status == not_found || run_client(download(set, false), folder).status != 0)
      failed(download(set, true), set, first);
  }
  Package package{.archive = archive_in(folder, set), .contents = folder / "unpacked"};
  package.sha256 = sha256(folder / package.archive);
  if (package.sha256 != set.sha256 && pinned)
    throw Error(Exit::data, set.package + " " + set.version + " is not what the catalogue knows: " +
                                "its SHA-256 is " + package.sha256 + ", not " + set.sha256);
  if (package.sha256 != set.sha256)
    tell("version " + set.version + " is gone; took " + package.archive + ", whose SHA-256 is " +
         package.sha256 + ", not " + set.sha256 + ": going by the checksums of the files");
  std::filesystem::create_directory(package.contents);
  const Command command = unpack(set, package.archive);
  const Outcome outcome = run_client(command, folder);
  if (outcome.status != 0) failed(command, set, outcome);
  return package;
}

}  // namespace weft::datasets
