// Input that is meant to break the program: it must say in a sentence what is wrong, soon and in
// little memory, and end with an exit code of its own.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "tests/support/program.h"
#include "tests/support/temporary_directory.h"
#include "tests/support/text_file.h"
#include "tests/support/tiny_idx.h"

namespace weft::tests {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

std::string times(int64_t count, const std::string& text) {
  std::string all;
  for (int64_t i = 0; i < count; ++i) all += text;
  return all;
}

// A sound pipeline but for the shape of what it generates.
std::string of_shape(const std::string& shape) {
  return "weft: 1\ngenerate:\n  nodes:\n    z: {node: normal, shape: " + shape +
         "}\n    f: {node: npy_file, x: z, path: z.npy}\n";
}

std::string of_data(const std::string& images, const std::string& more = "") {
  return "weft: 1\nevaluate:\n  data: {node: idx, batch: 4, images: " + images + more +
         "}\n  nodes: {e: {node: mse, x: data.image, target: data.image}}\n  report: e\n";
}

#ifdef __SANITIZE_ADDRESS__
constexpr int64_t most_bytes = int64_t{1} << 30;
#else
constexpr int64_t most_bytes = int64_t{200} << 20;
#endif

class Hostile : public testing::Test {
 protected:
  // `weft check` of a file: ends as it should, and what it says.
  std::string check(const fs::path& file, int exit) const {
    const double begin = seconds_now();
    const Ended ended = run({{program("weft"), "check", file}, here_.path(), {}, 30});
    EXPECT_EQ(ended.exit, exit) << ended.err;
    EXPECT_EQ(ended.signal, 0);
    EXPECT_LT(seconds_now() - begin, 5.0);  // 1 s on a machine that has nothing else to do
    EXPECT_LT(ended.peak_bytes, most_bytes);
    EXPECT_LT(ended.err.size(), 16000U);
    EXPECT_THAT(ended.err, Not(HasSubstr("unexpected:"))) << ended.err;
    EXPECT_EQ(ended.out, "");
    return ended.err;
  }
  std::string check_text(const std::string& text, int exit = 2) const {
    write_text(here_ / "pipeline.yaml", text);
    return check("pipeline.yaml", exit);
  }
  std::string check_data(const std::string& bytes) const {
    write_text(here_ / "images", bytes);
    return check_text(of_data("images"), 4);
  }

  TemporaryDirectory here_;
};

TEST_F(Hostile, TheSoundOneIsSound) {
  write_text(here_ / "pipeline.yaml", of_shape("[4, 3]"));
  EXPECT_EQ(run({{program("weft"), "check", "pipeline.yaml"}, here_.path()}).exit, 0);
}

TEST_F(Hostile, AliasBomb) {
  std::string bomb = "weft: 1\na0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 12; ++i) {
    const std::string alias = "*a" + std::to_string(i - 1);
    bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + alias +
            times(9, ", " + alias) + "]\n";
  }
  EXPECT_THAT(check_text(bomb), StartsWith("pipeline.yaml:"));
}

TEST_F(Hostile, VariableBombs) {
  std::string list = "weft: 1\nvars:\n  a0: [x, x]\n", text = "weft: 1\nvars:\n  a0: xxxxxxxxxx\n";
  for (int i = 1; i < 30; ++i) {
    const std::string key = "  a" + std::to_string(i) + ": ", var = "$a" + std::to_string(i - 1);
    list += key + "[" + var + times(9, ", " + var) + "]\n";
    text += key + times(10, var) + "\n";
  }
  EXPECT_THAT(check_text(list), HasSubstr("more than 100,000 values"));
  EXPECT_THAT(check_text(text), HasSubstr("16 MiB of text"));
}

