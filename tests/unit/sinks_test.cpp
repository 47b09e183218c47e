#include <gtest/gtest.h>
#include <png.h>

#include <cstring>
#include <limits>

#include "tests/support/lone_node.h"
#include "tests/support/small_disk.h"
#include "tests/support/temporary_directory.h"
#include "tests/support/text_file.h"

namespace weft::tests {
namespace {

struct Picture {
  png_image header{};
  std::vector<uint8_t> bytes;
  int at(int64_t row, int64_t column, int64_t channel = 0) const {
    const int64_t channels = PNG_IMAGE_PIXEL_CHANNELS(header.format);
    return bytes.at((row * header.width + column) * channels + channel);
  }
};

Picture read_png(const std::filesystem::path& file) {
  Picture picture;
  picture.header.version = PNG_IMAGE_VERSION;
  EXPECT_TRUE(png_image_begin_read_from_file(&picture.header, file.c_str()))
      << picture.header.message;
  picture.bytes.resize(PNG_IMAGE_SIZE(picture.header));
  EXPECT_TRUE(png_image_finish_read(&picture.header, nullptr, picture.bytes.data(), 0, nullptr));
  return picture;
}

TEST(ImageGrid, DrawsGrayImagesSideBySide) {
  const TemporaryDirectory scratch;
  LoneNode node("image_grid", {{"path", std::string("a/grid.png")}}, scratch.path());
  std::vector<float> x(6 * 4);
  for (int i = 0; i < 24; ++i) x[i] = static_cast<float>(i) / 255;
  x[0] = -3, x[1] = 7, x[2] = std::numeric_limits<float>::quiet_NaN();
  node.feed("x", {6, 4}, x).infer();
  node.forward(0, 5);  // the last row is padding
  const Picture picture = read_png(scratch / "a/grid.png");
  EXPECT_EQ(picture.header.width, 3 * 2 + 2 * 2U);
  EXPECT_EQ(picture.header.height, 2 * 2 + 2U);
  EXPECT_EQ(picture.header.format, static_cast<png_uint_32>(PNG_FORMAT_GRAY));
  EXPECT_EQ(picture.at(0, 0), 0);
  EXPECT_EQ(picture.at(0, 1), 255);
  EXPECT_EQ(picture.at(1, 0), 0);
  EXPECT_EQ(picture.at(1, 1), 3);
  EXPECT_EQ(picture.at(0, 2), 0);  // the gap
  EXPECT_EQ(picture.at(0, 4), 4);
  EXPECT_EQ(picture.at(5, 5), 19);  // image 4, in the second row
  EXPECT_EQ(picture.at(5, 9), 0);   // padding is not drawn
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(scratch / "a"), {}), 1);
}

TEST(ImageGrid, DrawsColour) {
  const TemporaryDirectory scratch;
  LoneNode node(
      "image_grid",
      {{"path", std::string("c.png")}, {"columns", int64_t{1}}, {"map", std::string("symmetric")}},
      scratch.path());
  node.feed("x", {2, 1, 2, 3}, std::vector<float>{-1, 0, 1, 1, 1, 1, -1, -1, -1, 0, 0, 1}).infer();
  node.forward(7, 2);
  const Picture picture = read_png(scratch / "c-0007.png");
  EXPECT_EQ(picture.header.width, 2U);
  EXPECT_EQ(picture.header.height, 4U);
  EXPECT_EQ(picture.at(0, 0, 0), 0);
  EXPECT_EQ(picture.at(0, 0, 1), 128);
  EXPECT_EQ(picture.at(0, 0, 2), 255);
  EXPECT_EQ(picture.at(3, 1, 2), 255);
}

TEST(ImageGrid, MapsLogits) {
  const TemporaryDirectory scratch;
  LoneNode node(
      "image_grid",
      {{"path", std::string("s.png")}, {"map", std::string("sigmoid")}, {"height", int64_t{1}}},
      scratch.path());
  node.feed("x", {1, 3}, std::vector<float>{-200, 0, 200}).infer();
  node.forward(0, 1);
  EXPECT_EQ(read_png(scratch / "s.png").bytes, (std::vector<uint8_t>{0, 128, 255}));
}

TEST(ImageGrid, RefusesWhatIsNoPicture) {
  const auto refused = [](const Shape& shape, LoneNode::Params params) {
    params["path"] = std::string("x.png");
    LoneNode node("image_grid", params);
    EXPECT_THROW(node.feed("x", shape, std::vector<float>{}).infer(), Error) << shape.str();
  };
  refused({2, 5}, {});
  refused({2, 6}, {{"height", int64_t{4}}});
  refused({2, 4, 4, 2}, {});
  refused({2, 4, 4}, {});
  refused({2, 4, 4, 1}, {{"height", int64_t{2}}});
  refused({0, 4}, {});
  refused({1 << 20, 16}, {{"columns", int64_t{1}}});
}

