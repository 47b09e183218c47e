// Audio files as samples: WAV, FLAC and Ogg.
#pragma once

#include <cstdint>
#include <filesystem>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include "framework/formats/file_part.h"

namespace weft {

bool is_audio_file(const std::filesystem::path& file);  // judged by its extension

// The samples of a file: the mean of its channels, in [-1, 1], converted to `rate` samples in a
// second, and no more than the first `seconds`. Throws Error(data): missing, truncated, corrupt, of
// another format, or of more than 2^27 samples.
std::vector<float> read_audio(const FilePart& file, int64_t rate,
                              double seconds = std::numeric_limits<double>::infinity());

// Reads no more than the header. Throws Error(data): missing, empty, without samples, or of another
// format.
void check_audio(const FilePart& file);

// The bytes of an audio file of one channel: WAV or FLAC of 16 bits, or Ogg Vorbis, as the
// extension of `file` says. Samples beyond [-1, 1] are clipped, what is no number is silence.
// Throws Error if there are no such files of this rate. `comment` is a tag.
std::string encode_audio(std::span<const float> samples, int64_t rate,
                         const std::filesystem::path& file, const std::string& comment = "");

}  // namespace weft