TEST_F(Hostile, RepeatBombs) {
  std::string modules = "weft: 1\nmodules:\n";
  for (int i = 0; i < 40; ++i) {
    const std::string next = "use: m" + std::to_string(i + 1);
    modules += "  m" + std::to_string(i) + ": {inputs: [x], nodes: {a: {" + next + ", x: x}, b: {" +
               next + ", x: a}}, outputs: {y: b}}\n";
  }
  modules += "  m40: {inputs: [x], nodes: {a: {node: relu, x: x}}, outputs: {y: a}}\n";
  const std::string head = "generate:\n  nodes:\n    z: {node: normal, shape: [2]}\n";
  EXPECT_THAT(check_text(modules + head + "    u: {use: m0, x: z}\n"),
              HasSubstr("at most 20000 nodes"));
  EXPECT_THAT(check_text("weft: 1\nfragments:\n  f: {inputs: [x], nodes: {a: {repeat: 10000, node: "
                         "relu, x: x}}, outputs: {y: a}}\n" +
                         head + "    u: {repeat: 10000, node: f, x: z}\n"),
              HasSubstr("at most 20000 nodes"));
  EXPECT_THAT(check_text("weft: 1\n" + head + "    a: {repeat: 10000, node: relu, x: z, s: [" +
                         times(99, "z, ") + "z]}\n"),
              HasSubstr("more than 100,000 values"));
}

