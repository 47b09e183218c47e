#include "framework/formats/image.h"

#include <png.h>
#include <turbojpeg.h>
#include <zlib.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <string_view>

namespace weft {

namespace {
constexpr int64_t most_pixels = int64_t{1} << 26, most_side = 65'500;
constexpr int64_t most_bytes = int64_t{1} << 29;

// A decoded image, [height, width, 4]: red, green, blue, opacity.
struct Pixels {
  int64_t height = 0, width = 0;
  std::vector<uint8_t> rgba;
};

Error bad(const FilePart& file, const std::string& why) {
  return {Exit::data, file.name() + ": " + why};
}

std::vector<uint8_t> read_bytes(const FilePart& file) {
  const DiskFile disk(file);
  if (disk.size() > most_bytes) throw bad(file, "is larger than 512 MiB");
  std::vector<uint8_t> bytes(static_cast<size_t>(disk.size()));
  bytes.resize(static_cast<size_t>(disk.read(0, bytes.data(), disk.size())));
  return bytes;
}

void allocate(Pixels& pixels, const FilePart& file) {
  if (pixels.height < 1 || pixels.width < 1 || pixels.height > most_side ||
      pixels.width > most_side || pixels.height > most_pixels / pixels.width)
    throw bad(file, "says that it has " + std::to_string(pixels.width) + " × " +
                        std::to_string(pixels.height) +
                        " pixels, but up to 2^26 are read, at most 65,500 in a row");
  pixels.rgba.resize(static_cast<size_t>(4 * pixels.height * pixels.width));
}

// How much of a file is read: all of it, or its head alone, which has the size but no pixels.
enum class Extent { whole, head };

Pixels decode_png(const FilePart& file, const std::vector<uint8_t>& bytes, Extent extent) {
  png_image png{};
  png.version = PNG_IMAGE_VERSION;
  const std::unique_ptr<png_image, void (*)(png_image*)> free(&png, png_image_free);
  if (!png_image_begin_read_from_memory(&png, bytes.data(), bytes.size()))
    throw bad(file, std::string("is a broken PNG: ") + png.message);
  Pixels pixels{.height = png.height, .width = png.width};
  if (extent == Extent::head) return pixels;
  allocate(pixels, file);
  png.format = PNG_FORMAT_RGBA;
  if (!png_image_finish_read(&png, nullptr, pixels.rgba.data(), 0, nullptr))
    throw bad(file, std::string("is a broken PNG: ") + png.message);
  return pixels;
}

Pixels decode_jpeg(const FilePart& file, const std::vector<uint8_t>& bytes, Extent extent) {
  const std::unique_ptr<void, int (*)(tjhandle)> turbo(tjInitDecompress(), tjDestroy);
  int width = 0, height = 0, sampling = 0, space = 0;
  const auto size = static_cast<unsigned long>(bytes.size());
  const auto broken = [&] {
    if (space == TJCS_CMYK || space == TJCS_YCCK)
      return bad(file, "is a JPEG of printing colours (CMYK): convert it to RGB");
    return bad(file, std::string("is a broken JPEG: ") + tjGetErrorStr2(turbo.get()));
  };
  if (tjDecompressHeader3(turbo.get(), bytes.data(), size, &width, &height, &sampling, &space) ||
      width < 1 || height < 1)
    throw broken();
  Pixels pixels{.height = height, .width = width};
  if (extent == Extent::head) return pixels;
  allocate(pixels, file);
  if (tjDecompress2(turbo.get(), bytes.data(), size, pixels.rgba.data(), width, 0, height,
                    TJPF_RGBA, TJFLAG_ACCURATEDCT | TJFLAG_LIMITSCANS) &&
      (tjGetErrorCode(turbo.get()) == TJERR_FATAL ||
       std::string_view(tjGetErrorStr2(turbo.get())).find("remature end") !=
           std::string_view::npos))
    throw broken();
  return pixels;
}

Pixels decode(const FilePart& file, Extent extent) {
  const std::vector<uint8_t> bytes = read_bytes(file);
  if (bytes.size() >= 8 && png_sig_cmp(bytes.data(), 0, 8) == 0)
    return decode_png(file, bytes, extent);
  if (bytes.size() >= 2 && bytes[0] == 0xff && bytes[1] == 0xd8)
    return decode_jpeg(file, bytes, extent);
  throw bad(file, bytes.empty() ? "is empty" : "is neither a PNG nor a JPEG");
}

// The old pixels that one new pixel covers along an axis, and their shares.
struct Cover {
  int64_t first;
  std::vector<float> shares;  // they sum to 1
};

std::vector<Cover> covers(double begin, double extent, int64_t to) {
  std::vector<Cover> all;
  const double step = extent / static_cast<double>(to);
  for (int64_t i = 0; i < to; ++i) {
    const double low = begin + static_cast<double>(i) * step, high = low + step;
    Cover cover{static_cast<int64_t>(low), {}};
    for (int64_t p = cover.first; static_cast<double>(p) < high - 1e-9 * step; ++p) {
      const auto at = static_cast<double>(p);
      cover.shares.push_back(
          static_cast<float>((std::min(high, at + 1) - std::max(low, at)) / step));
    }
    all.push_back(std::move(cover));
  }
  return all;
}

// Writes a pixel over the background, in the form's channels.
void blend(const uint8_t* rgba, const ImageForm& form, float* out) {
  const float opacity = static_cast<float>(rgba[3]) / 255;
  std::array<float, 3> rgb{};
  for (size_t k = 0; k < 3; ++k)
    rgb[k] = opacity * rgba[k] + (1 - opacity) * static_cast<float>(form.background[k]);
  if (form.channels == 1)
    out[0] = 0.299F * rgb[0] + 0.587F * rgb[1] + 0.114F * rgb[2];
  else
    std::copy(rgb.begin(), rgb.end(), out);
  if (form.channels == 4) out[3] = rgba[3];
}
}  // namespace

bool is_image_file(const std::filesystem::path& file) {
  const std::string extension = lower_extension(file);
  return extension == ".png" || extension == ".jpg" || extension == ".jpeg";
}

ImageSize image_size(const FilePart& file) {
  const Pixels head = decode(file, Extent::head);
  return {head.height, head.width};
}

std::vector<uint8_t> read_image(const FilePart& file, const ImageForm& form) {
  const Pixels from = decode(file, Extent::whole);
  const auto height = static_cast<double>(from.height), width = static_cast<double>(from.width);
  const double wanted = static_cast<double>(form.width) / static_cast<double>(form.height);
  const bool crop = form.fit == ImageFit::crop;
  const double h = crop ? std::min(height, width / wanted) : height;
  const double w = crop ? std::min(width, height * wanted) : width;
  const auto rows = covers((height - h) / 2, h, form.height);
  const auto cols = covers((width - w) / 2, w, form.width);

  const int64_t c = form.channels;
  std::vector<uint8_t> out(static_cast<size_t>(form.bytes()));
  const int64_t left = cols.front().first;
  const int64_t right =
      std::min(cols.back().first + static_cast<int64_t>(cols.back().shares.size()), from.width);
  std::vector<float> line(static_cast<size_t>(from.width * c)), sum(static_cast<size_t>(c)),
      pixel(static_cast<size_t>(c));
  for (int64_t y = 0; y < form.height; ++y) {
    std::fill(line.begin(), line.end(), 0.0F);
    const Cover& down = rows[static_cast<size_t>(y)];
    for (size_t r = 0; r < down.shares.size(); ++r) {
      const int64_t row = std::min(down.first + static_cast<int64_t>(r), from.height - 1);
      for (int64_t x = left; x < right; ++x) {
        blend(from.rgba.data() + 4 * (row * from.width + x), form, pixel.data());
        for (int64_t k = 0; k < c; ++k) line[x * c + k] += down.shares[r] * pixel[k];
      }
    }
    for (int64_t x = 0; x < form.width; ++x) {
      std::fill(sum.begin(), sum.end(), 0.0F);
      const Cover& across = cols[static_cast<size_t>(x)];
      for (size_t s = 0; s < across.shares.size(); ++s) {
        const int64_t col = std::min(across.first + static_cast<int64_t>(s), from.width - 1);
        for (int64_t k = 0; k < c; ++k) sum[k] += across.shares[s] * line[col * c + k];
      }
      for (int64_t k = 0; k < c; ++k)
        out[(y * form.width + x) * c + k] =
            static_cast<uint8_t>(std::clamp(sum[k] + 0.5F, 0.0F, 255.0F));
    }
  }
  return out;
}

namespace {
std::string big_endian(uint32_t number) {
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(number >> shift);
  return bytes;
}

// A chunk of Latin-1 text (PNG specification, 11.3.4.3).
std::string text_chunk(const std::string& comment) {
  const std::string data = std::string("tEXtComment") + '\0' + comment;
  const auto crc =
      crc32(0, reinterpret_cast<const Bytef*>(data.data()), static_cast<uInt>(data.size()));
  return big_endian(static_cast<uint32_t>(data.size() - 4)) + data +
         big_endian(static_cast<uint32_t>(crc));
}
}  // namespace

std::string encode_png(const std::vector<uint8_t>& pixels, int64_t height, int64_t width,
                       int64_t channels, const std::string& comment) {
  png_image png{};
  png.version = PNG_IMAGE_VERSION;
  png.width = static_cast<png_uint_32>(width);
  png.height = static_cast<png_uint_32>(height);
  png.format = channels == 3 ? PNG_FORMAT_RGB : PNG_FORMAT_GRAY;
  png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX(png);
  std::string bytes(size, '\0');
  if (!png_image_write_to_memory(&png, bytes.data(), &size, 0, pixels.data(), 0, nullptr))
    throw Error(Exit::resources, std::string("cannot make a PNG: ") + png.message);
  bytes.resize(size);
  constexpr size_t head = 33;  // the signature and the first chunk, IHDR
  if (!comment.empty()) bytes.insert(head, text_chunk(comment));
  return bytes;
}

}  // namespace weft
