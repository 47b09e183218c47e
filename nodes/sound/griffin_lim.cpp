#include <algorithm>
#include <cmath>
#include <complex>
#include <numbers>
#include <vector>

#include "framework/formats/spectrogram.h"
#include "framework/node/plugin.h"
#include "nodes/data/audio_params.h"

namespace weft {
namespace {

// Griffin & Lim 1984, "Signal estimation from modified short-time Fourier transform"; with momentum
// by Perraudin, Balazs & Søndergaard 2013, "A fast Griffin-Lim algorithm". The powers of the
// frequencies are those of the mel bands by multiplicative updates for the divergence of Lee &
// Seung 2001, "Algorithms for non-negative matrix factorization", which fit soft bands as well as
// loud.
class GriffinLim final : public Node {
  In x{this,
       "x",
       "Log-mel spectrograms, [batch, frames, mels], as `audio` gives them with the same params. "
       "The "
       "powers of their frequencies are found by multiplicative updates (Lee & Seung 2001).",
       {.grad = false}};
  Out y{this, "y", "The sounds, [batch, seconds · rate]; not clipped."};
  Param<int64_t> iterations{this, "iterations",
                            "How often phases are estimated anew, from random ones.", 32,
                            within(0, 100'000)};
  Param<double> momentum{
      this, "momentum",
      "How far each estimate goes on in the direction of its last step (Perraudin et al., α); 0 is "
      "Griffin & Lim's own.",
      0.99, within(0, 1)};
  AudioParams form{this};

  using Bin = Stft::Bin;
  AudioForm form_{};
  std::unique_ptr<Stft> transform_;
  std::unique_ptr<MelBands> mel_;
  std::vector<float> heights_, power_, gain_, bands_, ratios_;  // heights_: [frames, bins]
  std::vector<Bin> spectrum_, last_, frame_;                    // the first two: [frames, bins]

  void infer() override {
    constexpr int64_t most = int64_t{1} << 26;
    form_ = form.form();
    if (x.shape().rank() != 3 || x.shape()[1] != form_.frames() || x.shape()[2] != form_.mels)
      throw Error("`x` is " + x.shape().str() + ", but spectrograms of these params are [batch, " +
                  std::to_string(form_.frames()) + ", " + std::to_string(form_.mels) + "]");
    if (form_.frames() > most / form_.bins())
      throw Error("a sound would have " + std::to_string(form_.frames()) + " × " +
                  std::to_string(form_.bins()) + " frequencies, more than 2^26: make `hop` longer");
    y.shape({x.rows(), form_.samples()});
  }

  void prepare(Pass) override {
    transform_ = std::make_unique<Stft>(form_);
    mel_ = std::make_unique<MelBands>(form_);
    const auto bins = static_cast<size_t>(form_.bins());
    for (auto* each : {&power_, &gain_}) each->resize(bins);
    for (auto* each : {&bands_, &ratios_}) each->resize(static_cast<size_t>(form_.mels));
    heights_.resize(bins * static_cast<size_t>(form_.frames()));
    spectrum_.resize(heights_.size()), last_.resize(heights_.size()), frame_.resize(bins);
  }

  double flops() const override {
    const auto size = static_cast<double>(form_.window);
    return 5 * size * std::log2(size) * static_cast<double>(x.rows() * form_.frames()) *
           static_cast<double>(2 * *iterations + 1);
  }

  void forward(const Step& step) override {
    for (int64_t row = 0; row < x.rows(); ++row) {
      const std::span sound(y.data() + row * y.row_size(), static_cast<size_t>(y.row_size()));
      for (int64_t t = 0; t < form_.frames(); ++t)
        invert_bands(x.data() + row * x.row_size() + t * form_.mels,
                     heights_.data() + t * form_.bins());
      draw_phases(random(step, row));
      for (int64_t i = 0; i < *iterations; ++i) {
        transform_->samples(spectrum_.data(), sound);
        for (int64_t t = 0; t < form_.frames(); ++t) improve(sound, t);
      }
      transform_->samples(spectrum_.data(), sound);
    }
  }

  // The heights of the frequencies of a frame, [bins], from its log-mel bands.
  void invert_bands(const float* log_mel, float* heights) {
    constexpr int updates = 50;
    constexpr float least = 1e-20F;
    std::ranges::fill(ratios_, 1.0F);
    mel_->spread(ratios_.data(), gain_.data());
    std::ranges::fill(power_, 1.0F);
    for (int i = 0; i < updates; ++i) {
      mel_->sums(power_.data(), bands_.data());
      for (size_t m = 0; m < ratios_.size(); ++m)
        ratios_[m] =
            std::max(0.0F, std::exp(log_mel[m]) - AudioForm::floor) / std::max(bands_[m], least);
      mel_->spread(ratios_.data(), heights);
      for (size_t bin = 0; bin < power_.size(); ++bin)
        power_[bin] = gain_[bin] > 0 ? power_[bin] * heights[bin] / gain_[bin] : 0;
    }
    std::ranges::transform(power_, heights, [](float power) { return std::sqrt(power); });
  }

  void draw_phases(Random random) {
    std::ranges::fill(last_, Bin());
    for (size_t begin = 0; begin < spectrum_.size(); begin += power_.size()) {
      random.uniform(power_);
      for (size_t bin = 0; bin < power_.size(); ++bin)
        spectrum_[begin + bin] =
            std::polar(heights_[begin + bin], 2 * std::numbers::pi_v<float> * power_[bin]);
    }
  }

  // Takes for a frame the phases of the sound's own, and of the step to it from the last.
  void improve(std::span<const float> sound, int64_t t) {
    const auto further = static_cast<float>(*momentum);
    transform_->frame(sound, t, frame_.data());
    const size_t begin = static_cast<size_t>(t) * frame_.size();
    for (size_t bin = 0; bin < frame_.size(); ++bin) {
      const Bin aim = frame_[bin] + further * (frame_[bin] - last_[begin + bin]);
      const float size = std::sqrt(std::norm(aim));
      spectrum_[begin + bin] =
          size > 0 ? aim * (heights_[begin + bin] / size) : heights_[begin + bin];
      last_[begin + bin] = frame_[bin];
    }
  }
};

WEFT_NODE(
    GriffinLim, "griffin_lim",
    "Sounds whose log-mel spectrograms are near to given ones (Griffin & Lim 1984; Perraudin, "
    "Balazs & Søndergaard 2013).",
    "{x: [4, 5, 5], rate: 1000, seconds: 0.1, window: 32, hop: 20, mels: 5, iterations: 3}")

}  // namespace
}  // namespace weft
