// Tar archives, as the tar program makes them and as nobody should.
#include "framework/formats/tar.h"

#include <gmock/gmock.h>

#include <random>

#include "framework/datasets/download.h"
#include "tests/support/temporary_directory.h"
#include "tests/support/text_file.h"

namespace weft::tests {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string content(const FilePart& part) {
  const DiskFile disk(part);
  std::string bytes(static_cast<size_t>(disk.size()), '\0');
  disk.read(0, bytes.data(), disk.size());
  return bytes;
}

// Puts `field` at `at` of the header at `header`, and the checksum right.
std::string with(std::string archive, size_t header, size_t at, const std::string& field) {
  archive.replace(header + at, field.size(), field);
  int sum = 8 * ' ';
  for (size_t i = 0; i < 512; ++i)
    if (i < 148 || i >= 156) sum += static_cast<unsigned char>(archive[header + i]);
  std::string digits;
  for (int shift = 15; shift >= 0; shift -= 3)
    digits += static_cast<char>('0' + (sum >> shift & 7));
  archive.replace(header + 148, 8, digits + '\0' + ' ');
  return archive;
}

class Tar : public testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::create_directories((here_ / "in" / long_path_).parent_path());
    write_text(here_ / "in/a.txt", "first\n");
    write_text(here_ / "in/empty", "");
    write_text(here_ / "in" / long_path_, std::string(1000, 'x'));
    write_text(here_ / "in" / split_path_, "split\n");
    std::filesystem::create_symlink("a.txt", here_ / "in/link");
    std::filesystem::create_hard_link(here_ / "in/a.txt", here_ / "in/other");
  }

  std::filesystem::path pack(const std::vector<std::string>& options) {
    std::vector<std::string> command{"tar", "-C", "in", "-cf", "it.tar", "--sort=name"};
    command.insert(command.end(), options.begin(), options.end());
    const auto packed = datasets::run_client(command, here_.path());
    EXPECT_EQ(packed.status, 0) << packed.last_lines;
    return here_ / "it.tar";
  }

  std::string refused(const std::string& archive) const {
    write_text(here_ / "bad.tar", archive);
    return refused_file(here_ / "bad.tar");
  }
  static std::string refused_file(const std::filesystem::path& file) {
    try {
      tar_members(file);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Exit::data);
      return error.what();
    }
    return "";
  }

  TemporaryDirectory here_;
  const std::string split_path_ =
      std::string(60, 'd') + "/" + std::string(70, 'f');  // prefix, name
  const std::string long_path_ = std::string(60, 'd') + "/" + std::string(200, 'f') + "ü";
};

TEST_F(Tar, ListsFilesOfEveryFormat) {
  for (const char* format : {"gnu", "pax", "posix", "oldgnu"}) {
    SCOPED_TRACE(format);
    std::vector<std::string> names, contents;
    for (const FilePart& part : tar_members(pack({std::string("--format=") + format, "."}))) {
      names.push_back(part.member);
      contents.push_back(content(part));
    }
    EXPECT_THAT(names, ElementsAre("a.txt", split_path_, long_path_, "empty", "other"));
    EXPECT_THAT(contents, ElementsAre("first\n", "split\n", std::string(1000, 'x'), "", "first\n"));
  }
}

TEST_F(Tar, ReadsPrefixesOfUstarAndOldArchives) {
  const auto members = tar_members(pack({"--format=ustar", "./" + split_path_, "a.txt"}));
  ASSERT_EQ(members.size(), 2U);
  EXPECT_EQ(members[0].member, split_path_);
  EXPECT_EQ(content(members[1]), "first\n");
  EXPECT_EQ(tar_members(pack({"--format=v7", "a.txt", "empty"})).size(), 2U);
}

TEST_F(Tar, HardLinksAreOfFilesBeforeThem) {
  const std::string archive = read_text(pack({"--format=ustar", "a.txt", "empty", "other"}));
  EXPECT_EQ(refused(archive), "");
  EXPECT_THAT(refused(with(archive, 1536, 157, "b.txt")),
              HasSubstr("a hard link to a file that is not before it, b.txt (offset 1536)"));
}

TEST_F(Tar, TruncatedArchivesAreRefused) {
  for (const char* format : {"--format=gnu", "--format=pax"}) {
    const int64_t last = tar_members(pack({format, "-b1", "."})).back().begin;
    const std::string archive = read_text(here_ / "it.tar");
    for (int64_t size = 0; size < last; size += 100)
      EXPECT_THAT(refused(archive.substr(0, static_cast<size_t>(size))), HasSubstr("bad.tar is "))
          << size;
  }
  const std::string archive = read_text(pack({"--format=ustar", "a.txt", "empty"}));
  EXPECT_THAT(refused(archive.substr(0, 1024)), HasSubstr("ends with a block of zeros"));
  EXPECT_THAT(refused(archive.substr(0, 1536)), HasSubstr("ends with a block of zeros"));
  EXPECT_EQ(refused(archive.substr(0, 2048)), "");
}

