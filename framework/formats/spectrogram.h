// Sound as log-mel spectrograms, and the transforms on the way there and back.
#pragma once

#include <cmath>
#include <complex>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

struct kiss_fftr_state;

namespace weft {

struct AudioForm {
  int64_t rate;         // samples in a second
  double seconds;       // length of each sound: cut, or filled with silence at its end
  int64_t window, hop;  // samples in one frame (even), and from one frame to the next
  int64_t mels;         // bands from 0 to rate / 2

  static constexpr float floor = 1e-6F;  // is added to the power of a band before its logarithm

  int64_t samples() const { return std::llround(seconds * static_cast<double>(rate)); }
  int64_t frames() const { return (samples() + hop - 1) / hop; }
  int64_t bins() const { return window / 2 + 1; }  // frequencies of a frame, from 0 to rate / 2
  // The frequency in Hz at which band i - 1 ends, band i peaks and band i + 1 begins. These are
  // even steps of the mel scale 2595 log10(1 + f / 700) of O'Shaughnessy 1987 and the HTK Book.
  double edge(int64_t i) const;
  auto operator<=>(const AudioForm&) const = default;
};

// The short-time Fourier transform. Frame t is centred on sample t · hop, under a periodic Hann
// window as long as the transform; beyond the samples is silence. One thread at a time uses it.
class Stft {
 public:
  using Bin = std::complex<float>;

  explicit Stft(const AudioForm& form);

  // The spectrum of frame t, [bins].
  void frame(std::span<const float> samples, int64_t t, Bin* spectrum);
  // The samples, [form.samples()], whose frames are nearest to these, [frames, bins], in the sense
  // of least squares (Griffin & Lim 1984, equation 6); 0 where no window reaches.
  void samples(const Bin* frames, std::span<float> samples);

 private:
  using Transform = std::unique_ptr<kiss_fftr_state, void (*)(void*)>;

  // Calls use(i, sample) for each sample under frame t and its place i in the window.
  template <class Use>
  void under(int64_t t, Use use) const;

  AudioForm form_;
  Transform forward_, inverse_;
  std::vector<float> window_, frame_;
  std::vector<float> scale_;  // of each sample: 1 / (the window's size · the sum of its squares)
};

// The mel bands of a form: triangles of height 1 over the frequencies (Davis & Mermelstein 1980).
// A frequency lies in two bands at the most.
class MelBands {
 public:
  explicit MelBands(const AudioForm& form);

  // bands, [mels]: the sum of the powers, [bins], under each triangle.
  void sums(const float* powers, float* bands) const;
  // powers, [bins]: for each frequency, the sum of its bands, [mels], by its heights in them.
  void spread(const float* bands, float* powers) const;

 private:
  struct Heights {
    int64_t band;        // the lower one of the two; there is none of -1 or of mels
    float lower, upper;  // in it, where its triangle falls, and in the next, which rises
  };
  int64_t mels_;
  std::vector<Heights> bins_;
};

// The log-mel spectrogram, [frames, mels]: ln(power + 1e-6) of the mel bands.
std::vector<float> log_mel(std::span<const float> samples, const AudioForm& form);

}  // namespace weft
