// Audio files as samples and as spectrograms: WAV, FLAC and Ogg.
#pragma once

#include <cmath>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <span>
#include <vector>

#include "framework/formats/file_part.h"

namespace weft {

struct AudioForm {
  int64_t rate;         // samples in a second
  double seconds;       // length of each sound: cut, or filled with silence at its end
  int64_t window, hop;  // samples in one frame (even), and from one frame to the next
  int64_t mels;         // bands from 0 to rate / 2

  int64_t samples() const { return std::llround(seconds * static_cast<double>(rate)); }
  int64_t frames() const { return (samples() + hop - 1) / hop; }
  // The frequency in Hz at which band i - 1 ends, band i peaks and band i + 1 begins. These are
  // even steps of the mel scale 2595 log10(1 + f / 700) of O'Shaughnessy 1987 and the HTK Book.
  double edge(int64_t i) const;
  auto operator<=>(const AudioForm&) const = default;
};

bool is_audio_file(const std::filesystem::path& file);  // judged by its extension

// The samples of a file: the mean of its channels, in [-1, 1], converted to `rate` samples in a
// second, and no more than the first `seconds`. Throws Error(data): missing, truncated, corrupt, of
// another format, or of more than 2^27 samples.
std::vector<float> read_audio(const FilePart& file, int64_t rate,
                              double seconds = std::numeric_limits<double>::infinity());

// The log-mel spectrogram, [frames, mels]: ln(power + 1e-6) of the mel bands, which are triangles
// of height 1 over the frequencies of the window (Davis & Mermelstein 1980). Frame t is centred on
// sample t · hop, under a periodic Hann window as long as the transform; beyond the samples is
// silence.
std::vector<float> log_mel(std::span<const float> samples, const AudioForm& form);

}  // namespace weft
