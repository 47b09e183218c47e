// The params by which sound becomes a spectrogram, and a spectrogram sound.
#pragma once

#include <string>

#include "framework/formats/spectrogram.h"
#include "framework/node/node.h"

namespace weft {

struct AudioParams {
  Param<int64_t> rate;
  Param<double> seconds;
  Param<int64_t> window;
  Param<int64_t> hop;
  Param<int64_t> mels;

  explicit AudioParams(Node* owner)
      : rate(owner, "rate", "Samples in a second; files of others are brought to it.", 16'000,
             within(1'000, 192'000)),
        seconds(owner, "seconds",
                "Of each sound: longer files are cut, silence follows shorter ones.", 1,
                {.most = 3600, .above = 0}),
        window(owner, "window", "Samples under one frame, an even number.", 400, within(2, 8192)),
        hop(owner, "hop", "Samples from one frame to the next.", 160, within(1, 1 << 20)),
        mels(owner, "mels", "Bands of frequencies, evenly spaced on the mel scale.", 40,
             within(1, 512)) {}

  AudioForm form() const {
    constexpr int64_t most = int64_t{1} << 26;
    const AudioForm form{*rate, *seconds, *window, *hop, *mels};
    if (*window % 2) throw Error("`window` must be even");
    if (form.samples() < 1) throw Error("`seconds` must hold one sample at least");
    if (form.samples() > most)
      throw Error("`seconds` hold " + std::to_string(form.samples()) + " samples, more than 2^26");
    if (form.frames() > most / form.mels)
      throw Error("a spectrogram would have " + std::to_string(form.frames()) + " × " +
                  std::to_string(form.mels) + " numbers, more than 2^26: make `hop` longer");
    if (form.edge(2) * static_cast<double>(*window) <= static_cast<double>(*rate))
      throw Error(
          "`mels` is too many for this `window`: the lowest band holds none of its "
          "frequencies");
    return form;
  }
};

}  // namespace weft
