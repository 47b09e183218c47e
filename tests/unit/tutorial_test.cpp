// `docs/writing-nodes.md` shows code of the template that the tests compile and run, and sentences
// that weft says.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <regex>
#include <set>
#include <sstream>

#include "tests/support/text_file.h"

namespace weft::tests {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

const std::string page = read_text(SOURCE_DIR "/docs/writing-nodes.md");

struct Block {
  std::string file, text;  // "nodes/snake.cpp"
};

// "```cpp nodes/snake.cpp" opens a block, "```" closes it; what is indented is one without a file.
std::vector<Block> blocks_of(const std::string& text) {
  std::vector<Block> all;
  bool open = false;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with("```")) {
      if (open)
        all.back().text += line + '\n';
      else if (line.starts_with("    "))
        all.push_back({"", line});
    } else if ((open = !open)) {
      const size_t space = line.find(' ');
      all.push_back({space == std::string::npos ? "" : line.substr(space + 1), ""});
    }
  }
  EXPECT_FALSE(open);
  return all;
}

TEST(Tutorial, ShowsPartsOfTheTemplate) {
  std::set<std::string> shown;
  for (const auto& [file, text] : blocks_of(page)) {
    ASSERT_NE(file, "") << "a block names no file:\n" << text;
    const fs::path path = fs::path(SOURCE_DIR "/plugins/template") / file;
    ASSERT_TRUE(fs::is_regular_file(path)) << file;
    EXPECT_THAT('\n' + read_text(path), HasSubstr('\n' + text));
    shown.insert(file);
  }
  for (const auto& node : fs::directory_iterator(SOURCE_DIR "/plugins/template/nodes"))
    EXPECT_TRUE(shown.contains("nodes/" + node.path().filename().string())) << node.path();
}

// The text of every literal, joined as the compiler joins them.
std::string literals() {
  std::string all;
  for (const auto& entry : fs::recursive_directory_iterator(SOURCE_DIR "/framework"))
    if (entry.path().extension() == ".cpp" || entry.path().extension() == ".h")
      all += read_text(entry.path());
  return std::regex_replace(all, std::regex("\"\\s*\\n\\s*\""), "");
}

std::vector<std::string> pieces_of(std::string sentence) {
  constexpr std::string_view gap = "…";
  std::vector<std::string> pieces;
  for (size_t at = 0; at != std::string::npos;) {
    at = sentence.find(gap);
    std::string piece = sentence.substr(0, at);
    if (at != std::string::npos) sentence.erase(0, at + gap.size());
    const size_t begin = piece.find_first_not_of(' '), end = piece.find_last_not_of(' ');
    if (begin != std::string::npos) pieces.push_back(piece.substr(begin, end + 1 - begin));
  }
  return pieces;
}

TEST(Tutorial, QuotesWhatWeftSays) {
  const std::string said = literals();
  const std::string table = page.substr(page.find("| rule | what weft says |"));
  const std::regex quoted("\"([^\"]+)\"");
  int sentences = 0;
  for (std::sregex_iterator at(table.begin(), table.end(), quoted), end; at != end; ++at) {
    ++sentences;
    for (const std::string& piece : pieces_of((*at)[1]))
      EXPECT_NE(said.find(piece), std::string::npos) << piece;
  }
  EXPECT_GT(sentences, 24);
}

// What authors are promised, ./dev bench-plugin measures the rest.
TEST(Tutorial, IsShort) {
  const auto lines = [](const std::string& file) {
    return std::ranges::count(read_text(SOURCE_DIR "/plugins/template/" + file), '\n');
  };
  EXPECT_LE(lines("nodes/snake.cpp"), 35);
  EXPECT_LE(lines("nodes/dense.cpp"), 70);
  EXPECT_LE(lines("README.md"), 40);
}

}  // namespace
}  // namespace weft::tests
