#include "framework/run/durable_files.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <optional>
#include <sstream>

#include "tests/support/small_disk.h"
#include "tests/support/temporary_directory.h"

namespace weft {
namespace {

namespace fs = std::filesystem;

std::string text_of(const fs::path& path) {
  std::stringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

size_t entries(const fs::path& directory) {
  return static_cast<size_t>(
      std::distance(fs::directory_iterator(directory), fs::directory_iterator()));
}

template <class Act>
Error error_of(Act act) {
  try {
    act();
  } catch (const Error& error) {
    return error;
  }
  return Error(Exit::done, "no error");
}

TEST(Checksum, IsXxh3OfTheWholeStream) {
  EXPECT_EQ(Checksum::of(""), "2d06800538d394c2");  // the published value for no bytes
  Checksum pieces;
  pieces.add("dataflow", 4);
  pieces.add("flow", 4);
  EXPECT_EQ(pieces.str(), Checksum::of("dataflow"));
  EXPECT_NE(pieces.str(), Checksum::of("dataflox"));
}

TEST(Files, WhatIsWrittenIsRecordedAndRead) {
  const TemporaryDirectory directory;
  FileWriter writer(directory / "a");
  writer.write("one ");
  writer.write("two");
  const FileRecord record = writer.finish();
  EXPECT_EQ(record, (FileRecord{7, Checksum::of("one two")}));
  const FileReader reader(directory / "a");
  EXPECT_EQ(reader.record(), record);
  EXPECT_EQ(reader.text(7), "one two");
  EXPECT_EQ(error_of([&] { reader.text(6); }).code(), Exit::checkpoint);
  char two[3];
  reader.read(4, two, 3);
  EXPECT_EQ(std::string(two, 3), "two");
  EXPECT_EQ(error_of([&] { reader.read(5, two, 3); }).code(), Exit::checkpoint);
}

TEST(Files, OnlyRegularFilesAreRead) {
  const TemporaryDirectory directory;
  ASSERT_EQ(::mkfifo((directory / "pipe").c_str(), 0600), 0);
  for (const char* name : {"pipe", "missing", "."}) {
    const Error error = error_of([&] { const FileReader reader(directory / name); });
    EXPECT_EQ(error.code(), Exit::checkpoint) << name;
    EXPECT_EQ(error.place().file, (directory / name).string());
  }
}

TEST(WriteAtomically, ReplacesTheWholeFileAndLeavesNothingElse) {
  const TemporaryDirectory directory;
  const fs::path path = directory / "status.json";
  write_atomically(path, std::string(100'000, 'a'));
  write_atomically(path, "short");
  EXPECT_EQ(text_of(path), "short");
  EXPECT_EQ(entries(directory.path()), 1U);
}

TEST(WriteAtomically, AFailureKeepsTheOldFileAndSaysWhy) {
  const TemporaryDirectory directory;
  const fs::path path = directory / "status.json";
  write_atomically(path, "old");
  const Error error = error_of([&] {
    const SmallDisk disk(1000);
    write_atomically(path, std::string(5000, 'a'));
  });
  EXPECT_EQ(error.code(), Exit::resources);
  EXPECT_NE(error.sentence().find("File too large"), std::string::npos) << error.what();
  EXPECT_EQ(text_of(path), "old");
  EXPECT_EQ(entries(directory.path()), 1U);

  const Error missing = error_of([&] { write_atomically(directory / "no/file", "text"); });
  EXPECT_EQ(missing.code(), Exit::resources);
  EXPECT_NE(std::string(missing.what()).find("No such file or directory"), std::string::npos);
}

TEST(WriteAtomically, AKilledWriterLeavesTheOldTextOrTheNew) {
  const TemporaryDirectory directory;
  const fs::path path = directory / "status.json";
  const std::string a(200'000, 'a'), b(150'000, 'b');
  write_atomically(path, a);
  for (int i = 0; i < 20; ++i) {
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      for (;;) write_atomically(path, b), write_atomically(path, a);
    }
    ::usleep(static_cast<useconds_t>(1000 + 700 * i));
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    const std::string text = text_of(path);
    ASSERT_TRUE(text == a || text == b) << text.size();
  }
}

TEST(LinkAtomically, ReplacesALink) {
  const TemporaryDirectory directory;
  link_atomically(directory / "last", "one");
  link_atomically(directory / "last", "two");
  EXPECT_EQ(fs::read_symlink(directory / "last"), "two");
  EXPECT_EQ(entries(directory.path()), 1U);
}

TEST(LockFile, ASecondHolderIsRefusedAndToldByWhom) {
  const TemporaryDirectory directory;
  const fs::path path = directory / "run.lock";
  std::optional<LockFile> first(path);
  const Error error = error_of([&] { const LockFile second(path); });
  EXPECT_EQ(error.code(), Exit::usage);
  EXPECT_EQ(error.what(), directory.path().string() + " is being trained by process " +
                              std::to_string(::getpid()) + ": wait for it or give another -o");
  first.reset();
  const LockFile third(path);
  EXPECT_EQ(text_of(path), std::to_string(::getpid()) + "\n");
}

TEST(LockFile, AKilledHolderLeavesNoLock) {
  const TemporaryDirectory directory;
  const fs::path path = directory / "run.lock";
  int ready[2];
  ASSERT_EQ(::pipe(ready), 0);
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    const LockFile held(path);
    if (::write(ready[1], "x", 1) != 1) ::_exit(1);
    for (;;) ::pause();
  }
  char byte = 0;
  ASSERT_EQ(::read(ready[0], &byte, 1), 1);
  const Error error = error_of([&] { const LockFile second(path); });
  EXPECT_NE(error.sentence().find("process " + std::to_string(child)), std::string::npos);
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  EXPECT_NO_THROW(const LockFile second(path));
  ::close(ready[0]), ::close(ready[1]);
}

TEST(LineWriter, KeepsWhatItCannotWriteForTheNextLine) {
  const TemporaryDirectory here;
  const auto path = here / "lines";
  std::filesystem::create_directory(path);
  LineWriter lines(path);
  EXPECT_EQ(lines.add("one"), "Is a directory");
  EXPECT_EQ(lines.flush(), "Is a directory");
  std::filesystem::remove(path);
  EXPECT_EQ(lines.add("two"), "");
  EXPECT_EQ(lines.flush(), "");
  EXPECT_EQ(FileReader(path).text(100), "one\ntwo\n");
  LineWriter full("/dev/full");
  EXPECT_EQ(full.add("one"), "No space left on device");
}

}  // namespace
}  // namespace weft
