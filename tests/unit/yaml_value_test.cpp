#include <gtest/gtest.h>

#include <functional>
#include <random>

#include "framework/language/yaml.h"

namespace weft {
namespace {

// What the code says to the person who made the mistake, or "" if it refuses nothing.
std::string complaint(const std::function<void()>& code) {
  try {
    code();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Exit::usage);
    return error.what();
  }
  return "";
}

std::string repeated(const std::string& text, size_t bytes) {
  std::string all;
  while (all.size() + text.size() <= bytes) all += text;
  return all;
}

std::string complaint(const std::string& text) {
  return complaint([&] { Yaml::parse(text, "f"); });
}

Yaml value_of(const std::string& text) {
  return *Yaml::parse("v: " + text, "f").find("v");
}

TEST(Yaml, WritesWhatItReads) {
  const std::string text = R"(weft: 1
about: "Variational autoencoder: Fashion-MNIST"
vars: {latent: 20, batch: 128}
modules:
  encoder:
    inputs: [x]
    nodes:
      h: {node: linear, x: x, features: 400, activation: relu}
      mean: {node: linear, x: h, features: $latent, why: "no [activation]"}
train:
  phases:
    - minimize: loss
      update: [encoder, decoder]
      optimizer: {node: adam, lr: 1e-3, betas: [0.5, 0.999]}
    - name: d,g
      shape:
        - $count
        - [1, -2]
  epochs: ~
)";
  EXPECT_EQ(Yaml::parse(text, "f").str(), text);
  const std::string line = "a: [" + repeated("1, ", 72) + "1]\n";
  EXPECT_EQ(line.size(), 79);
  EXPECT_EQ(Yaml::parse("b: 1\nc: {}\nd: []\n" + line, "f").str().size(), 17 + line.size());
  EXPECT_EQ(Yaml::parse("{a: [[1, 2]], b: x}", "f").str(), "a:\n  - [1, 2]\nb: x\n");
}

