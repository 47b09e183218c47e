#include "framework/formats/audio.h"

#include <kiss_fftr.h>
#include <samplerate.h>
#include <sndfile.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <memory>
#include <numbers>
#include <string>

namespace weft {

namespace {
constexpr int64_t most_samples = int64_t{1} << 27;

Error bad(const FilePart& file, const std::string& why) {
  return {Exit::data, file.name() + ": " + why};
}

uint32_t little_endian(const char* bytes) {
  uint32_t all = 0;
  for (int i = 3; i >= 0; --i) all = all << 8 | static_cast<unsigned char>(bytes[i]);
  return all;
}

// Throws if a WAV file ends before the length in its header: libsndfile would take it for a short
// file. Writers to a pipe do not know the length and write one of 2 GiB or more.
void check_wav_length(const DiskFile& disk, const FilePart& file) {
  constexpr int64_t not_known = 0x7ffff000, most_chunks = 10'000;
  std::array<char, 8> chunk{};
  int64_t at = 12;
  for (int64_t i = 0; i < most_chunks && disk.read(at, chunk.data(), 8) == 8; ++i) {
    const int64_t bytes = little_endian(chunk.data() + 4), missing = at + 8 + bytes - disk.size();
    at += 8 + bytes + bytes % 2;
    if (std::string_view(chunk.data(), 4) != "data") continue;
    if (bytes < not_known && missing > 0)
      throw bad(file, "is truncated: " + std::to_string(missing) + " of its " +
                          std::to_string(bytes) + " bytes of sound are missing");
    return;
  }
}

// Throws if an Ogg file ends within a page: newer versions of libsndfile would take it for a short
// file. Pages say how long they are (RFC 3533, section 6). They also say which is the last, but not
// in all real files.
void check_ogg_pages(const DiskFile& disk, const FilePart& file) {
  constexpr int64_t count = 26, header = 27;
  std::array<char, header + 255> page{};
  int64_t at = 0;
  while (at < disk.size()) {
    const int64_t got = disk.read(at, page.data(), std::ssize(page));
    if (got < header || std::string_view(page.data(), 4) != "OggS") break;
    int64_t bytes = header + static_cast<unsigned char>(page[count]);
    if (got < bytes) break;
    for (int64_t i = bytes; i > header; --i) bytes += static_cast<unsigned char>(page[i - 1]);
    at += bytes;
  }
  if (at != disk.size())
    throw bad(file, "is truncated or corrupt: a page does not end where the next begins");
}

void check_kind(const DiskFile& disk, const FilePart& file) {
  std::array<char, 12> head{};
  const int64_t got = disk.read(0, head.data(), std::ssize(head));
  const std::string_view kind(head.data(), 4);
  if (got == 0) throw bad(file, "is empty");
  if (kind == "RIFF" && got == std::ssize(head)) return check_wav_length(disk, file);
  if (kind == "OggS") return check_ogg_pages(disk, file);
  if (kind != "fLaC") throw bad(file, "is neither WAV, FLAC nor Ogg");
}

// A file as libsndfile reads it.
struct Stream {
  const DiskFile& disk;
  int64_t at = 0;

