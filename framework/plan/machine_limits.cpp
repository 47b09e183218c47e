#include "framework/plan/machine_limits.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <vector>

namespace weft {

namespace {
namespace fs = std::filesystem;

std::string first_line(const fs::path& file) {
  std::string line;
  std::ifstream in(file);
  std::getline(in, line);
  return line;
}

// The path of this process's group, from a line "0::/user.slice/…" (version 2) or
// "4:memory:/docker/…" (version 1).
fs::path group_of(const fs::path& root, const std::string& controller) {
  std::ifstream in(root / "proc/self/cgroup");
  for (std::string line; std::getline(in, line);) {
    const size_t first = line.find(':'), second = line.find(':', first + 1);
    if (second == std::string::npos) continue;
    if (line.substr(first + 1, second - first - 1) == controller)
      return fs::path(line.substr(second + 1)).relative_path();
  }
  return {};
}

// The limits in the file `name` of a group and of the groups above it, the nearest first.
std::vector<std::string> upwards(const fs::path& tree, fs::path group, const std::string& name) {
  std::vector<std::string> lines;
  while (true) {
    if (std::string line = first_line(tree / group / name);
        !line.empty() && !line.starts_with("max"))
      lines.push_back(std::move(line));
    if (group.empty()) return lines;
    group = group.parent_path();
  }
}
}  // namespace

std::string group_limit(const std::string& name, const fs::path& root) {
  const auto lines = upwards(root / "sys/fs/cgroup", group_of(root, ""), name);
  return lines.empty() ? "" : lines[0];
}

size_t memory_limit(const fs::path& root) {
  size_t least =
      static_cast<size_t>(sysconf(_SC_PHYS_PAGES)) * static_cast<size_t>(sysconf(_SC_PAGESIZE));
  const fs::path tree = root / "sys/fs/cgroup";
  for (const auto& lines :
       {upwards(tree, group_of(root, ""), "memory.max"),
        upwards(tree / "memory", group_of(root, "memory"), "memory.limit_in_bytes")})
    for (const std::string& line : lines)
      if (size_t limit = 0; std::istringstream(line) >> limit) least = std::min(least, limit);
  return least;
}

}  // namespace weft
