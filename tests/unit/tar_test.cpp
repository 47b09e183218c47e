// Tar archives, as the tar program makes them and as nobody should.
#include "framework/formats/tar.h"

#include <gmock/gmock.h>

#include "framework/datasets/package.h"
#include "tests/support/temporary_directory.h"
#include "tests/support/text_file.h"

namespace weft::tests {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

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
    const auto packed = data::run_client(command, here_.path());
    EXPECT_EQ(packed.status, 0) << packed.last_lines;
    return here_ / "it.tar";
  }

  std::string refused(const std::string& archive) const {
    write_text(here_ / "bad.tar", archive);
    return refused_file(here_ / "bad.tar");
  }
  static std::string refused_file(const std::filesystem::path& file) {
    try {
      const TarFile tar(file);
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
    const TarFile tar(pack({std::string("--format=") + format, "."}));
    std::vector<std::string> names, contents;
    for (const TarMember& member : tar.members()) {
      names.push_back(member.name);
      contents.push_back(tar.read(member));
    }
    EXPECT_THAT(names, ElementsAre("a.txt", split_path_, long_path_, "empty"));
    EXPECT_THAT(contents, ElementsAre("first\n", "split\n", std::string(1000, 'x'), ""));
  }
}

TEST_F(Tar, ReadsPrefixesOfUstarAndOldArchives) {
  const TarFile tar(pack({"--format=ustar", "./" + split_path_, "a.txt"}));
  ASSERT_EQ(tar.members().size(), 2U);
  EXPECT_EQ(tar.members()[0].name, split_path_);
  EXPECT_EQ(tar.read(tar.members()[1]), "first\n");
  std::string part(3, ' ');
  tar.read(tar.members()[1].offset + 1, part);
  EXPECT_EQ(part, "irs");
  const TarFile old(pack({"--format=v7", "a.txt", "empty"}));
  EXPECT_EQ(old.members().size(), 2U);
}

TEST_F(Tar, TruncatedArchivesAreRefused) {
  for (const char* format : {"--format=gnu", "--format=pax"}) {
    const TarFile whole(pack({format, "-b1", "."}));
    const auto& last = whole.members().back();
    const std::string archive = read_text(here_ / "it.tar");
    for (int64_t size = 0; size < last.offset; size += 100)
      EXPECT_THAT(refused(archive.substr(0, static_cast<size_t>(size))),
                  HasSubstr("bad.tar is truncated: "))
          << size;
  }
  EXPECT_THAT(refused(""), HasSubstr("ends with a block of zeros (offset 0)"));
}

TEST_F(Tar, CorruptArchivesAreRefused) {
  const std::string archive = read_text(pack({"--format=ustar", "a.txt", "empty"}));
  std::string hurt = archive;
  hurt[1024] = 'z';  // the second name
  EXPECT_THAT(refused(hurt), HasSubstr("is corrupt: a header has another checksum (offset 1024)"));
  EXPECT_THAT(refused(std::string(2048, 'x')), HasSubstr("is not a tar archive"));
  EXPECT_THAT(refused_file(pack({"-z", "a.txt"})), HasSubstr("is "));
  EXPECT_THAT(refused_file(here_ / "in"), HasSubstr("is not a file"));
  EXPECT_THAT(refused_file(here_ / "none.tar"), HasSubstr("cannot open"));
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

TEST_F(Tar, SizesThatAreOnlyPromisedAreBounded) {
  const std::string archive = read_text(pack({"--format=ustar", "a.txt"}));
  EXPECT_EQ(refused(with(archive, 0, 124, "00000000006")), "");
  EXPECT_EQ(refused(with(archive, 0, 124, std::string("\x80\0\0\0\0\0\0\0\0\0\0\6", 12))), "");
  EXPECT_THAT(refused(with(archive, 0, 124, "77777777777")),
              HasSubstr("is truncated: a file has 8589934591 bytes, but"));
  EXPECT_THAT(
      refused(with(archive, 0, 124, std::string("\x80\0\0\0\x7f") + std::string(7, '\xff'))),
      HasSubstr("is "));
  EXPECT_THAT(refused(with(archive, 0, 124, std::string(12, '\xff'))),
              HasSubstr("the size of a file is no number (offset 0)"));
  EXPECT_THAT(refused(with(archive, 0, 124, "0000000000x")), HasSubstr("is no number"));
  EXPECT_THAT(refused(with(with(archive, 0, 156, "L"), 0, 124, "77777777777")),
              HasSubstr("a name of more than 1 MiB"));
  EXPECT_THAT(refused(with(archive, 0, 156, "x")), HasSubstr("a pax record is none"));
  EXPECT_THAT(refused(with(archive, 0, 156, "S")), HasSubstr("holds a sparse file"));
}

TEST_F(Tar, PaxRecordsAreChecked) {
  const auto refused_records = [&](const std::string& records) {
    write_text(here_ / "in/records", records);
    return refused(with(read_text(pack({"--format=ustar", "records", "a.txt"})), 0, 156, "x"));
  };
  EXPECT_EQ(refused_records("9 path=b\n"), "");
  EXPECT_EQ(refused_records("9 path=b\n9 size=6\n"), "");
  EXPECT_THAT(refused_records("13 size=-600\n"), HasSubstr("the size of a file is no number"));
  EXPECT_THAT(refused_records("22 GNU.sparse.major=1\n"), HasSubstr("holds a sparse file"));
  for (const char* records :
       {"9 path=b", "8 path=b\n", "11 path=b\n", "path=b\n", "9 path b\n", "9_path=b\n",
        "0 path=b\n", "2 path=b\n", "-9 path=b\n", "99999999999999999999 a=b\n", "2\n9 path=b\n"})
    EXPECT_THAT(refused_records(records), HasSubstr("a pax record is none")) << records;
}

}  // namespace
}  // namespace weft::tests
