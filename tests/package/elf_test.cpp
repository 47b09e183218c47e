// What the program and its libraries are as ELF files: where they look for libraries, and, of a
// build that ships, that they are hardened.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "tests/support/program.h"

namespace weft::tests {
namespace {

namespace fs = std::filesystem;
using testing::AnyOf;
using testing::HasSubstr;
using testing::StartsWith;

fs::path libraries() {
  return program("..") / "lib/weft";
}

std::vector<fs::path> plugins() {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(libraries() / "plugins"))
    if (entry.path().extension() == ".so") files.push_back(entry.path());
  return files;
}

std::vector<fs::path> all_files() {
  auto files = plugins();
  files.push_back(program("weft"));
  files.push_back(libraries() / "libweft_node.so");
  return files;
}

// What a tool of binutils says of a file.
std::string said(std::vector<std::string> words, const fs::path& file) {
  words.push_back(file);
  const Ended ended = run({words});
  EXPECT_EQ(ended.exit, 0) << ended.err;
  return ended.out;
}

TEST(Elf, LibrariesAreSoughtInNamedFoldersAlone) {
  for (const fs::path& file : all_files()) {
    const std::string dynamic = said({"readelf", "-W", "-d"}, file);
    const size_t begin = dynamic.find("runpath: [");
    if (begin == std::string::npos) continue;
    const size_t open = begin + 10, close = dynamic.find(']', open);
    std::istringstream entries(dynamic.substr(open, close - open) + ":end");
    for (std::string entry; std::getline(entries, entry, ':') && entry != "end";)
      EXPECT_THAT(entry, AnyOf(StartsWith("$ORIGIN/"), StartsWith("/"))) << file;
  }
}

#ifdef HARDENED
std::string symbols(const fs::path& file) {
  return said({"readelf", "-W", "--dyn-syms"}, file);
}

TEST(Hardening, AddressesAreReadOnly) {
  for (const fs::path& file : all_files()) {
    EXPECT_THAT(said({"readelf", "-W", "-l"}, file), HasSubstr("GNU_RELRO")) << file;
    EXPECT_THAT(said({"readelf", "-W", "-d"}, file), HasSubstr("NOW")) << file;
  }
}

TEST(Hardening, TheProgramLiesAnywhere) {
  EXPECT_THAT(said({"readelf", "-W", "-h"}, program("weft")), HasSubstr("DYN"));
  EXPECT_THAT(said({"readelf", "-W", "-d"}, program("weft")), HasSubstr(" PIE"));
}

TEST(Hardening, StacksAndCallsAreGuarded) {
  for (const fs::path& file : {program("weft"), libraries() / "libweft_node.so"}) {
    const std::string imported = symbols(file);
    EXPECT_THAT(imported, HasSubstr("__stack_chk_fail")) << file;
    EXPECT_THAT(imported, HasSubstr("__glibcxx_assert_fail")) << file;
  }
  EXPECT_THAT(symbols(program("weft")), HasSubstr("_chk@GLIBC"));  // of fortified functions
  std::string imported;
  for (const fs::path& file : plugins()) imported += symbols(file);
  for (const char* name : {"__stack_chk_fail", "__glibcxx_assert_fail"})
    EXPECT_THAT(imported, HasSubstr(name));
}

#ifdef __x86_64__
TEST(Hardening, JumpsAreGuarded) {
  for (const fs::path& file : plugins())
    EXPECT_THAT(said({"objdump", "-d", "--disassemble=weft_plugin_1_nodes"}, file),
                HasSubstr("endbr64"))
        << file;
}
#endif
#endif

}  // namespace
}  // namespace weft::tests