TEST_F(Tar, CorruptArchivesAreRefused) {
  const std::string archive = read_text(pack({"--format=ustar", "a.txt", "empty"}));
  std::string hurt = archive;
  hurt[1024] = 'z';  // the second name
  EXPECT_THAT(refused(hurt), HasSubstr("is corrupt or truncated: Damaged tar archive"));
  EXPECT_THAT(refused(std::string(2048, 'x')), HasSubstr("is not a tar archive"));
  EXPECT_THAT(refused(""), HasSubstr("is not a tar archive"));
  EXPECT_THAT(refused_file(pack({"-z", "a.txt"})), HasSubstr("or a compressed one"));
  EXPECT_THAT(refused_file(here_ / "in"), HasSubstr("is not a file"));
  EXPECT_THAT(refused_file(here_ / "none.tar"), HasSubstr("cannot open"));
}

TEST_F(Tar, SizesThatAreOnlyPromisedAreBounded) {
  const std::string archive = read_text(pack({"--format=ustar", "a.txt"}));
  EXPECT_EQ(refused(with(archive, 0, 124, "00000000006")), "");
  EXPECT_EQ(refused(with(archive, 0, 124, std::string("\x80\0\0\0\0\0\0\0\0\0\0\6", 12))), "");
  EXPECT_THAT(refused(with(archive, 0, 124, "77777777777")),
              HasSubstr("is truncated: a file has 8589934591 bytes, but"));
  for (const std::string& size :
       {std::string("\x80\0\0\0\x7f") + std::string(7, '\xff'), std::string(12, '\xff')})
    EXPECT_THAT(refused(with(archive, 0, 124, size)), HasSubstr("bad.tar is "));
  EXPECT_THAT(refused(with(with(archive, 0, 156, "L"), 0, 124, "77777777777")),
              HasSubstr("bad.tar is "));
  for (const char* type : {"L", "K", "x", "A"})
    EXPECT_NE(refused(with(archive, 0, 156, type)), "") << type;
}

TEST_F(Tar, SparseFilesAreRefused) {
  std::filesystem::resize_file(here_ / "in/empty", 1 << 20);
  for (const char* format : {"--format=gnu", "--format=pax"})
    EXPECT_THAT(refused_file(pack({format, "--sparse", "empty"})),
                HasSubstr("holds a sparse file"));
}

TEST_F(Tar, PaxRecordsAreChecked) {
  const auto refused_records = [&](const std::string& records) {
    write_text(here_ / "in/records", records);
    return refused(with(read_text(pack({"--format=ustar", "records", "a.txt"})), 0, 156, "x"));
  };
  EXPECT_EQ(refused_records("9 path=b\n"), "");
  EXPECT_EQ(refused_records("9 path=b\n9 size=6\n"), "");
  for (const char* records :
       {"13 size=-600\n", "22 GNU.sparse.major=1\n", "23 SCHILY.realsize=700\n", "9 path=b",
        "8 path=b\n", "11 path=b\n", "path=b\n", "9_path=b\n", "0 path=b\n", "2 path=b\n",
        "-9 path=b\n", "99999999999999999999 a=b\n", "2\n9 path=b\n", "9 path=\xff\n"})
    EXPECT_NE(refused_records(records), "") << records;
}

// Nothing of an archive is trusted: whatever its headers say, a member lies within it.
TEST_F(Tar, DamagedArchivesGiveNoPartsOutsideThem) {
  const std::string whole = read_text(pack({"--format=pax", "."}));
  std::mt19937 random(1);
  int refusals = 0;
  for (int i = 0; i < 300; ++i) {
    std::string damaged = whole;
    const size_t header = random() % (whole.size() / 512) * 512;
    for (int n = 0; n < 3; ++n) {
      constexpr size_t fields[] = {124, 124, 156, 257, 345, 482};
      const size_t at = fields[random() % 6];
      damaged = with(damaged, header, at, std::string(1, static_cast<char>(random() % 256)));
    }
    write_text(here_ / "bad.tar", damaged);
    try {
      for (const FilePart& part : tar_members(here_ / "bad.tar"))
        ASSERT_LE(part.begin + part.size, std::ssize(damaged));
    } catch (const Error& error) {
      ASSERT_EQ(error.code(), Exit::data);
      ++refusals;
    }
  }
  EXPECT_GT(refusals, 50);
}

}  // namespace
}  // namespace weft::tests