// Random texts of YAML's own marks: each is refused, or survives writing and reading.
TEST(Yaml, WritesEveryTextItAccepts) {
  const char* const marks[] = {
      "a", "b",  "-",   "- ", "? ", ": ",  ":",    "\n",  "\n  ", "  ",  "[",    "]",   "{",  "}",
      ",", "&a", "*a ", "\"", "'",  "|\n", ">-\n", "#",   " #",   "~",   "---",  "...", "<<", "1e3",
      "é", "\t", "@",   "%",  "?",  "x: ", "y: ",  "- z", "!x ",  "\\n", "\n\n", "null"};
  std::mt19937 random(7);
  int accepted = 0;
  for (int i = 0; i < 20'000; ++i) {
    std::string text;
    for (size_t left = 1 + random() % 12; left > 0; --left)
      text += marks[random() % std::size(marks)];
    Yaml yaml;
    if (!complaint([&] { yaml = Yaml::parse(text, "f"); }).empty()) continue;
    ++accepted;
    const std::string written = yaml.str();
    EXPECT_EQ(complaint(written), "") << text << "\n" << written;
    EXPECT_EQ(Yaml::parse(written, "g"), yaml) << text << "\n" << written;
  }
  EXPECT_GT(accepted, 3'000);
}

TEST(Yaml, WritesEveryTree) {
  std::mt19937 random(11);
  const char* const pieces[] = {
      "a", " ",  "\n",           "\"", "\\", "#", ":", "-",  "\x01", "\x7f", "\xc2\x85",
      "é", "\r", "\xef\xbb\xbf", "{",  ",",  "?", "%", "<<", "~",    "$v",   "..."};
  const auto text = [&] {
    std::string all;
    for (size_t left = random() % 6; left > 0; --left) all += pieces[random() % std::size(pieces)];
    return random() % 50 ? all : all + std::string(1200, 'k');
  };
  const std::function<Yaml(int)> tree = [&](int depth) {
    const unsigned kind = random() % (depth < 5 ? 4 : 2);
    if (kind == 0) return random() % 4 ? Yaml::scalar("x y", {}) : Yaml::null({});
    if (kind == 1) return Yaml::scalar(text(), {}, true);
    Yaml yaml = kind == 2 ? Yaml::list({}, {}) : Yaml::map({}, {});
    for (size_t left = random() % 5; left > 0; --left) {
      Yaml child = tree(depth + 1);
      if (kind == 2) yaml.items().push_back(std::move(child));
      if (kind == 3) yaml.put(text(), std::move(child));
    }
    return yaml;
  };
  for (int i = 0; i < 1'000; ++i) {
    const Yaml yaml = tree(0);
    const std::string written = yaml.str();
    ASSERT_EQ(complaint(written), "") << written;
    ASSERT_EQ(Yaml::parse(written, "f"), yaml) << written;
  }
  EXPECT_EQ(Yaml::scalar("a: b", {}).str(), "\"a: b\"\n");
}

TEST(Yaml, MapsArePutAndErased) {
  Yaml yaml = Yaml::parse("{a: 1, b: 2}", "f");
  yaml.put("a", Yaml::scalar("3", {}));
  yaml.put("c", Yaml::list({}, {}));
  EXPECT_EQ(yaml.str(), "{a: 3, b: 2, c: []}\n");
  yaml.erase("b");
  yaml.erase("z");
  EXPECT_EQ(yaml, Yaml::parse("a: 3\nc: []", "g"));
  EXPECT_NE(yaml, Yaml::parse("a: '3'\nc: []", "g"));
  EXPECT_NE(yaml, Yaml::parse("c: []\na: 3", "g"));
}

TEST(Yaml, ConvertsStrictly) {
  const std::string n = "`n`", lead = "f:1:4: `n` must be ";
  const auto integer = [&](const std::string& text) { return value_of(text).to_int(n); };
  EXPECT_EQ(integer("128"), 128);
  EXPECT_EQ(integer("-3"), -3);
  EXPECT_EQ(integer("+0"), 0);
  EXPECT_EQ(integer("1e3"), 1000);
  EXPECT_EQ(integer("2.50E+2"), 250);
  EXPECT_EQ(integer("1200e-2"), 12);
  EXPECT_EQ(integer("0e99999999999999999999"), 0);
  EXPECT_EQ(integer("9223372036854775807"), INT64_MAX);
  EXPECT_EQ(integer("-9223372036854775808"), INT64_MIN);
  const std::pair<const char*, const char*> integers[] = {
      {"1.5", "an integer, but is `1.5`"},
      {"1e-1", "an integer, but is `1e-1`"},
      {"010", "an integer, but is `010`"},
      {"0x10", "an integer, but is `0x10`"},
      {"1_000", "an integer, but is `1_000`"},
      {"--1", "an integer, but is `--1`"},
      {"1e", "an integer, but is `1e`"},
      {"\"128\"", "an integer, but is the quoted text \"128\""},
      {"", "an integer, but is empty"},
      {"[1]", "an integer, but is a list"},
      {"{a: 1}", "an integer, but is a map"},
      {"9223372036854775808", "an integer of 64 bits, but is `9223372036854775808`"},
      {"1e99999999999999999999", "an integer of 64 bits, but is `1e99999999999999999999`"}};
  for (const auto& [text, sentence] : integers) {
    const std::string said = complaint([&] { integer(text); });
    EXPECT_EQ(said, (*text ? lead : "f:1:1: `n` must be ") + sentence) << text;
  }
}

TEST(Yaml, ConvertsNumbersBoolsAndText) {
  const auto number = [](const std::string& text) { return value_of(text).to_number("`lr`"); };
  EXPECT_EQ(number("1e-3"), 1e-3);
  EXPECT_EQ(number("-.5"), -0.5);
  EXPECT_EQ(number("+2."), 2.0);
  EXPECT_EQ(number("128"), 128.0);
  EXPECT_EQ(number("0.1"), 0.1);
  for (const std::string text : {"fast", "inf", ".inf", "nan", ".NaN", "0x1p3", "1e", ".", "1,5",
                                 "00.5", "1e+-5", "1 2", "$lr"})
    EXPECT_EQ(complaint([&] { number(text); }),
              "f:1:4: `lr` must be a number, but is `" + text + "`");
  for (const std::string text : {"1e999", "-1e999", "1e-999"})
    EXPECT_EQ(complaint([&] { number(text); }),
              "f:1:4: `lr` must be a number within the range of a double, but is `" + text + "`");
  EXPECT_TRUE(value_of("true").to_bool("`b`"));
  EXPECT_FALSE(value_of("false").to_bool("`b`"));
  for (const std::string text : {"yes", "True", "on", "1"})
    EXPECT_EQ(complaint([&] { value_of(text).to_bool("`b`"); }),
              "f:1:4: `b` must be true or false, but is `" + text + "`");
  EXPECT_NE(complaint([&] { value_of("'true'").to_bool("`b`"); }), "");
  EXPECT_EQ(value_of("128").to_text("`t`"), "128");
  EXPECT_EQ(value_of("''").to_text("`t`"), "");
  EXPECT_EQ(complaint([&] { value_of("[a]").to_text("`t`"); }),
            "f:1:4: `t` must be text, but is a list");
  EXPECT_EQ(complaint([&] { value_of("~").to_text("`t`"); }),
            "f:1:4: `t` must be text, but is empty");
}

}  // namespace
}  // namespace weft
