#include "framework/graph/limits.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace weft {

namespace {
namespace fs = std::filesystem;

std::string first_line(const fs::path& file) {
  std::string line;
  std::ifstream in(file);
  std::getline(in, line);
  return line;
}

// Of a line "0::/user.slice/…" in a version 2, or "4:memory:/docker/…" in a version 1.
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

std::string nearest(const fs::path& tree, fs::path group, const std::string& name) {
  while (true) {
    std::string limit = first_line(tree / group / name);
    if (!limit.empty() && !limit.starts_with("max")) return limit;
    if (group.empty()) return "";
    group = group.parent_path();
  }
}
}  // namespace

std::string group_limit(const std::string& name, const fs::path& root) {
  return nearest(root / "sys/fs/cgroup", group_of(root, ""), name);
}

size_t memory_limit(const fs::path& root) {
  size_t least =
      static_cast<size_t>(sysconf(_SC_PHYS_PAGES)) * static_cast<size_t>(sysconf(_SC_PAGESIZE));
  for (const std::string& text :
       {group_limit("memory.max", root),
        nearest(root / "sys/fs/cgroup/memory", group_of(root, "memory"), "memory.limit_in_bytes")})
    if (size_t limit = 0; std::istringstream(text) >> limit) least = std::min(least, limit);
  return least;
}

}  // namespace weft
