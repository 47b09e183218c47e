// Tar archives, read where they lie: POSIX ustar and pax (IEEE 1003.1, pax) and GNU tar, not
// compressed.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "framework/formats/file_part.h"

namespace weft {

struct TarMember {
  std::string name;      // its path, without a leading "./"
  int64_t offset, size;  // of its bytes in the archive
};

// The regular files of an archive, in its order; what else is in it is passed over. Any thread may
// read at any time.
class TarFile {
 public:
  // Throws Error(data) with the offset: missing, no archive, truncated, corrupt, with sparse files,
  // or of more than 10 million files.
  explicit TarFile(const std::filesystem::path& file);

  const std::string& name() const { return disk_.name(); }
  const std::vector<TarMember>& members() const { return members_; }
  // Copies out.size() bytes of the archive, from `offset` on.
  void read(int64_t offset, std::span<char> out) const;
  std::string read(const TarMember& member) const;

 private:
  DiskFile disk_;
  std::vector<TarMember> members_;
};

}  // namespace weft