TEST_F(Hostile, NodesThatWaitForOneAnother) {
  std::string chain = "weft: 1\ngenerate:\n  nodes:\n";
  for (int i = 0; i < 19'000; ++i)
    chain += "    a" + std::to_string(i) + ": {node: relu, x: a" + std::to_string(i + 1) + "}\n";
  EXPECT_THAT(check_text(chain), HasSubstr("nodes wait for one another"));
}

TEST_F(Hostile, DeepNesting) {
  EXPECT_THAT(check_text("weft: 1\na: " + times(100'000, "[")), StartsWith("pipeline.yaml:"));
  EXPECT_THAT(check_text("weft: 1\na: " + times(100'000, "{a: ")), StartsWith("pipeline.yaml:"));
  EXPECT_THAT(
      check_text("weft: 1\nvars: {a: $(" + times(100'000, "(") + "1" + times(100'000, ")") + ")}\n")
          .substr(0, 100),
      StartsWith("pipeline.yaml:"));
}

TEST_F(Hostile, LongNamesAreNotEchoedWhole) {
  const std::string said = check_text("weft: 1\nname: \"" + times(150'000, "ab€") + "\"\n");
  EXPECT_THAT(said, HasSubstr(" … "));
  EXPECT_LT(said.size(), 8000U);
}

TEST_F(Hostile, FilesThatNeverEnd) {
  if (fs::exists("/proc/kmsg")) check("/proc/kmsg", 2);
}

TEST_F(Hostile, Shapes) {
  EXPECT_THAT(check_text(of_shape("[262144, 1048576]"), 7),
              AllOf(StartsWith("pipeline.yaml:3:3: "), HasSubstr("GiB of memory")));
  EXPECT_THAT(check_text(of_shape("[1099511627776, 4]"), 7), HasSubstr("more than 2^40 elements"));
  EXPECT_THAT(check_text(of_shape("[9223372036854775807, 9223372036854775807]"), 7),
              HasSubstr("more than 2^40 elements"));
  EXPECT_THAT(check_text(of_shape("[9223372036854775808]")), HasSubstr("an integer of 64 bits"));
  EXPECT_THAT(check_text(of_shape("[4, 0]")), HasSubstr("at least 1"));
  EXPECT_THAT(check_text(of_shape("[-4, 3]")), HasSubstr("at least 1"));
  EXPECT_THAT(check_text(of_shape("[" + times(1000, "1, ") + "1]")), HasSubstr("at most 8 axes"));
  EXPECT_THAT(check_text(of_shape("[]")), StartsWith("pipeline.yaml:4:"));
}

TEST_F(Hostile, NotText) {
  EXPECT_THAT(check_text("weft: 1\nname: caf\xe9\n"), HasSubstr("pipeline.yaml:2:10: "));
  EXPECT_THAT(check_text(std::string("weft: 1\nname: a\0b\n", 18)),
              HasSubstr("pipeline.yaml:2:8: "));
  EXPECT_THAT(check_text(std::string(100, '\0')), HasSubstr("pipeline.yaml:1:1: "));
  EXPECT_THAT(check_text("\x7f"
                         "ELF\x02\x01\x01"),
              HasSubstr("pipeline.yaml:1:"));
  EXPECT_THAT(check_text(""), HasSubstr("pipeline.yaml:1:1: "));
  EXPECT_THAT(check_text(times(1 << 20, "a\n")), HasSubstr("1 MiB"));
}

TEST_F(Hostile, NotAFile) {
  EXPECT_THAT(check("nowhere.yaml", 2), HasSubstr("nowhere.yaml: there is no such file"));
  EXPECT_THAT(check(".", 2), HasSubstr("directory"));
  EXPECT_THAT(check("/dev/zero", 2), HasSubstr("/dev/zero: "));
  ASSERT_EQ(::mkfifo((here_ / "pipe").c_str(), 0600), 0);
  EXPECT_THAT(check("pipe", 2), HasSubstr("pipe: "));
  fs::create_symlink("loop", here_ / "loop");
  EXPECT_THAT(check("loop", 2), HasSubstr("loop: "));
}

TEST_F(Hostile, Data) {
  const std::string head{"\0\0\x08\x03\0\0\0\x08\0\0\0\x04\0\0\0\x04", 16};
  write_text(here_ / "images", head + std::string(128, 'x'));
  EXPECT_EQ(run({{program("weft"), "check", "pipeline.yaml"}, here_.path()}).exit, 2);
  write_text(here_ / "pipeline.yaml", of_data("images"));
  EXPECT_EQ(run({{program("weft"), "check", "pipeline.yaml"}, here_.path()}).exit, 0);

  EXPECT_THAT(check_data(""), AllOf(HasSubstr("images is truncated"), HasSubstr("offset 0")));
  EXPECT_THAT(check_data(head.substr(0, 11)), HasSubstr("offset 11"));
  EXPECT_THAT(check_data(head + std::string(100, 'x')), HasSubstr("offset 116"));
  EXPECT_THAT(check_data(head + std::string(129, 'x')), HasSubstr("1 byte after the 144"));
  EXPECT_THAT(check_data("PK\x03\x04" + std::string(100, 'x')), HasSubstr("not an idx file"));
  EXPECT_THAT(check_data({"\0\0\x0d\x03\0\0\0\x08\0\0\0\x04\0\0\0\x04", 16}), HasSubstr("type 13"));
  EXPECT_THAT(
      check_data(
          {"\0\0\x08\x04\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 20}),
      AllOf(HasSubstr("corrupt"), HasSubstr("offset")));
  EXPECT_THAT(check_data("\x1f\x8b\x08" + std::string(40, 'x')),
              AllOf(HasSubstr("images is corrupt"), HasSubstr("offset")));
  EXPECT_THAT(check_text(of_data("nowhere"), 4), HasSubstr("nowhere"));
  EXPECT_THAT(check_text(of_data("/dev/zero"), 4), HasSubstr("/dev/zero is not a file"));
  EXPECT_THAT(check_text(of_data("."), 4), HasSubstr("is not a file"));
}

TEST_F(Hostile, DataThatDisagree) {
  write_tiny_idx(here_.path(), {.train = 20, .test = 8, .side = 4, .gzip = true});
  EXPECT_THAT(
      check_text(of_data("train-images-idx3-ubyte.gz", ", labels: t10k-labels-idx1-ubyte.gz"), 4),
      AllOf(HasSubstr("20 images"), HasSubstr("8 labels")));
  const std::string whole = read_text(here_ / "train-images-idx3-ubyte.gz");
  EXPECT_THAT(check_data(whole.substr(0, whole.size() / 2)),
              AllOf(HasSubstr("images is truncated"), HasSubstr("offset")));
}

TEST_F(Hostile, Plugins) {
  const auto with = [&](const std::string& plugin) {
    return check_text("weft: 1\nplugins: [" + plugin + "]\n" + of_shape("[4]").substr(8), 3);
  };
  const std::string layers = read_text(program("../lib/weft/plugins/libweft_layers.so"));
  write_text(here_ / "half.so", layers.substr(0, layers.size() / 2));
  write_text(here_ / "text.so", "no plugin\n");
  EXPECT_THAT(with("half.so"), AllOf(StartsWith("pipeline.yaml:2:11: "), HasSubstr("half.so")));
  EXPECT_THAT(with("text.so"), HasSubstr("text.so is not a shared library"));
  EXPECT_THAT(with("nowhere.so"), HasSubstr("nowhere.so does not exist"));
  EXPECT_THAT(with("text.so, half.so"), AllOf(HasSubstr("text.so"), HasSubstr("half.so")));
}

}  // namespace
}  // namespace weft::tests
