#include "framework/formats/idx.h"

#include <gtest/gtest.h>

#include <fstream>
#include <numeric>

#include "framework/node/host.h"
#include "framework/node/source.h"
#include "tests/support/environment.h"
#include "tests/support/lone_node.h"
#include "tests/support/temporary_directory.h"
#include "tests/support/text_file.h"
#include "tests/support/tiny_idx.h"

namespace weft::tests {
namespace {

// The error of opening `file`: its code and sentence.
std::string refusal(const std::filesystem::path& file, Exit code = Exit::data) {
  try {
    IdxFile idx(file);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code) << error.what();
    EXPECT_NE(error.sentence().find(file.filename()), std::string::npos) << error.what();
    return error.sentence();
  }
  return "";
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

std::string header(std::initializer_list<uint32_t> dims, char type = 8) {
  std::string bytes{0, 0, type, static_cast<char>(dims.size())};
  for (const uint32_t extent : dims)
    for (const int shift : {24, 16, 8, 0}) bytes += static_cast<char>(extent >> shift);
  return bytes;
}

std::vector<uint8_t> counting(size_t n) {
  std::vector<uint8_t> bytes(n);
  std::iota(bytes.begin(), bytes.end(), 0);
  return bytes;
}

TEST(IdxFile, ReadsPlainAndGzipAlike) {
  const TemporaryDirectory scratch;
  for (const bool gzip : {false, true}) {
    const auto file = scratch / (gzip ? "a.gz" : "a");
    write_idx(file, {5, 2, 3}, counting(30), gzip);
    const IdxFile idx(file);
    EXPECT_EQ(idx.dims(), (std::vector<int64_t>{5, 2, 3}));
    EXPECT_EQ(idx.row_bytes(), 6);
    std::vector<uint8_t> row(6), part(2);
    idx.read(3, 0, row);
    EXPECT_EQ(row, (std::vector<uint8_t>{18, 19, 20, 21, 22, 23}));
    idx.read(4, 4, part);
    EXPECT_EQ(part, (std::vector<uint8_t>{28, 29}));
  }
}

TEST(IdxFile, StaysTheFileThatWasOpened) {
  const TemporaryDirectory scratch;
  write_idx(scratch / "a", {4, 2}, counting(8));
  const IdxFile first(scratch / "a");
  write_idx(scratch / "b", {5, 2}, counting(10));
  std::filesystem::rename(scratch / "b", scratch / "a");
  std::vector<uint8_t> row(2);
  first.read(3, 0, row);
  EXPECT_EQ(row, (std::vector<uint8_t>{6, 7}));
}

TEST(IdxFile, ReadsAFileLargerThanMemory) {
  const TemporaryDirectory scratch;
  const auto file = scratch / "big";
  write_text(file, header({1'000'000, 1000, 1000}));
  std::error_code error;
  std::filesystem::resize_file(file, 16 + 1'000'000'000'000, error);
  if (error) GTEST_SKIP() << "no sparse file of 1 TB here: " << error.message();
  const IdxFile idx(file);
  std::vector<uint8_t> part(3, 1);
  idx.read(999'999, 999'997, part);
  EXPECT_EQ(part, (std::vector<uint8_t>{0, 0, 0}));
}

TEST(IdxFile, RefusesEveryTruncation) {
  const TemporaryDirectory scratch;
  for (const bool gzip : {false, true}) {
    const auto whole = scratch / "whole";
    write_idx(whole, {7, 3, 2}, counting(42), gzip);
    const std::string bytes = read_text(whole);
    for (size_t n = 0; n < bytes.size(); ++n) {
      const auto cut = scratch / ("cut" + std::to_string(n));
      write_text(cut, bytes.substr(0, n));
      EXPECT_TRUE(has(refusal(cut), "truncated") && has(refusal(cut), "offset")) << n;
    }
  }
}

TEST(IdxFile, SaysWhatATruncatedFileHas) {
  const TemporaryDirectory scratch;
  write_text(scratch / "cut", header({10, 4}) + std::string(25, 'x'));
  EXPECT_TRUE(has(refusal(scratch / "cut"),
                  "cut is truncated: its header promises 52 bytes, it has 37 (offset 37)"));
}

TEST(IdxFile, RefusesMoreThanItPromises) {
  const TemporaryDirectory scratch;
  write_text(scratch / "long", header({2, 2}) + "12345");
  EXPECT_TRUE(has(refusal(scratch / "long"), "1 byte after the 16"));
  write_idx(scratch / "inner", {2, 2}, counting(5), true);
  EXPECT_TRUE(has(refusal(scratch / "inner"), "more than the 16 bytes"));
}

TEST(IdxFile, RefusesHostileHeaders) {
  const TemporaryDirectory scratch;
  const auto said = [&](const std::string& bytes) {
    write_text(scratch / "bad", bytes);
    return refusal(scratch / "bad");
  };
  EXPECT_TRUE(has(said(header({1'000'000, 1000, 1000})), "promises 1000000000016 bytes"));
  EXPECT_TRUE(has(said(header({~0U, ~0U, ~0U, ~0U})), "more than 2^60 bytes"));
  EXPECT_TRUE(has(said(header({3, 0, 2})), "is empty: its shape is [3, 0, 2]"));
  EXPECT_TRUE(has(said(header({2, 2}, 0x0d) + "1234"), "elements of type 13"));
  EXPECT_TRUE(has(said(std::string{0, 0, 8, 0}), "has 0 axes"));
  EXPECT_TRUE(has(said(header({1, 1, 1, 1, 1}) + "1"), "has 5 axes"));
  EXPECT_TRUE(has(said("\x89PNG...."), "is not an idx file"));
}

TEST(IdxFile, BoundsWhatGzipInflatesTo) {
  const TemporaryDirectory scratch;
  write_idx(scratch / "bomb", {2, 2}, std::vector<uint8_t>(10 << 20), true);
  EXPECT_TRUE(has(refusal(scratch / "bomb"), "more than the 16 bytes"));
  write_idx(scratch / "claim", {1'000'000, 1000, 1000}, counting(40), true);
  EXPECT_TRUE(has(refusal(scratch / "claim"), "can hold"));
  write_idx(scratch / "large", {3, 1 << 15, 1 << 14}, counting(40), true);
  std::filesystem::resize_file(scratch / "large", 2 << 20);  // as if it held as much
  EXPECT_TRUE(has(refusal(scratch / "large", Exit::resources), "gunzip it"));
}

TEST(IdxFile, RefusesEveryFlippedByteOfAGzipStream) {
  const TemporaryDirectory scratch;
  write_idx(scratch / "whole", {50, 4, 4}, counting(800), true);
  const std::string bytes = read_text(scratch / "whole");
  for (size_t i = 10; i < bytes.size(); ++i) {  // after the gzip header's harmless fields
    std::string flipped = bytes;
    flipped[i] = static_cast<char>(flipped[i] ^ 0x55);
    write_text(scratch / "flipped", flipped);
    EXPECT_NE(refusal(scratch / "flipped"), "") << i;
  }
  std::string late = bytes;
  late[late.size() - 6] ^= 1;  // the checksum
  write_text(scratch / "late", late);
  EXPECT_TRUE(has(refusal(scratch / "late"), "corrupt") &&
              has(refusal(scratch / "late"), "offset"));
}

TEST(IdxFile, RefusesWhatIsNoFile) {
  const TemporaryDirectory scratch;
  EXPECT_TRUE(has(refusal(scratch / "absent"), "cannot open"));
  std::filesystem::create_directory(scratch / "folder");
  EXPECT_TRUE(has(refusal(scratch / "folder"), "is not a file"));
}

TEST(IdxFile, FindsAFileThatWasCutWhileOpen) {
  const TemporaryDirectory scratch;
  write_idx(scratch / "a", {4, 2}, counting(8));
  const IdxFile idx(scratch / "a");
  std::filesystem::resize_file(scratch / "a", 14);
  std::vector<uint8_t> row(2);
  EXPECT_THROW(idx.read(3, 0, row), Error);
}

class IdxNode : public testing::Test {
 protected:
  void SetUp() override { write_tiny_idx(scratch.path(), {.train = 20, .test = 11, .side = 6}); }
  LoneNode::Params params(const std::string& labels = "train-labels-idx1-ubyte") {
    return {{"images", (scratch / "train-images-idx3-ubyte").string()},
            {"labels", labels.empty() ? "" : (scratch / labels).string()},
            {"batch", int64_t{4}}};
  }
  std::string refused(const LoneNode::Params& given) {
    try {
      LoneNode("idx", given).infer();
    } catch (const Error& error) {
      return error.sentence();
    }
    return "";
  }
  TemporaryDirectory scratch;
};

TEST_F(IdxNode, LoadsPixelsAndLabels) {
  LoneNode node("idx", params());
  node.infer();
  EXPECT_EQ(node.out("image").shape(), (Shape{4, 36}));
  node.forward(2, 4);
  EXPECT_EQ(node.ints("label"), (std::vector<int32_t>{8, 9, 0, 1}));
  for (int64_t i = 0; i < 4 * 36; ++i)
    ASSERT_EQ(node.floats("image")[i], tiny_pixel(8 + i / 36, i % 36 / 6, i % 6, 6) / 255.0F) << i;
}

TEST_F(IdxNode, ShapesImagesAndRange) {
  auto given = params("");
  given["flatten"] = false;
  given["range"] = std::string("symmetric");
  LoneNode node("idx", given);
  node.infer();
  EXPECT_EQ(node.out("image").shape(), (Shape{4, 6, 6, 1}));
  node.forward(0, 4);
  EXPECT_EQ(node.ints("label"), (std::vector<int32_t>{-1, -1, -1, -1}));
  for (int64_t i = 0; i < 4 * 36; ++i)
    ASSERT_NEAR(node.floats("image")[i], tiny_pixel(i / 36, i % 36 / 6, i % 6, 6) / 127.5 - 1,
                1e-6);
}

TEST_F(IdxNode, RefusesFilesThatDoNotFit) {
  EXPECT_TRUE(has(refused(params("t10k-labels-idx1-ubyte")), "has 20 images, but"));
  EXPECT_TRUE(has(refused(params("train-images-idx3-ubyte")), "not one label"));
  auto given = params("");
  given["images"] = (scratch / "train-labels-idx1-ubyte").string();
  EXPECT_TRUE(has(refused(given), "are they labels?"));
  write_idx(scratch / "rows", {9, 5}, counting(45));
  given["images"] = (scratch / "rows").string();
  EXPECT_EQ(refused(given), "");
  given["flatten"] = false;
  EXPECT_TRUE(has(refused(given), "leave `flatten` true"));
}

TEST_F(IdxNode, ClassesAndALimitMayBeChosen) {
  auto given = params();
  given["classes"] = std::vector<int64_t>{3, 1};
  LoneNode node("idx", given);
  node.infer();
  EXPECT_EQ(dynamic_cast<Source&>(node.node()).samples(), 4);
  node.forward(0, 4);
  EXPECT_EQ(node.ints("label"), (std::vector<int32_t>{1, 3, 1, 3}));
  EXPECT_EQ(node.floats("image")[36], tiny_pixel(3, 0, 0, 6) / 255.0F);
  given["limit"] = int64_t{3};
  LoneNode some("idx", given);
  some.infer();
  EXPECT_EQ(dynamic_cast<Source&>(some.node()).samples(), 3);
  given["classes"] = std::vector<int64_t>{3, 10};
  EXPECT_EQ(refused(given), "`classes` has 10, but no sample is of that class");
  given["labels"] = std::string();
  EXPECT_EQ(refused(given), "`classes` has 3, but no sample is of that class");
}

TEST_F(IdxNode, SaysWhereFilesAreSought) {
  auto given = params();
  given["images"] = std::string("digits/images");
  EXPECT_TRUE(has(refused(given), "`weft data fetch digits`"));
}

TEST(FashionMnist, ReadsTheFetchedFiles) {
  const TemporaryDirectory scratch;
  const Environment data_dir("WEFT_DATA_DIR", scratch.path().string());
  write_tiny_idx(scratch / "fashion_mnist", {.train = 30, .test = 12});
  LoneNode node("fashion_mnist",
                {{"split", std::string("test")}, {"limit", int64_t{10}}, {"batch", int64_t{5}}});
  node.infer();
  EXPECT_EQ(dynamic_cast<Source&>(node.node()).samples(), 10);
  node.forward(1, 5);
  EXPECT_EQ(node.ints("label"), (std::vector<int32_t>{5, 6, 7, 8, 9}));
  EXPECT_EQ(node.floats("image")[3 * 784 + 5], tiny_pixel(38, 0, 5, 28) / 255.0F);
}

TEST(FashionMnist, SaysHowToGetIt) {
  if (std::filesystem::exists("/usr/share/datasets/fashion-mnist"))
    GTEST_SKIP() << "Debian's package dataset-fashion-mnist is installed";
  const TemporaryDirectory scratch;
  const Environment data_dir("WEFT_DATA_DIR", scratch.path().string());
  LoneNode node("fashion_mnist", {{"batch", int64_t{5}}});
  EXPECT_THROW(node.infer(), Error);
}

}  // namespace
}  // namespace weft::tests
