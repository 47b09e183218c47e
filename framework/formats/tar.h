// Tar archives, read with libarchive: POSIX ustar and pax (IEEE 1003.1, pax) and GNU tar, not
// compressed.
#pragma once

#include <filesystem>
#include <vector>

#include "framework/formats/file_part.h"

namespace weft {

// The regular files of an archive in its order, as parts that can be read where they lie. Their
// paths have no leading "./". A hard link is another name of the same bytes; all else in the
// archive is skipped. Throws Error(data) with the offset: missing, not an archive, truncated,
// corrupt, with sparse files, or of more than 10 million files. A name in pax must be UTF-8.
std::vector<FilePart> tar_members(const std::filesystem::path& file);

}  // namespace weft
