#include "framework/plugin/diagnose.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "framework/plugin/elf_file.h"

namespace weft {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

Missing missing_of(const std::string& name) {
  return lacks(fs::path(FIXTURES) / (name + ".so"));
}

TEST(Diagnose, FindsNothingInAGoodPlugin) {
  EXPECT_THAT(missing_of("good").libraries, IsEmpty());
  EXPECT_THAT(missing_of("good").symbols, IsEmpty());
  EXPECT_EQ(in_words({}), "");
}

TEST(Diagnose, CountsNotWhatTheProgramGives) {
  EXPECT_THAT(missing_of("given").symbols, IsEmpty());
}

TEST(Diagnose, NamesEverySymbolAndWhoHasIt) {
  const Missing found = missing_of("unlinked");
  ASSERT_EQ(found.symbols.size(), 3U);
  EXPECT_EQ(found.symbols[0].name, "nobody_defines_this()");
  EXPECT_EQ(found.symbols[0].library, "");
  EXPECT_EQ(found.symbols[1].name, "weft::Node::later()");
  EXPECT_EQ(found.symbols[1].library, "");
  EXPECT_EQ(found.symbols[2].name, "sf_close");
  EXPECT_THAT(found.symbols[2].library, StartsWith("libsndfile.so"));
  EXPECT_THAT(in_words(found),
              AllOf(StartsWith("`sf_close` is in libsndfile.so"),
                    HasSubstr(": name it behind LIBRARIES of weft_plugin(); this weft has no "
                              "`weft::Node::later()`: build it against this weft; no library here "
                              "has `nobody_defines_this()`")));
}

TEST(Diagnose, NamesALibraryThatIsGone) {
  const Missing found = missing_of("needs_absent");
  EXPECT_THAT(found.libraries, ElementsAre("libabsent.so.7"));
  EXPECT_THAT(in_words(found), StartsWith("libabsent.so.7 is not here: install it"));
}

TEST(Diagnose, ReadsWhatAFileExports) {
  EXPECT_THAT(ElfFile(fs::path(FIXTURES) / "good.so").exports(),
              AllOf(Contains("weft_plugin_1_nodes"), Contains("weft_plugin_1_stamp"),
                    Not(Contains("dlopen"))));
}

TEST(Diagnose, NamesAFewOfMany) {
  Missing many;
  for (const char* name : {"a", "b", "c", "d", "e", "f", "g"})
    many.symbols.push_back({name, "x.so"});
  EXPECT_THAT(in_words(many), StartsWith("`a`, `b`, `c`, `d`, `e` and 2 more are in x.so"));
}

}  // namespace
}  // namespace weft