  static Stream& of(void* stream) { return *static_cast<Stream*>(stream); }
  static sf_count_t size(void* stream) { return of(stream).disk.size(); }
  static sf_count_t tell(void* stream) { return of(stream).at; }
  static sf_count_t seek(sf_count_t offset, int whence, void* stream) {
    const int64_t from = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? tell(stream) : size(stream);
    if (from + offset < 0) return -1;
    return of(stream).at = from + offset;
  }
  static sf_count_t read(void* out, sf_count_t bytes, void* stream) try {
    const int64_t got = of(stream).disk.read(tell(stream), out, bytes);
    of(stream).at += got;
    return got;
  } catch (const Error&) {
    return 0;  // exceptions must not pass through C
  }
};

using Sound = std::unique_ptr<SNDFILE, int (*)(SNDFILE*)>;

std::string reason(SNDFILE* sound) {
  std::string text = sf_strerror(sound);
  while (text.ends_with('.') || text.ends_with(' ')) text.pop_back();
  return text;
}

std::vector<float> read_mono(const Sound& sound, const SF_INFO& info, int64_t wanted,
                             const FilePart& file) {
  constexpr int64_t at_once = 4096;
  std::vector<float> mono, block(static_cast<size_t>(at_once * info.channels));
  while (std::ssize(mono) < wanted) {
    const int64_t got =
        sf_readf_float(sound.get(), block.data(), std::min(at_once, wanted - std::ssize(mono)));
    if (got <= 0)
      throw bad(file, "is truncated or corrupt: " + std::to_string(mono.size()) + " of " +
                          std::to_string(info.frames) + " samples can be read" +
                          (sf_error(sound.get()) ? " (" + reason(sound.get()) + ")" : ""));
    for (int64_t i = 0; i < got; ++i) {
      double sum = 0;
      for (int64_t c = 0; c < info.channels; ++c) sum += block[i * info.channels + c];
      if (!std::isfinite(sum)) throw bad(file, "holds a sample that is no number");
      mono.push_back(static_cast<float>(sum / info.channels));
    }
  }
  return mono;
}

std::vector<float> resample(const std::vector<float>& from, double ratio, const FilePart& file) {
  std::vector<float> to(static_cast<size_t>(std::ceil(static_cast<double>(from.size()) * ratio)));
  SRC_DATA data{.data_in = from.data(),
                .data_out = to.data(),
                .input_frames = std::ssize(from),
                .output_frames = std::ssize(to),
                .src_ratio = ratio};
  if (const int error = src_simple(&data, SRC_SINC_MEDIUM_QUALITY, 1))
    throw bad(file, std::string("cannot be brought to another rate: ") + src_strerror(error));
  to.resize(static_cast<size_t>(data.output_frames_gen));
  return to;
}

// The weight of each frequency in each mel band, [window / 2 + 1, mels].
std::vector<float> triangles(const AudioForm& form) {
  std::vector<float> all;
  for (int64_t bin = 0; bin <= form.window / 2; ++bin)
    for (int64_t m = 0; m < form.mels; ++m) {
      const double f = static_cast<double>(bin * form.rate) / static_cast<double>(form.window);
      const double low = form.edge(m), peak = form.edge(m + 1), high = form.edge(m + 2);
      all.push_back(static_cast<float>(
          std::max(0.0, std::min((f - low) / (peak - low), (high - f) / (high - peak)))));
    }
  return all;
}

std::vector<float> hann(int64_t size) {
  std::vector<float> all;
  for (int64_t i = 0; i < size; ++i)
    all.push_back(static_cast<float>(
        0.5 -
        0.5 * std::cos(2 * std::numbers::pi * static_cast<double>(i) / static_cast<double>(size))));
  return all;
}
}  // namespace

double AudioForm::edge(int64_t i) const {
  const double top = std::log1p(static_cast<double>(rate) / 2 / 700);
  return 700 * std::expm1(top * static_cast<double>(i) / static_cast<double>(mels + 1));
}

bool is_audio_file(const std::filesystem::path& file) {
  std::string extension = file.extension().string();
  for (char& c : extension) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return extension == ".wav" || extension == ".flac" || extension == ".ogg";
}

std::vector<float> read_audio(const FilePart& file, int64_t rate, double seconds) {
  const DiskFile disk(file);
  check_kind(disk, file);
  Stream stream{disk};
  SF_VIRTUAL_IO calls{.get_filelen = Stream::size,
                      .seek = Stream::seek,
                      .read = Stream::read,
                      .write = nullptr,
                      .tell = Stream::tell};
  SF_INFO info{};
  const Sound sound(sf_open_virtual(&calls, SFM_READ, &info, &stream), sf_close);
  if (!sound) throw bad(file, "is broken: " + reason(nullptr));
  if (info.frames == SF_COUNT_MAX)
    throw bad(file, "is truncated, or a stream that does not say how long it is");
  if (info.frames < 1) throw bad(file, "holds no sound");
  const double ratio = static_cast<double>(rate) / info.samplerate;
  if (info.samplerate < 1 || !src_is_valid_ratio(ratio))
    throw bad(file, "has " + std::to_string(info.samplerate) +
                        " samples in a second, too far from " + std::to_string(rate));
  const double most = static_cast<double>(most_samples) / std::max(ratio, 1.0);
  const double wanted =
      std::min(static_cast<double>(info.frames), std::ceil(seconds * info.samplerate));
  if (wanted > most) throw bad(file, "has more than 2^27 samples");
  std::vector<float> samples = read_mono(sound, info, static_cast<int64_t>(wanted), file);
  if (info.samplerate != rate) samples = resample(samples, ratio, file);
  for (float& sample : samples) sample = std::clamp(sample, -1.0F, 1.0F);
  return samples;
}

std::vector<float> log_mel(std::span<const float> samples, const AudioForm& form) {
  const std::unique_ptr<kiss_fftr_state, void (*)(void*)> transform(
      kiss_fftr_alloc(static_cast<int>(form.window), 0, nullptr, nullptr), std::free);
  if (!transform) throw std::bad_alloc();
  const std::vector<float> taper = hann(form.window), bank = triangles(form);
  std::vector<float> frame(taper.size()), bands(static_cast<size_t>(form.mels)), out;
  std::vector<kiss_fft_cpx> spectrum(taper.size() / 2 + 1);
  const int64_t end = std::min(std::ssize(samples), form.samples());
  for (int64_t t = 0; t < form.frames(); ++t) {
    const int64_t begin = t * form.hop - form.window / 2;
    for (int64_t i = 0; i < form.window; ++i)
      frame[i] = begin + i >= 0 && begin + i < end ? taper[i] * samples[begin + i] : 0;
    kiss_fftr(transform.get(), frame.data(), spectrum.data());
    std::fill(bands.begin(), bands.end(), 0.0F);
    for (size_t bin = 0; bin < spectrum.size(); ++bin) {
      const float power = spectrum[bin].r * spectrum[bin].r + spectrum[bin].i * spectrum[bin].i;
      for (size_t m = 0; m < bands.size(); ++m) bands[m] += power * bank[bin * bands.size() + m];
    }
    for (const float band : bands) out.push_back(std::log(band + 1e-6F));
  }
  return out;
}

}  // namespace weft
