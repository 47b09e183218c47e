// The text of R's lazy-load databases.
#include "framework/datasets/rdb.h"

#include <gmock/gmock.h>
#include <zlib.h>

#include <optional>
#include <vector>

#include "framework/node/error.h"
#include "tests/support/temporary_directory.h"
#include "tests/support/text_file.h"

namespace weft::tests {
namespace {

using testing::HasSubstr;

std::string big_endian(uint32_t n) {
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(n >> shift & 0xff);
  return bytes;
}

std::string text(const std::string& bytes) {
  return big_endian(static_cast<uint32_t>(bytes.size())) + bytes;
}

const std::string head =
    "X\n" + big_endian(3) + big_endian(0x40201) + big_endian(0x30500) + text("UTF-8");

std::string strings(const std::vector<std::optional<std::string>>& all) {
  std::string value = head + big_endian(16) + big_endian(static_cast<uint32_t>(all.size()));
  for (const auto& one : all)
    value += big_endian(0x8009) + (one ? text(*one) : big_endian(0xffffffff));
  return value;
}

std::string block(const std::string& value) {
  uLongf size = compressBound(value.size());
  std::string zipped(size, '\0');
  compress(reinterpret_cast<Bytef*>(zipped.data()), &size,
           reinterpret_cast<const Bytef*>(value.data()), value.size());
  return big_endian(static_cast<uint32_t>(value.size())) + zipped.substr(0, size);
}

std::string read(const std::string& rdb, int64_t most = 1000) {
  const TemporaryDirectory scratch;
  write_text(scratch / "tiny.rdb", rdb);
  return datasets::rdb_text(scratch / "tiny.rdb", "tiny.rdb", most);
}

std::string refused(const std::string& rdb, int64_t most = 1000) {
  try {
    read(rdb, most);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Exit::data);
    return error.what();
  }
  return "";
}

TEST(Rdb, WritesTheLinesOfCharacterVectors) {
  const std::string integers = head + big_endian(13) + big_endian(1) + big_endian(7);
  EXPECT_EQ(read(block(strings({"Emma", "", "häns"})) + block(integers) +
                 block(strings({std::nullopt, "end"}))),
            "Emma\n\nhäns\n\nNA\nend\n");
  EXPECT_EQ(read(""), "");
}

TEST(Rdb, RefusesWhatIsBroken) {
  const std::string value = strings({"one", "two"}), good = block(value);
  for (size_t size = 1; size < good.size(); ++size)
    EXPECT_THAT(refused(good.substr(0, size)), HasSubstr("tiny.rdb is corrupt: ")) << size;
  EXPECT_THAT(refused(good + "12345"), HasSubstr("a value"));
  EXPECT_THAT(refused(big_endian(0xffffffff)), HasSubstr("a negative number of bytes"));
  EXPECT_THAT(refused(big_endian(0x7fffffff)), HasSubstr("a value of more than 256 MiB"));
  EXPECT_THAT(refused(big_endian(9) + good.substr(4)), HasSubstr("is not as long as it says"));
  EXPECT_THAT(refused(block("RDX3\n plus")), HasSubstr("is not serialised as XDR, version 3"));
  for (size_t size = 0; size < value.size(); ++size)
    EXPECT_NE(refused(block(value.substr(0, size))), "") << size;
  EXPECT_THAT(refused(block(head + big_endian(16) + big_endian(1) + big_endian(14) + text("x"))),
              HasSubstr("what should be a string is none"));
  EXPECT_THAT(refused(block(head + big_endian(16) + big_endian(0x7fffffff))),
              HasSubstr("ends inside a value"));
}

TEST(Rdb, BoundsTheText) {
  const std::string rdb = block(strings({"one", "two"}));
  EXPECT_EQ(read(rdb, 8), "one\ntwo\n");
  EXPECT_THAT(refused(rdb, 7), HasSubstr("has more text than the 7 bytes it must have"));
}

}  // namespace
}  // namespace weft::tests