TEST(ImageGrid, SaysThatItCannotWrite) {
  const TemporaryDirectory scratch;
  write_text(scratch / "file", "");
  LoneNode node("image_grid", {{"path", std::string("file/grid.png")}}, scratch.path());
  node.feed("x", {1, 4}, std::vector<float>(4)).infer();
  try {
    node.forward(0, 1);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Exit::resources);
  }
}

TEST(Sinks, LeaveNoHalfFileOnAFullDisk) {
  const TemporaryDirectory scratch;
  for (const auto& [kind, name] :
       std::map<std::string, std::string>{{"image_grid", "full.png"}, {"npy_file", "full.npy"}}) {
    LoneNode node(kind, {{"path", name}}, scratch.path());
    node.feed("x", {300, 400}, std::vector<float>(300 * 400, 0.5F)).infer();
    const SmallDisk disk(50);
    EXPECT_THROW(node.forward(0, 300), Error) << kind;
    EXPECT_TRUE(std::filesystem::is_empty(scratch.path())) << kind;
  }
}

TEST(Sinks, WriteNeitherElsewhereNorWhatTheRunWrites) {
  const auto refused = [](const std::string& path) {
    LoneNode node("npy_file", {{"path", path}});
    try {
      node.feed("x", {1, 1}, std::vector<float>{1}).infer();
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  const std::string zero = std::string("checkpoints/last/model.safetensors\0.npy", 39);
  EXPECT_EQ(refused(zero), "`path` has a zero byte, after checkpoints/last/model.safetensors");
  EXPECT_EQ(refused("/tmp/x.npy"), "`path` is /tmp/x.npy, but must lie in the run's directory");
  EXPECT_NE(refused("a/../../x.npy"), "");
  EXPECT_EQ(refused("./checkpoints/x.npy"),
            "`path` is ./checkpoints/x.npy, but the run itself writes checkpoints: choose another");
  EXPECT_NE(refused("checkpoints/../log.txt"), "");
  EXPECT_EQ(refused("a/checkpoints/x.npy"), "");
}

TEST(Sinks, FollowNoLinkOutOfTheirFolder) {
  const TemporaryDirectory scratch;
  for (const char* folder : {"run/checkpoints", "run/inner", "elsewhere"})
    std::filesystem::create_directories(scratch / folder);
  std::filesystem::create_directory_symlink("../elsewhere", scratch / "run/out");
  std::filesystem::create_directory_symlink("checkpoints", scratch / "run/own");
  std::filesystem::create_directory_symlink("inner", scratch / "run/in");
  std::filesystem::create_directory_symlink("run", scratch / "link");
  const auto written = [&](const std::string& path) {
    LoneNode node("npy_file", {{"path", path}}, scratch / "link");
    node.feed("x", {1, 1}, std::vector<float>{1}).infer();
    node.forward(0, 1);
  };
  EXPECT_THROW(written("out/x.npy"), Error);
  EXPECT_THROW(written("out/deep/x.npy"), Error);
  EXPECT_THROW(written("own/x.npy"), Error);
  EXPECT_TRUE(std::filesystem::is_empty(scratch / "elsewhere"));
  EXPECT_TRUE(std::filesystem::is_empty(scratch / "run/checkpoints"));
  written("in/x.npy");
  EXPECT_TRUE(std::filesystem::exists(scratch / "run/inner/x.npy"));
  write_text(scratch / "elsewhere/kept", "as it was");
  for (const std::string& planted : {std::string("x.npy"), ".x.npy." + std::to_string(getpid())})
    std::filesystem::create_symlink("../elsewhere/kept", scratch / "run" / planted);
  written("x.npy");
  EXPECT_EQ(read_text(scratch / "elsewhere/kept"), "as it was");
  EXPECT_TRUE(
      std::filesystem::is_regular_file(std::filesystem::symlink_status(scratch / "run/x.npy")));
}

TEST(NpyFile, WritesNumPyArrays) {
  const TemporaryDirectory scratch;
  LoneNode node("npy_file", {{"path", std::string("rows.npy")}}, scratch.path());
  node.feed("x", {3, 2}, std::vector<float>{1, 2, 3, 4, 5, 6}).infer();
  node.forward(12, 2);
  const std::string bytes = read_text(scratch / "rows-0012.npy");
  EXPECT_EQ(bytes.substr(0, 8), std::string("\x93NUMPY\x01\x00", 8));
  const size_t start = 10 + static_cast<uint8_t>(bytes[8]) + 256 * static_cast<uint8_t>(bytes[9]);
  EXPECT_EQ(start % 64, 0U);
  EXPECT_NE(bytes.find("'shape': (2,2,)"), std::string::npos);
  ASSERT_EQ(bytes.size(), start + 4 * sizeof(float));
  float values[4];
  std::memcpy(values, bytes.data() + start, sizeof values);
  EXPECT_EQ(values[0], 1);
  EXPECT_EQ(values[3], 4);
}

}  // namespace
}  // namespace weft::tests
