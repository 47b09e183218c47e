// Tar archives, read with libarchive: POSIX ustar and pax (IEEE 1003.1, pax) and GNU tar, not
// compressed.
#pragma once

#include <filesystem>
#include <vector>

#include "framework/formats/file_part.h"

namespace weft {

// The regular files of an archive, in its order, without a leading "./" of their paths, as parts to
// be read where they lie; a hard link is another name of the same bytes. What else is in it is
// passed over. Throws Error(data) with the offset: missing, no archive, truncated, corrupt, with
// sparse files, or of more than 10 million files. A name in pax must be UTF-8.
std::vector<FilePart> tar_members(const std::filesystem::path& file);

}  // namespace weft
