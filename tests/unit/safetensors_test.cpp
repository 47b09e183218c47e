#include "framework/formats/safetensors.h"

#include <gtest/gtest.h>

#include <bit>
#include <cstring>
#include <limits>
#include <nlohmann/json.hpp>
#include <random>
#include <vector>

namespace weft {
namespace {

class SafetensorsTest : public testing::Test {
 protected:
  static std::string written(const std::vector<NamedTensor>& tensors,
                             const std::map<std::string, std::string>& metadata = {}) {
    std::string bytes;
    write_safetensors(tensors, metadata, [&](const void* from, size_t size) {
      bytes.append(static_cast<const char*>(from), size);
    });
    return bytes;
  }

  static Safetensors read(const std::string& bytes) {
    size_t at = 0;
    Safetensors file("file.safetensors", bytes.size(), [&](void* to, size_t size) {
      ASSERT_LE(size, bytes.size() - at);
      std::memcpy(to, bytes.data() + at, size);
      at += size;
    });
    EXPECT_EQ(at, bytes.size());
    return file;
  }

  // A file of this header and so many bytes of data.
  static std::string file(const std::string& header, size_t data = 0) {
    const uint64_t length = header.size();
    std::string bytes(8, '\0');
    std::memcpy(bytes.data(), &length, 8);
    return bytes + header + std::string(data, 'x');
  }

  static std::string braced(const std::string& entries) {
    return std::string("{").append(entries).append("}");
  }

  static std::string entry(const std::string& name, const std::string& dtype,
                           const std::string& shape, const std::string& offsets) {
    return '"' + name + R"(":{"dtype":")" + dtype + R"(","shape":)" + shape +
           R"(,"data_offsets":)" + offsets + "}";
  }

  // The sentence that refuses these bytes; "" if they are accepted.
  static std::string refusal(const std::string& bytes) {
    try {
      read(bytes);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Exit::checkpoint) << error.what();
      EXPECT_EQ(error.place().file, "file.safetensors");
      EXPECT_FALSE(error.sentence().empty());
      return error.sentence();
    }
    return "";
  }

