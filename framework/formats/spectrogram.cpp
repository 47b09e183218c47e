#include "framework/formats/spectrogram.h"

#include <kiss_fftr.h>

#include <algorithm>
#include <cstdlib>
#include <new>
#include <numbers>

namespace weft {

namespace {
kiss_fftr_state* plan(int64_t window, bool inverse) {
  kiss_fftr_state* const made =
      kiss_fftr_alloc(static_cast<int>(window), inverse, nullptr, nullptr);
  if (!made) throw std::bad_alloc();
  return made;
}

std::vector<float> hann(int64_t size) {
  std::vector<float> all;
  for (int64_t i = 0; i < size; ++i)
    all.push_back(static_cast<float>(
        0.5 -
        0.5 * std::cos(2 * std::numbers::pi * static_cast<double>(i) / static_cast<double>(size))));
  return all;
}

static_assert(sizeof(kiss_fft_cpx) == sizeof(Stft::Bin));
kiss_fft_cpx* kiss(Stft::Bin* spectrum) {
  return reinterpret_cast<kiss_fft_cpx*>(spectrum);
}
const kiss_fft_cpx* kiss(const Stft::Bin* spectrum) {
  return reinterpret_cast<const kiss_fft_cpx*>(spectrum);
}
}  // namespace

double AudioForm::edge(int64_t i) const {
  const double top = std::log1p(static_cast<double>(rate) / 2 / 700);
  return 700 * std::expm1(top * static_cast<double>(i) / static_cast<double>(mels + 1));
}

Stft::Stft(const AudioForm& form)
    : form_(form),
      forward_(plan(form.window, false), std::free),
      inverse_(plan(form.window, true), std::free),
      window_(hann(form.window)),
      frame_(window_.size()),
      scale_(static_cast<size_t>(form.samples())) {
  constexpr float least = 1e-6F;  // below is only what rounding left of a window's edge
  for (int64_t t = 0; t < form.frames(); ++t)
    under(t, [&](int64_t i, int64_t sample) { scale_[sample] += window_[i] * window_[i]; });
  for (float& scale : scale_)
    scale = scale < least ? 0 : 1 / (scale * static_cast<float>(form.window));
}

template <class Use>
void Stft::under(int64_t t, Use use) const {
  const int64_t begin = t * form_.hop - form_.window / 2;
  const int64_t first = std::max<int64_t>(0, -begin);
  const int64_t last = std::min(form_.window, form_.samples() - begin);
  for (int64_t i = first; i < last; ++i) use(i, begin + i);
}

void Stft::frame(std::span<const float> samples, int64_t t, Bin* spectrum) {
  const int64_t begin = t * form_.hop - form_.window / 2;
  const int64_t end = std::min(std::ssize(samples), form_.samples());
  for (int64_t i = 0; i < form_.window; ++i)
    frame_[i] = begin + i >= 0 && begin + i < end ? window_[i] * samples[begin + i] : 0;
  kiss_fftr(forward_.get(), frame_.data(), kiss(spectrum));
}

void Stft::samples(const Bin* frames, std::span<float> samples) {
  std::fill(samples.begin(), samples.end(), 0.0F);
  for (int64_t t = 0; t < form_.frames(); ++t) {
    kiss_fftri(inverse_.get(), kiss(frames + t * form_.bins()), frame_.data());
    under(t, [&](int64_t i, int64_t sample) { samples[sample] += window_[i] * frame_[i]; });
  }
  for (size_t i = 0; i < samples.size(); ++i) samples[i] *= scale_[i];
}

MelBands::MelBands(const AudioForm& form) : mels_(form.mels) {
  int64_t band = -1;
  for (int64_t bin = 0; bin < form.bins(); ++bin) {
    const double f = static_cast<double>(bin * form.rate) / static_cast<double>(form.window);
    while (band < form.mels && f >= form.edge(band + 2)) ++band;
    const double low = form.edge(band + 1), high = form.edge(band + 2);
    bins_.push_back({band, static_cast<float>((high - f) / (high - low)),
                     static_cast<float>((f - low) / (high - low))});
  }
}

void MelBands::sums(const float* powers, float* bands) const {
  std::fill_n(bands, mels_, 0.0F);
  for (size_t bin = 0; bin < bins_.size(); ++bin) {
    const auto& [band, lower, upper] = bins_[bin];
    if (band >= 0 && band < mels_) bands[band] += powers[bin] * lower;
    if (band + 1 < mels_) bands[band + 1] += powers[bin] * upper;
  }
}

void MelBands::spread(const float* bands, float* powers) const {
  for (size_t bin = 0; bin < bins_.size(); ++bin) {
    const auto& [band, lower, upper] = bins_[bin];
    powers[bin] = (band >= 0 && band < mels_ ? bands[band] * lower : 0) +
                  (band + 1 < mels_ ? bands[band + 1] * upper : 0);
  }
}

std::vector<float> log_mel(std::span<const float> samples, const AudioForm& form) {
  Stft transform(form);
  const MelBands mel(form);
  std::vector<Stft::Bin> spectrum(static_cast<size_t>(form.bins()));
  std::vector<float> powers(spectrum.size()), out;
  out.resize(static_cast<size_t>(form.frames() * form.mels));
  for (int64_t t = 0; t < form.frames(); ++t) {
    float* const bands = out.data() + t * form.mels;
    transform.frame(samples, t, spectrum.data());
    std::ranges::transform(spectrum, powers.begin(), [](Stft::Bin bin) { return std::norm(bin); });
    mel.sums(powers.data(), bands);
    std::transform(bands, bands + form.mels, bands,
                   [](float power) { return std::log(power + AudioForm::floor); });
  }
  return out;
}

}  // namespace weft
