// Small images and sounds as files.
#pragma once

#include <gtest/gtest.h>
#include <png.h>
#include <sndfile.h>

#include <cstdint>
#include <filesystem>
#include <vector>

namespace weft::tests {

// [height, width, 4]: red, green, blue, opacity.
inline void write_png(const std::filesystem::path& file, uint32_t width, uint32_t height,
                      const std::vector<uint8_t>& rgba) {
  std::filesystem::create_directories(file.parent_path());
  png_image png{};
  png.version = PNG_IMAGE_VERSION;
  png.width = width, png.height = height, png.format = PNG_FORMAT_RGBA;
  ASSERT_TRUE(png_image_write_to_file(&png, file.c_str(), 0, rgba.data(), 0, nullptr));
}

// [frames, channels]; `format` is libsndfile's.
inline void write_sound(const std::filesystem::path& file, int format, int rate, int channels,
                        const std::vector<float>& samples) {
  std::filesystem::create_directories(file.parent_path());
  SF_INFO info{.samplerate = rate, .channels = channels, .format = format};
  SNDFILE* sound = sf_open(file.c_str(), SFM_WRITE, &info);
  ASSERT_TRUE(sound) << sf_strerror(nullptr);
  sf_writef_float(sound, samples.data(), std::ssize(samples) / channels);
  sf_close(sound);
}

}  // namespace weft::tests