  static void expect_refused(const std::string& bytes, const std::string& reason) {
    const std::string sentence = refusal(bytes);
    EXPECT_NE(sentence.find(reason), std::string::npos)
        << "expected: " << reason << "\nfound: " << sentence;
  }
};

TEST_F(SafetensorsTest, RoundTripKeepsEveryBit) {
  std::vector<float> weight{0.0F,
                            -0.0F,
                            1e-45F,
                            std::numeric_limits<float>::infinity(),
                            std::bit_cast<float>(0x7fc12345U),
                            -3.25F};
  std::vector<int32_t> counts{INT32_MIN, -1, 7};
  float scalar = 2.5F;
  const std::vector<NamedTensor> tensors{
      {"z.weight", {{2, 3}, DType::f32, weight.data()}},
      {"a \"quoted\"\n\u00e9", {{3}, DType::i32, counts.data()}},
      {"scalar", {{}, DType::f32, &scalar}},
      {"empty", {{0, 4}, DType::f32, nullptr}},
  };
  Safetensors first = read(written(tensors, {{"format", "pt"}, {"a", "b\"c"}}));
  const Safetensors file = std::move(first);
  EXPECT_EQ(file.metadata(), (std::map<std::string, std::string>{{"format", "pt"}, {"a", "b\"c"}}));
  ASSERT_EQ(file.tensors().size(), tensors.size());
  for (const auto& [name, tensor] : tensors) {
    const Tensor& found = file.tensors().at(name);
    EXPECT_EQ(found.shape, tensor.shape) << name;
    EXPECT_EQ(found.dtype, tensor.dtype) << name;
    if (tensor.size() == 0) continue;
    EXPECT_EQ(std::memcmp(found.data, tensor.data, static_cast<size_t>(tensor.size()) * 4), 0);
  }
}

TEST_F(SafetensorsTest, TheLayoutIsTheFormats) {
  float numbers[] = {1.0F, 2.0F, 3.0F};
  const std::string bytes = written({{"w", {{3}, DType::f32, numbers}}});
  uint64_t length = 0;
  std::memcpy(&length, bytes.data(), 8);
  EXPECT_EQ(length % 8, 0U);
  EXPECT_EQ(bytes.size(), 8 + length + 12);
  const std::string header = bytes.substr(8, length);
  const std::string json = R"({"w":{"dtype":"F32","shape":[3],"data_offsets":[0,12]}})";
  EXPECT_EQ(header, json + std::string(length - json.size(), ' '));
  EXPECT_EQ(bytes.substr(8 + length), std::string("\0\0\x80\x3f\0\0\0\x40\0\0\x40\x40", 12));
}

TEST_F(SafetensorsTest, NoTensorsAtAll) {
  EXPECT_TRUE(read(written({})).tensors().empty());
  EXPECT_EQ(written({}), file("{}      "));
  EXPECT_EQ(read(written({}, {{"key", "value"}})).metadata().at("key"), "value");
}

// Numbers are aligned in memory even if the header left them at an odd byte of the file.
TEST_F(SafetensorsTest, ReadsAnUnalignedFileInAnyOrderOfEntries) {
  std::string header =
      braced(entry("b", "I32", "[1]", "[8,12]") + "," + entry("a", "F32", "[2,1]", "[0,8]"));
  if (header.size() % 2 == 0) header += " ";
  const Safetensors unaligned = read(file(header, 12));
  const Tensor a = unaligned.tensors().at("a"), b = unaligned.tensors().at("b");
  EXPECT_EQ(std::bit_cast<uintptr_t>(a.data) % 64, 0U);
  EXPECT_EQ(b.data, static_cast<char*>(a.data) + 8);
  EXPECT_EQ(*b.ints(), 0x78787878);
  EXPECT_EQ(a.shape, (Shape{2, 1}));
}

TEST_F(SafetensorsTest, RefusesALengthThatCannotBe) {
  for (size_t size = 0; size < 8; ++size) expect_refused(std::string(size, '\0'), "byte 0");
  expect_refused(std::string(8, '\0'), "does not begin");
  expect_refused(std::string(8, '\xff') + "{}", "byte 0: a header of 18446744073709551615 bytes");
  expect_refused(file("{}").substr(0, 9), "byte 0: a header of 2 bytes, where at most 1");
  const auto only_a_length = [](void* to, size_t size) {
    const uint64_t length = 100'000'001;
    ASSERT_EQ(size, sizeof length);
    std::memcpy(to, &length, sizeof length);
  };
  EXPECT_THROW(Safetensors("huge", 200'000'000, only_a_length), Error);
}

TEST_F(SafetensorsTest, RefusesWhatIsNotJson) {
  for (const std::string header :
       {"", " {}", "\xef\xbb\xbf{}", "[]", "null", "{", "{]", "{}}", "{},", "{\"a\":}", "{//\n}",
        "{'a':1}", "{\"\xff\":{}}", "{\"a", "{}\x01"})
    EXPECT_NE(refusal(file(header)), "") << header;
  expect_refused(file(std::string("{}\0x", 4)), "byte 10: the header has a zero byte");
  expect_refused(file("{} x"), "byte 12: the header is not JSON");
  EXPECT_NE(refusal(file("{\"a\":" + std::string(1'000'000, '['))), "");
  EXPECT_NE(refusal(file("{\"a\":{\"dtype\":" + std::string(1'000'000, '{'))), "");
}

TEST_F(SafetensorsTest, RefusesWhatIsNotAnEntry) {
  const auto header = [&](const std::string& fields) { return file("{\"w\":" + fields + "}", 4); };
  for (const char* value : {"1", "null", "true", "\"x\"", "[]", "-1", "1.5"})
    expect_refused(header(value), "entry `w`");
  expect_refused(header("{}"), "entry `w`: needs `dtype`, `shape` and `data_offsets`");
  expect_refused(header(R"({"dtype":"F32","shape":[1]})"), "needs");
  expect_refused(header(R"({"dtype":"F32","data_offsets":[0,4]})"), "needs");
  expect_refused(header(R"({"shape":[1],"data_offsets":[0,4]})"), "needs");
  expect_refused(header(R"({"dtype":"F32","shape":[1],"data_offsets":[0,4],"x":1})"),
                 "unknown key `x`");
  for (const char* shape : {"1", "{}", "\"1\"", "[-1]", "[1.0]", "[1e0]", "[null]", "[[1]]",
                            "[\"1\"]", "[18446744073709551616]", "null", "[{}]"})
    expect_refused(
        header(std::string(R"({"dtype":"F32","shape":)") + shape + R"(,"data_offsets":[0,4]})"),
        "entry `w`");
  for (const char* dtype : {"1", "null", "[]", "[1]", "{}"})
    expect_refused(
        header(std::string(R"({"dtype":)") + dtype + R"(,"shape":[1],"data_offsets":[0,4]})"),
        "entry `w`");
  for (const char* offsets : {"[]", "[0]", "[0,4,4]", "[4,0]", "[0,8]", "[0,3]", "[4,8]", "[1,5]",
                              "[-4,0]", "[18446744073709551612,0]", "[0,18446744073709551615]"})
    expect_refused(file(braced(entry("w", "F32", "[1]", offsets)), 4), "entry `w`");
}

TEST_F(SafetensorsTest, RefusesOtherTypesByName) {
  for (const char* dtype : {"F16", "BF16", "F64", "I64", "U8", "BOOL", "f32", ""})
    expect_refused(file(braced(entry("w", dtype, "[1]", "[0,4]")), 4),
                   std::string("entry `w`: dtype `") + dtype + "`; only F32 and I32");
}

TEST_F(SafetensorsTest, RefusesDuplicates) {
  const std::string w = entry("w", "F32", "[1]", "[0,4]");
  expect_refused(file(braced(w + "," + w), 4), "entry `w`: stands there twice");
  expect_refused(file(braced(w + "," + entry("\\u0077", "F32", "[1]", "[4,8]")), 8),
                 "entry `w`: stands there twice");
  expect_refused(file(R"({"w":{"dtype":"F32","dtype":"F32","shape":[1],"data_offsets":[0,4]}})", 4),
                 "`dtype` stands there twice");
  expect_refused(file(R"({"w":{"shape":[],"shape":[1],"dtype":"F32","data_offsets":[0,4]}})", 4),
                 "`shape` stands there twice");
  expect_refused(file(R"({"__metadata__":{},"__metadata__":{}})"), "twice");
  expect_refused(file(R"({"__metadata__":{"a":"b","a":"c"}})"), "`a` stands there twice");
}

TEST_F(SafetensorsTest, MetadataIsTextOnly) {
  for (const char* value : {"1", "null", "[]", "{}", "true", "-1", "0.5"})
    expect_refused(file(std::string(R"({"__metadata__":{"a":)") + value + "}}"),
                   "entry `__metadata__`");
  for (const char* value : {"1", "\"a\"", "[]"})
    expect_refused(file(std::string(R"({"__metadata__":)") + value + "}"), "entry `__metadata__`");
}

TEST_F(SafetensorsTest, RefusesShapesThatOverflow) {
  for (const char* shape :
       {"[18446744073709551615,18446744073709551615]", "[4294967296,4294967296]",
        "[1099511627776,1099511627776]", "[9223372036854775808,2]", "[1099511627777]",
        "[4611686018427387905]", "[0,1099511627777]"})
    expect_refused(file(braced(entry("w", "F32", shape, "[0,4]")), 4), "entry `w`");
  EXPECT_EQ(refusal(file(braced(entry("w", "F32", "[1,1,1,1,1,1,1,1]", "[0,4]")), 4)), "");
  expect_refused(file(braced(entry("w", "F32", "[1,1,1,1,1,1,1,1,1]", "[0,4]")), 4),
                 "more than 8 numbers");
}

TEST_F(SafetensorsTest, TheEntriesCoverTheFileExactly) {
  const std::string a = entry("a", "F32", "[2]", "[0,8]");
  EXPECT_EQ(refusal(file(braced(a), 8)), "");
  expect_refused(file(braced(a), 7), "cover 8 bytes, the file has 7");
  expect_refused(file(braced(a), 9), "cover 8 bytes, the file has 9");
  expect_refused(file("{}", 1), "cover 0 bytes, the file has 1");
  const std::string overlapping = entry("b", "F32", "[2]", "[4,12]");
  expect_refused(file(braced(a + "," + overlapping), 12), "entry `b`: its range begins at 4");
  const std::string same = entry("b", "F32", "[2]", "[0,8]");
  expect_refused(file(braced(a + "," + same), 8), "entry `b`");
  const std::string after_gap = entry("b", "F32", "[1]", "[12,16]");
  expect_refused(file(braced(a + "," + after_gap), 16), "entry `b`: its range begins at 12");
  const std::string nothing = entry("b", "F32", "[0]", "[8,8]");
  EXPECT_EQ(refusal(file(braced(nothing + "," + a), 8)), "");
  const std::string nothing_inside = entry("b", "F32", "[0]", "[4,4]");
  expect_refused(file(braced(nothing_inside + "," + a), 8), "entry `b`");
}

TEST_F(SafetensorsTest, RefusesTooManyEntries) {
  const auto header = [&](size_t count) {
    std::string text = "{";
    for (size_t i = 0; i < count; ++i)
      text += (i ? "," : "") + entry(std::to_string(i), "F32", "[0]", "[0,0]");
    return text + "}";
  };
  EXPECT_EQ(refusal(file(header(100'000))), "");
  expect_refused(file(header(100'001)), "more than 100000 entries");
  std::string metadata = R"({"__metadata__":{)";
  for (int i = 0; i < 100'001; ++i)
    metadata.append(i ? ",\"" : "\"").append(std::to_string(i)).append("\":\"\"");
  expect_refused(file(metadata + "}}"), "more than 100000 entries");
}

TEST_F(SafetensorsTest, ARefusalShowsNoControlCharactersAndNoEndlessName) {
  const std::string sentence =
      refusal(file(R"({"\u001b[31m\n)" + std::string(100'000, 'a') + R"(":1})"));
  EXPECT_LT(sentence.size(), 200U);
  for (const char c : sentence) EXPECT_FALSE(c == '\n' || c == '\x1b');
}

TEST_F(SafetensorsTest, EveryTruncationIsRefused) {
  std::vector<float> numbers(20, 1.0F);
  const std::string whole = written(
      {{"a", {{4, 3}, DType::f32, numbers.data()}}, {"b", {{8}, DType::f32, numbers.data() + 12}}});
  EXPECT_EQ(refusal(whole), "");
  for (size_t size = 0; size < whole.size(); ++size)
    EXPECT_NE(refusal(whole.substr(0, size)), "") << size;
  EXPECT_NE(refusal(whole + '\0'), "");
}

// Damage that the format cannot show (data, names) loads; nothing else may crash or be unsafe.
TEST_F(SafetensorsTest, DamagedHeadersNeverGiveTensorsOutsideTheFile) {
  std::vector<float> numbers(20, 1.0F);
  const std::string whole = written(
      {{"a", {{4, 3}, DType::f32, numbers.data()}}, {"b", {{8}, DType::i32, numbers.data() + 12}}},
      {{"format", "pt"}});
  const size_t header = whole.size() - 80;
  std::mt19937 random(1);
  int refused = 0;
  for (int i = 0; i < 4000; ++i) {
    std::string damaged = whole;
    for (uint32_t n = 1 + random() % 3; n > 0; --n) {
      const size_t at = random() % header;
      damaged[at] = random() % 2 ? static_cast<char>(random())
                                 : static_cast<char>(damaged[at] ^ (1 << random() % 8));
    }
    try {
      const Safetensors file = read(damaged);
      std::string data;
      for (const auto& [name, tensor] : file.tensors())
        data.append(static_cast<const char*>(tensor.data), static_cast<size_t>(tensor.size()) * 4);
      ASSERT_EQ(data.size(), 80U);
    } catch (const Error& error) {
      ASSERT_EQ(error.code(), Exit::checkpoint);
      ++refused;
    }
  }
  EXPECT_GT(refused, 2000);
}

TEST_F(SafetensorsTest, WhatCannotBeWrittenIsRefused) {
  float x = 1;
  const Tensor one{{1}, DType::f32, &x};
  bool begun = false;
  const auto code = [&](const std::vector<NamedTensor>& tensors) {
    try {
      write_safetensors(tensors, {}, [&](const void*, size_t) { begun = true; });
    } catch (const Error& error) {
      return error.code();
    }
    return Exit::done;
  };
  EXPECT_EQ(code({{"a", one}, {"a", one}}), Exit::checkpoint);
  EXPECT_EQ(code({{"__metadata__", one}}), Exit::checkpoint);
  EXPECT_EQ(code({{"\xff", one}}), Exit::checkpoint);
  EXPECT_EQ(code({{"a", {{1}, DType::f32, nullptr}}}), Exit::checkpoint);
  EXPECT_FALSE(begun);
  EXPECT_EQ(code({{"a", one}, {"b", one}}), Exit::done);
}

}  // namespace
}  // namespace weft
