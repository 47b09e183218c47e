// Pipelines spoilt at random: whatever comes of it, it is a plan or a sentence.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <sstream>

#include "framework/plan/build_plan.h"
#include "framework/print/plan_dot.h"
#include "framework/print/plan_text.h"
#include "tests/support/environment.h"
#include "tests/support/lone_node.h"
#include "tests/support/program.h"
#include "tests/support/temporary_directory.h"
#include "tests/support/text_file.h"
#include "tests/support/tiny_idx.h"

namespace weft::tests {
namespace {

namespace fs = std::filesystem;
using testing::AnyOf;
using testing::Eq;

#ifdef __SANITIZE_ADDRESS__
constexpr int64_t most_bytes = int64_t{1} << 30;
#else
constexpr int64_t most_bytes = int64_t{200} << 20;
#endif

class Spoiler {
 public:
  explicit Spoiler(uint64_t seed) : random_(seed) {}

  std::string operator()(std::string text) {
    for (size_t i = 1 + below(4); i > 0; --i) spoil(text);
    return text;
  }

 private:
  size_t below(size_t n) { return std::uniform_int_distribution<size_t>(0, n - 1)(random_); }

  void spoil(std::string& text) {
    static const std::vector<std::string> words{
        "$",           "$(",     "${",     "{",
        "}",           "[[[",    "]",      "&a ",
        "*a",          "!!int ", "~",      "-1",
        "0",           "1e99",   ".nan",   "99999999999999999999",
        "\"",          "'",      ": ",     "# ",
        "- ",          "|\n",    "\t",     "\xff",
        "repeat: 3, ", "x",      "data",   "use: encoder, ",
        "include: ",   "?",      "$count", "[]",
        "{}",          "\n\n"};
    if (text.empty()) text = "weft: 1\n";
    const size_t at = below(text.size());
    switch (below(6)) {
      case 0: text[at] = static_cast<char>(text[at] ^ (1 << below(8))); break;
      case 1: text.erase(at, 1 + below(12)); break;
      case 2: text.insert(at, words[below(words.size())]); break;
      case 3: text.insert(at, text.substr(below(text.size()), 1 + below(40))); break;
      default: spoil_lines(text);
    }
  }

  void spoil_lines(std::string& text) {
    std::vector<std::string> lines;
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);) lines.push_back(line);
    if (lines.empty()) return;
    const size_t one = below(lines.size()), other = below(lines.size());
    switch (below(3)) {
      case 0: std::swap(lines[one], lines[other]); break;
      case 1: lines.insert(lines.begin() + static_cast<std::ptrdiff_t>(other), lines[one]); break;
      default: lines.erase(lines.begin() + static_cast<std::ptrdiff_t>(one));
    }
    text.clear();
    for (const std::string& line : lines) text += line + "\n";
  }

  std::mt19937_64 random_;
};

class Mutations : public testing::Test {
 protected:
  Mutations() { write_tiny_idx(here_ / "fashion_mnist"); }

  std::string spoilt(uint64_t seed) const {
    const std::string name = seed % 2 ? "vae.yaml" : "gan.yaml";
    return Spoiler(seed)(read_text(fs::path(SOURCE_DIR) / "pipelines" / name));
  }

  TemporaryDirectory here_;
  const Environment data_{"WEFT_DATA_DIR", here_.path()};
};

// What `weft check` does, here. Returns the exit code.
int check(const std::string& text, std::string& said) {
  try {
    Mistakes mistakes;
    Pipeline pipeline = Pipeline::parse(text, "pipeline.yaml", {}, mistakes);
    for (const Mode mode : {Mode::train, Mode::evaluate, Mode::generate}) {
      if (!pipeline.section(mode)) continue;
      const auto plan = build_plan(pipeline, standard_nodes(), mode, {}, mistakes);
      if (mistakes.empty()) said += plan_text(*plan) + plan_dot(*plan, pipeline);
    }
    mistakes.check();
    const Yaml again = Yaml::parse(pipeline.source.str(), "again.yaml");
    EXPECT_EQ(again, pipeline.source) << text;  // what a run stores is what was given
    return 0;
  } catch (const Error& error) {
    said = error.what();
    return static_cast<int>(error.code());
  }
}

TEST_F(Mutations, AreAPlanOrASentence) {
  int plans = 0;
  for (uint64_t seed = 0; seed < 600; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const std::string text = spoilt(seed);
    std::string said;
    const double begin = seconds_now();
    ASSERT_NO_THROW({
      const int exit = check(text, said);
      EXPECT_THAT(exit, AnyOf(Eq(0), Eq(2), Eq(4), Eq(7))) << text << said;
      plans += exit == 0;
    }) << text;
    EXPECT_FALSE(said.empty()) << text;
    EXPECT_LT(seconds_now() - begin, 5.0) << text;
  }
  EXPECT_GT(plans, 5);  // a mutation of a comment or a number may well be sound
  EXPECT_LT(plans, 300);
}

TEST_F(Mutations, GoThroughTheProgram) {
  for (uint64_t seed = 1000; seed < 1036; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const std::string text = spoilt(seed);
    write_text(here_ / "pipeline.yaml", text);
    const Ended ended = run({{program("weft"), "check", "pipeline.yaml"}, here_.path(), {}, 30});
    std::string said;
    EXPECT_EQ(ended.exit, check(text, said)) << text << ended.err;
    EXPECT_EQ(ended.err, ended.exit ? said + "\n" : "");
    EXPECT_LT(ended.peak_bytes, most_bytes);
  }
}

}  // namespace
}  // namespace weft::tests
