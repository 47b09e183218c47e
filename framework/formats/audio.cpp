#include "framework/formats/audio.h"

#include <samplerate.h>
#include <sndfile.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <memory>
#include <new>
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

// A file as libsndfile writes it.
struct Memory {
  std::string bytes = {};
  int64_t at = 0;

  static Memory& of(void* memory) { return *static_cast<Memory*>(memory); }
  static sf_count_t size(void* memory) { return std::ssize(of(memory).bytes); }
  static sf_count_t tell(void* memory) { return of(memory).at; }
  static sf_count_t seek(sf_count_t offset, int whence, void* memory) {
    const int64_t from = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? tell(memory) : size(memory);
    if (from + offset < 0) return -1;
    return of(memory).at = from + offset;
  }
  static sf_count_t read(void* out, sf_count_t bytes, void* memory) {
    Memory& own = of(memory);
    const sf_count_t got = std::clamp<sf_count_t>(size(memory) - own.at, 0, bytes);
    std::copy_n(own.bytes.data() + own.at, got, static_cast<char*>(out));
    own.at += got;
    return got;
  }
  static sf_count_t write(const void* from, sf_count_t bytes, void* memory) try {
    Memory& own = of(memory);
    own.bytes.resize(static_cast<size_t>(std::max(size(memory), own.at + bytes)));
    std::copy_n(static_cast<const char*>(from), bytes, own.bytes.data() + own.at);
    own.at += bytes;
    return bytes;
  } catch (const std::bad_alloc&) {
    return 0;  // exceptions must not pass through C
  }
  static SF_VIRTUAL_IO calls() {
    return {.get_filelen = size, .seek = seek, .read = read, .write = write, .tell = tell};
  }
};

using Sound = std::unique_ptr<SNDFILE, int (*)(SNDFILE*)>;

std::string reason(SNDFILE* sound) {
  std::string text = sf_strerror(sound);
  while (text.ends_with('.') || text.ends_with(' ')) text.pop_back();
  return text;
}

// An audio file whose header has been read. Throws if it has no samples.
struct OpenSound {
  explicit OpenSound(const FilePart& file) : disk(file) {
    check_kind(disk, file);
    SF_VIRTUAL_IO calls{.get_filelen = Stream::size,
                        .seek = Stream::seek,
                        .read = Stream::read,
                        .write = nullptr,
                        .tell = Stream::tell};
    sound.reset(sf_open_virtual(&calls, SFM_READ, &info, &stream));
    if (!sound) throw bad(file, "is broken: " + reason(nullptr));
    if (info.frames == SF_COUNT_MAX)
      throw bad(file, "is truncated, or a stream that does not say how long it is");
    if (info.frames < 1) throw bad(file, "holds no sound");
  }

  DiskFile disk;
  Stream stream{disk};
  SF_INFO info{};
  Sound sound{nullptr, sf_close};
};

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

}  // namespace

bool is_audio_file(const std::filesystem::path& file) {
  const std::string extension = lower_extension(file);
  return extension == ".wav" || extension == ".flac" || extension == ".ogg";
}

void check_audio(const FilePart& file) {
  const OpenSound opened(file);
}

std::vector<float> read_audio(const FilePart& file, int64_t rate, double seconds) {
  const OpenSound opened(file);
  const SF_INFO& info = opened.info;
  const double ratio = static_cast<double>(rate) / info.samplerate;
  if (info.samplerate < 1 || !src_is_valid_ratio(ratio))
    throw bad(file, "has " + std::to_string(info.samplerate) +
                        " samples in a second, too far from " + std::to_string(rate));
  const double most = static_cast<double>(most_samples) / std::max(ratio, 1.0);
  const double wanted =
      std::min(static_cast<double>(info.frames), std::ceil(seconds * info.samplerate));
  if (wanted > most) throw bad(file, "has more than 2^27 samples");
  std::vector<float> samples = read_mono(opened.sound, info, static_cast<int64_t>(wanted), file);
  if (info.samplerate != rate) samples = resample(samples, ratio, file);
  for (float& sample : samples) sample = std::clamp(sample, -1.0F, 1.0F);
  return samples;
}

std::string encode_audio(std::span<const float> samples, int64_t rate,
                         const std::filesystem::path& file, const std::string& comment) {
  const std::string extension = lower_extension(file);
  SF_INFO info{.samplerate = static_cast<int>(rate),
               .channels = 1,
               .format = extension == ".wav"    ? SF_FORMAT_WAV | SF_FORMAT_PCM_16
                         : extension == ".flac" ? SF_FORMAT_FLAC | SF_FORMAT_PCM_16
                                                : SF_FORMAT_OGG | SF_FORMAT_VORBIS};
  Memory memory;
  SF_VIRTUAL_IO calls = Memory::calls();
  Sound sound(sf_open_virtual(&calls, SFM_WRITE, &info, &memory), sf_close);
  const auto failed = [&] {
    return Error(file.string() + " cannot be written at " + std::to_string(rate) +
                 " samples in a second: " + reason(sound.get()));
  };
  if (!sound) throw failed();
  if (!comment.empty()) sf_set_string(sound.get(), SF_STR_COMMENT, comment.c_str());
  std::array<float, 4096> block;
  for (size_t at = 0; at < samples.size(); at += block.size()) {
    const auto part = samples.subspan(at, std::min(block.size(), samples.size() - at));
    std::ranges::transform(part, block.begin(), [](float sample) {
      return std::isnan(sample) ? 0.0F : std::clamp(sample, -1.0F, 1.0F);
    });
    if (sf_writef_float(sound.get(), block.data(), std::ssize(part)) != std::ssize(part))
      throw failed();
  }
  sound.reset();  // which completes the file
  return std::move(memory.bytes);
}

}  // namespace weft
