#include "framework/cli/data.h"

#include <gtest/gtest.h>

#include <sstream>

#include "framework/datasets/download.h"
#include "framework/datasets/files.h"
#include "tests/support/environment.h"
#include "tests/support/temporary_directory.h"
#include "tests/support/text_file.h"
#include "tests/support/tiny_idx.h"

namespace weft::tests {
namespace {

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

std::string printed(void (*verb)(const std::string&, std::ostream&), const std::string& name) {
  std::ostringstream out;
  verb(name, out);
  return out.str();
}

std::string refused(void (*verb)(const std::string&, std::ostream&), const std::string& name,
                    Exit code) {
  try {
    printed(verb, name);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code) << error.what();
    return error.what();
  }
  return "";
}

void flip(const std::filesystem::path& file, size_t at) {
  std::string bytes = read_text(file);
  bytes.at(at) = static_cast<char>(bytes.at(at) ^ 1);
  write_text(file, bytes);
}

TEST(Sha256, KnowsTheStandardsExample) {
  const TemporaryDirectory scratch;
  write_text(scratch / "abc", "abc");  // FIPS 180-2, appendix B.1
  EXPECT_EQ(datasets::sha256(scratch / "abc"),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(Client, KeepsTheLastLines) {
  const TemporaryDirectory scratch;
  const auto outcome = datasets::run_client(
      {"sh", "-c", "for i in 1 2 3 4 5 6; do echo line $i; done; pwd >&2; exit 7"}, scratch.path());
  EXPECT_EQ(outcome.status, 7);
  EXPECT_FALSE(has(outcome.last_lines, "line 2"));
  EXPECT_TRUE(has(outcome.last_lines, "line 6\n" + scratch.path().string())) << outcome.last_lines;
  EXPECT_TRUE(
      has(datasets::run_client({"weft-no-such-client"}, scratch.path()).last_lines, "cannot run"));
}

// A data set `tiny` of an npm package, and an `npm` that serves it from a folder.
class Fetch : public testing::Test {
 protected:
  void SetUp() override {
    const auto package = scratch / "package";
    std::filesystem::create_directories(package / "sub");
    std::filesystem::create_directories(scratch / "bin");
    write_idx(package / "rows.gz", {2, 3}, {1, 2, 3, 4, 5, 6}, true);
    write_text(package / "sub" / "plain.txt", "plain text\n");
    write_text(package / "LICENSE", "as you like\n");
    serve("1.0.0");
    std::filesystem::create_directories(scratch / "kept");
    write_idx(scratch / "kept/rows", {2, 3}, {1, 2, 3, 4, 5, 6});
    catalogue("");
  }
  // Packs the package; `npm pack tiny@version` and `npm pack tiny` give it, nothing else.
  void serve(const std::string& version) {
    const auto packed = datasets::run_client({"tar", "-czf", "tiny-" + version + ".tgz", "package"},
                                             scratch.path());
    ASSERT_EQ(packed.status, 0) << packed.last_lines;
    write_text(scratch / "bin/npm", "#!/bin/sh\ncase \"$3\" in tiny|tiny@" + version + ") cp '" +
                                        (scratch / ("tiny-" + version + ".tgz")).string() +
                                        "' . ;; *) echo no version $3 >&2; exit 1 ;; esac\n");
    std::filesystem::permissions(scratch / "bin/npm", std::filesystem::perms::owner_all);
  }

  void catalogue(const std::string& more, const std::string& rows_sum = "") {
    const std::string rows = rows_sum.empty() ? datasets::sha256(scratch / "kept/rows") : rows_sum;
    write_text(scratch / "sets.yaml",
               "tiny:\n  about: two files\n  source: a test\n  licence: free\n"
               "  licence_file: package/LICENSE\n  manager: npm\n  package: tiny\n"
               "  version: '1.0.0'\n  sha256: '" +
                   datasets::sha256(scratch / "tiny-1.0.0.tgz") +
                   "'\n  files:\n"
                   "    rows: {from: package/rows.gz, gunzip: true, bytes: 18, sha256: '" +
                   rows +
                   "'}\n    text/plain.txt: {from: package/sub/plain.txt, bytes: 11, sha256: '" +
                   datasets::sha256(scratch / "package/sub/plain.txt") + "'}\n" + more);
  }

  std::filesystem::path kept(const std::string& name) { return scratch / "data" / "tiny" / name; }
  bool empty() { return !std::filesystem::exists(scratch / "data/tiny"); }
  // Nothing but the data sets is left in the data folder.
  void expect_tidy() {
    for (const auto& entry : std::filesystem::directory_iterator(scratch / "data"))
      EXPECT_EQ(entry.path().filename(), "tiny");
  }

  TemporaryDirectory scratch;
  Environment data_dir{"WEFT_DATA_DIR", (scratch / "data").string()};
  Environment datasets{"WEFT_DATASETS", (scratch / "sets.yaml").string()};
  Environment path{"PATH", (scratch / "bin").string() + ":" + getenv("PATH")};
};

TEST_F(Fetch, PutsFilesAndLicenceIntoPlace) {
  EXPECT_TRUE(has(printed(cli::data::fetch, "tiny"), "tiny: 2 files"));
  EXPECT_EQ(read_text(kept("rows")), read_text(scratch / "kept/rows"));
  EXPECT_EQ(read_text(kept("text/plain.txt")), "plain text\n");
  EXPECT_EQ(read_text(kept("LICENSE")), "as you like\n");
  EXPECT_TRUE(has(read_text(kept("ATTRIBUTION")), "licence: free"));
  EXPECT_TRUE(has(printed(cli::data::fetch, "tiny"), "is here and whole"));
  EXPECT_TRUE(has(printed(cli::data::verify, "tiny"), "rows: right"));
  EXPECT_TRUE(has(printed(cli::data::info, "tiny"), "(here)"));
  expect_tidy();
}

TEST_F(Fetch, RepairsAFlippedByteBesideTheUsersFiles) {
  printed(cli::data::fetch, "tiny");
  write_text(kept("mine"), "x");
  flip(kept("rows"), 17);
  EXPECT_TRUE(has(refused(cli::data::verify, "tiny", Exit::differs), "1 of 2 files"));
  printed(cli::data::fetch, "tiny");
  EXPECT_TRUE(has(printed(cli::data::verify, "tiny"), "rows: right"));
  EXPECT_EQ(read_text(kept("mine")), "x");
  std::filesystem::remove(kept("rows"));
  EXPECT_TRUE(has(printed(cli::data::info, "tiny"), "(broken)"));
  EXPECT_NE(refused(cli::data::verify, "tiny", Exit::differs), "");
  expect_tidy();
}

TEST_F(Fetch, RefusesAnotherArchiveOfTheSameVersion) {
  write_text(scratch / "package/README", "new");
  serve("1.0.0");
  EXPECT_TRUE(has(refused(cli::data::fetch, "tiny", Exit::data), "not what the catalogue knows"));
  EXPECT_TRUE(empty());
  expect_tidy();
}

TEST_F(Fetch, TakesALaterVersionWithTheSameFiles) {
  write_text(scratch / "package/README", "new");
  serve("1.0.1");
  EXPECT_TRUE(has(printed(cli::data::fetch, "tiny"), "version 1.0.0 is gone; took tiny-1.0.1.tgz"));
  EXPECT_TRUE(has(printed(cli::data::verify, "tiny"), "rows: right"));
  EXPECT_TRUE(has(read_text(kept("ATTRIBUTION")), "archive: tiny-1.0.1.tgz"));
}

TEST_F(Fetch, RefusesALaterVersionWithOtherFiles) {
  write_idx(scratch / "package/rows.gz", {2, 3}, {1, 2, 3, 4, 5, 7}, true);
  serve("1.0.1");
  EXPECT_TRUE(has(refused(cli::data::fetch, "tiny", Exit::data), "has the SHA-256"));
  EXPECT_TRUE(empty());
}

TEST_F(Fetch, BoundsWhatAFileInflatesTo) {
  write_idx(scratch / "package/rows.gz", {2, 3}, std::vector<uint8_t>(1 << 22), true);
  serve("1.0.1");
  EXPECT_TRUE(has(refused(cli::data::fetch, "tiny", Exit::data), "longer than the 18 bytes"));
  EXPECT_TRUE(empty());
}

TEST_F(Fetch, TellsWhatTheClientSaid) {
  serve("2.0.0");
  write_text(scratch / "bin/npm", "#!/bin/sh\necho no route to host >&2\nexit 1\n");
  EXPECT_TRUE(has(refused(cli::data::fetch, "tiny", Exit::data), "no route to host"));
  EXPECT_TRUE(empty());
  expect_tidy();
}

TEST_F(Fetch, SaysHowToDoWithoutTheClient) {
  const Environment nowhere("PATH", (scratch / "none").string());
  EXPECT_TRUE(
      has(refused(cli::data::fetch, "tiny", Exit::data), "or copy the files of the set into"));
}

TEST_F(Fetch, SaysWhatIsNotHere) {
  EXPECT_TRUE(has(refused(cli::data::verify, "tiny", Exit::data), "weft data fetch tiny"));
  EXPECT_TRUE(has(refused(cli::data::info, "tinny", Exit::usage), "did you mean `tiny`?"));
  std::ostringstream out;
  cli::data::list(out);
  EXPECT_TRUE(has(out.str(), "fashion_mnist") && has(out.str(), "not fetched"));
}

TEST_F(Fetch, RefusesCataloguesWithMistakes) {
  catalogue(
      "    ../up: {from: /etc/passwd, bytes: -1, sha256: 'x'}\n"
      "evil: {about: a, source: b, licence: c, licence_file: d, manager: pip, package: --help,\n"
      "  version: '1', sha256: 'x', files: {}, extra: 1}\n");
  const std::string said = refused(cli::data::info, "tiny", Exit::usage);
  for (const char* part : {"`../up` must be", "`from` must be", "at least 0", "64 hexadecimal",
                           "`manager` must be", "`package` must be", "`files` must be", "`extra`"})
    EXPECT_TRUE(has(said, part)) << part << "\n" << said;
}

TEST_F(Fetch, TakesThoseOfAFolderThatMatch) {
  for (const char* name : {"poem.1.json", "poem.2.json", "author.1.json", "old/poem.1.json"}) {
    std::filesystem::create_directories((scratch / "package/all" / name).parent_path());
    write_text(scratch / "package/all" / name, name);
  }
  serve("1.0.0");
  const std::string sum = datasets::sha256_of_folder(scratch / "package/all", "poem.*");
  catalogue("    poems/: {from: package/all, only: 'poem.*', files: 2, bytes: 22, sha256: '" + sum +
            "'}\n");
  printed(cli::data::fetch, "tiny");
  EXPECT_TRUE(has(printed(cli::data::verify, "tiny"), "poems/: right"));
  EXPECT_EQ(read_text(kept("poems/poem.2.json")), "poem.2.json");
  EXPECT_FALSE(std::filesystem::exists(kept("poems/author.1.json")));
  EXPECT_FALSE(std::filesystem::exists(kept("poems/old")));
}

TEST_F(Fetch, TakesTheTextOfAnRDatabase) {
  const char rdb[] =  // c("a", "b")
      "\0\0\0\061\170\234\213\340\142\140\140\140\146\140\141\142\144\140\146\005\062\031\130\103"
      "\103\334\164\055\200\014\001\040\146\142\140\141\340\004\322\214\211\060\106\022\000\104\057"
      "\002\277";
  write_text(scratch / "package/Rdata.rdb", {rdb, sizeof rdb - 1});
  serve("1.0.0");
  write_text(scratch / "lines", "a\nb\n");
  const std::string entry =
      "    lines.txt: {from: package/Rdata.rdb, extract: rdb, bytes: 4, sha256: '" +
      datasets::sha256(scratch / "lines") + "'";
  catalogue(entry + "}\n");
  printed(cli::data::fetch, "tiny");
  EXPECT_EQ(read_text(kept("lines.txt")), "a\nb\n");
  catalogue(entry + ", gunzip: true}\n");
  EXPECT_TRUE(has(refused(cli::data::info, "tiny", Exit::usage), "`extract`"));
  catalogue("    a: {from: package/a, extract: zip, bytes: 1, sha256: '" + std::string(64, '0') +
            "'}\n");
  EXPECT_TRUE(has(refused(cli::data::info, "tiny", Exit::usage), "`extract` must be rdb"));
}

TEST(FetchFashionMnist, FromTheRealPackage) {
  const TemporaryDirectory scratch;
  const auto offered = datasets::run_client(
      {"apt-get", "download", "--print-uris", "dataset-fashion-mnist"}, scratch.path());
  if (offered.status != 0) GTEST_SKIP() << "apt offers no package: " << offered.last_lines;
  const Environment data_dir("WEFT_DATA_DIR", scratch.path().string());
  try {
    printed(cli::data::fetch, "fashion_mnist");
  } catch (const Error& error) {
    if (has(error.what(), "apt-get download")) GTEST_SKIP() << error.what();
    throw;
  }
  EXPECT_TRUE(has(printed(cli::data::fetch, "fashion_mnist"), "is here and whole"));
  EXPECT_TRUE(has(read_text(scratch / "fashion_mnist/LICENSE"), "Zalando"));
  flip(scratch / "fashion_mnist/train-images-idx3-ubyte", 40'000'000);
  EXPECT_TRUE(has(refused(cli::data::verify, "fashion_mnist", Exit::differs), "1 of 4 files"));
}

}  // namespace
}  // namespace weft::tests
