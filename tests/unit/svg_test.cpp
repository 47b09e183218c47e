#include "framework/cli/svg.h"

#include <gmock/gmock.h>

#include <cstdlib>
#include <fstream>

#include "framework/node/error.h"
#include "tests/support/temporary_directory.h"

namespace weft::cli {
namespace {

using testing::HasSubstr;

class Svg : public testing::Test {
 protected:
  TemporaryDirectory directory;
  std::filesystem::path file = directory / "graph.svg";
};

TEST_F(Svg, IsDrawn) {
  try {
    write_svg("digraph g { a -> b }", file);
  } catch (const Error& error) {
    if (std::string(error.what()).find("not installed") != std::string::npos)
      GTEST_SKIP() << error.what();
    throw;
  }
  std::ifstream in(file);
  EXPECT_THAT(std::string(std::istreambuf_iterator<char>(in), {}), HasSubstr("</svg>"));
}

TEST_F(Svg, NamesThePackageThatIsMissing) {
  const std::string path = std::getenv("PATH");
  setenv("PATH", "/nowhere", 1);
  std::string said;
  try {
    write_svg("digraph g {}", file);
  } catch (const Error& error) {
    said = error.what();
  }
  setenv("PATH", path.c_str(), 1);
  EXPECT_THAT(said, HasSubstr("install the package graphviz"));
  EXPECT_FALSE(std::filesystem::exists(file));
  EXPECT_FALSE(std::filesystem::exists(file.string() + ".unfinished"));
}

TEST_F(Svg, LeavesNothingOfAGraphThatIsNone) {
  EXPECT_THROW(write_svg("no graph {", file), Error);
  EXPECT_FALSE(std::filesystem::exists(file));
}

}  // namespace
}  // namespace weft::cli
