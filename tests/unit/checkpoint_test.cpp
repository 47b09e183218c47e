#include "framework/run/checkpoint_store.h"

#include <gtest/gtest.h>

#include <limits>
#include <random>

#include "tests/support/checkpoint_fixture.h"

namespace weft {
namespace {

TEST_F(CheckpointTest, RoundTripKeepsEveryBit) {
  CheckpointStore store = open();
  Content content(12000);
  content.weight = std::vector<float>(24, -0.0F);
  content.weight[3] = std::numeric_limits<float>::denorm_min();
  content.model[0].tensor.data = content.weight.data();
  EXPECT_EQ(content.save(store), path_ / "step-000000012000");
  expect_equal(store.newest(), content);
  expect_equal(store.at(12000), content);
  expect_equal(Checkpoint::read(path_ / "last"), content);
  expect_equal(open_read_only().newest(), content);
  EXPECT_EQ(last(), "step-000000012000");
  EXPECT_EQ(names(), (std::set<std::string>{"step-000000012000", "last"}));
  EXPECT_TRUE(warnings_.empty());
}

TEST_F(CheckpointTest, AnEmptyStoreSaysSo) {
  EXPECT_EQ(error_of([&] { open_read_only().newest(); }).code(), Exit::checkpoint);
  EXPECT_FALSE(fs::exists(path_));
  CheckpointStore store = open();
  EXPECT_EQ(error_of([&] { store.newest(); }).sentence(), "holds no checkpoint yet");
  EXPECT_EQ(error_of([&] { store.best(); }).code(), Exit::checkpoint);
  EXPECT_EQ(error_of([&] { store.mark_best(4); }).code(), Exit::checkpoint);
  Content(400).save(store);
  Content(500).save(store);
  EXPECT_EQ(error_of([&] { store.at(450); }).sentence(),
            "no checkpoint of step 450: there are 500, 400");
  EXPECT_EQ(error_of([&] { open(0); }).code(), Exit::usage);
}

// Flips in every file: hundreds of random bits each.
TEST_F(CheckpointTest, EveryFlippedBitIsFound) {
  CheckpointStore store = open();
  const Content content(7);
  const fs::path directory = content.save(store);
  std::mt19937 random(1);
  for (const char* file : file_names) {
    const std::string whole = bytes_of(directory / file);
    for (int i = 0; i < 400; ++i) {
      std::string damaged = whole;
      const size_t bit = random() % (8 * whole.size());
      damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << bit % 8));
      put(directory / file, damaged);
      const Error error = error_of([&] { Checkpoint::read(directory); });
      ASSERT_EQ(error.code(), Exit::checkpoint) << file << " bit " << bit;
      ASSERT_EQ(error.place().file, (directory / file).string());
    }
    put(directory / file, whole);
  }
  expect_equal(Checkpoint::read(directory), content);
}

TEST_F(CheckpointTest, EveryTruncationAndGrowthIsFound) {
  CheckpointStore store = open();
  const Content content(7);
  const fs::path directory = content.save(store);
  for (const char* file : file_names) {
    const std::string whole = bytes_of(directory / file);
    const size_t stride = whole.size() / 150 + 1;
    for (size_t size = 0; size < whole.size(); size += stride) {
      put(directory / file, whole.substr(0, size));
      ASSERT_EQ(error_of([&] { Checkpoint::read(directory); }).code(), Exit::checkpoint)
          << file << " of " << size << " bytes";
    }
    for (const char* tail : {" ", "\n", "{}"}) {
      put(directory / file, whole + tail);
      ASSERT_EQ(error_of([&] { Checkpoint::read(directory); }).code(), Exit::checkpoint);
    }
    fs::remove(directory / file);
    const Error missing = error_of([&] { Checkpoint::read(directory); });
    ASSERT_EQ(missing.what(), (directory / file).string() + ": is missing");
    put(directory / file, whole);
  }
  expect_equal(Checkpoint::read(directory), content);
}

TEST_F(CheckpointTest, FilesSwappedBetweenCheckpointsAreFound) {
  CheckpointStore store = open();
  const fs::path one = Content(1).save(store), two = Content(2).save(store);
  for (const char* file :
       {"model.safetensors", "optimizer.safetensors", "state.json", "MANIFEST.json"}) {
    const std::string a = bytes_of(one / file), b = bytes_of(two / file);
    put(one / file, b), put(two / file, a);
    EXPECT_EQ(error_of([&] { Checkpoint::read(one); }).code(), Exit::checkpoint) << file;
    EXPECT_EQ(error_of([&] { Checkpoint::read(two); }).code(), Exit::checkpoint) << file;
    put(one / file, a), put(two / file, b);
  }
  EXPECT_EQ(Checkpoint::read(one).step, 1);
}

TEST_F(CheckpointTest, FallsBackToTheNewestThatIsWhole) {
  CheckpointStore store = open();
  for (const int64_t step : {400, 469, 500}) Content(step).save(store);
  fs::remove(path_ / name(500) / "MANIFEST.json");
  std::string model = bytes_of(path_ / name(469) / "model.safetensors");
  model.back() ^= 1;
  put(path_ / name(469) / "model.safetensors", model);

  expect_equal(open_read_only().newest(), Content(400));
  EXPECT_EQ(names().count(name(500)), 1U);
  ASSERT_EQ(warnings_.size(), 2U);
  EXPECT_EQ(warnings_[0],
            "checkpoint step-000000000500 is broken (MANIFEST.json: is missing): skipped; "
            "falling back to step 469");
  warnings_.clear();

  expect_equal(open().newest(), Content(400));
  ASSERT_EQ(warnings_.size(), 2U);
  EXPECT_EQ(warnings_[1],
            "checkpoint step-000000000469 is broken (model.safetensors: checksum differs): "
            "renamed to broken-step-000000000469; falling back to step 400");
  EXPECT_EQ(names(), (std::set<std::string>{"broken-step-000000000469", "broken-step-000000000500",
                                            name(400), "last"}));
  EXPECT_EQ(last(), name(400));
  EXPECT_EQ(bytes_of(path_ / "broken-step-000000000469" / "model.safetensors"), model);

  // The same step breaks again: both are kept.
  Content(469).save(store);
  put(path_ / name(469) / "state.json", "{}");
  expect_equal(open().newest(), Content(400));
  EXPECT_EQ(names().count("broken-step-000000000469.2"), 1U);
}

TEST_F(CheckpointTest, NothingWholeIsAnError) {
  CheckpointStore store = open();
  for (const int64_t step : {1, 2}) put(Content(step).save(store) / "pipeline.yaml", "");
  const Error error = error_of([&] { store.newest(); });
  EXPECT_EQ(error.code(), Exit::checkpoint);
  EXPECT_EQ(error.sentence(),
            "holds no checkpoint that is whole: --overwrite starts anew, -o names another run");
  EXPECT_EQ(warnings_.size(), 2U);
  Content(3).save(store);
  EXPECT_EQ(store.newest().step, 3);
}

TEST_F(CheckpointTest, OrderIsTheManifestsNotTheNamesNorTheTimes) {
  CheckpointStore store = open();
  for (const int64_t step : {9900, 10000}) Content(step).save(store);
  fs::rename(path_ / name(9900), path_ / "spare");
  fs::rename(path_ / name(10000), path_ / name(9900));
  fs::rename(path_ / "spare", path_ / name(10000));
  fs::last_write_time(path_ / name(10000),
                      fs::file_time_type::clock::now() + std::chrono::years(1));
  EXPECT_EQ(store.newest().step, 10000);
  EXPECT_EQ(store.at(9900).step, 9900);
}

TEST_F(CheckpointTest, ACheckpointIsWholeWhereverItIsCopied) {
  CheckpointStore store = open();
  const Content content(5);
  fs::copy(content.save(store), directory_ / "elsewhere");
  put(directory_ / "elsewhere" / "notes.txt", "mine");
  expect_equal(Checkpoint::read(directory_ / "elsewhere"), content);
}

TEST_F(CheckpointTest, AnotherFormatIsNotCalledBroken) {
  CheckpointStore store = open();
  Content(1).save(store);
  Manifest manifest = Manifest::read(Content(2).save(store));
  manifest.format = 2;
  put(path_ / name(2) / "MANIFEST.json", manifest.str());
  const Error error = error_of([&] { store.newest(); });
  EXPECT_EQ(error.sentence(),
            "its format is 2, of weft 0.1.0; this weft reads 1: go on with the weft that wrote it");
  EXPECT_EQ(names().count(name(2)), 1U);
}

TEST_F(CheckpointTest, AManifestThatMissesAFileOrLeavesTheDirectoryIsRefused) {
  CheckpointStore store = open();
  const fs::path directory = Content(1).save(store);
  Manifest manifest = Manifest::read(directory);
  manifest.files.erase("optimizer.safetensors");
  put(directory / "MANIFEST.json", manifest.str());
  EXPECT_EQ(error_of([&] { Checkpoint::read(directory); }).sentence(),
            "does not record optimizer.safetensors");
  manifest = Manifest::read(Content(2).save(store));
  manifest.step = INT64_MIN;
  put(directory / "MANIFEST.json", manifest.str());
  EXPECT_EQ(error_of([&] { Checkpoint::read(directory); }).sentence(), "has a negative step");
  EXPECT_EQ(error_of([&] { store.at(1); }).sentence(),
            "no checkpoint of step 1: step-000000000001 is broken (MANIFEST.json: has a negative "
            "step)");
  for (const std::string text : {"[]", "1", "{}", "null", R"({"checksum":1})", "\xff"}) {
    put(directory / "MANIFEST.json", text);
    EXPECT_EQ(error_of([&] { Checkpoint::read(directory); }).code(), Exit::checkpoint) << text;
  }
  put(directory / "MANIFEST.json", std::string(500'000, '['));
  EXPECT_EQ(error_of([&] { Checkpoint::read(directory); }).sentence(), "is too deep");
  put(directory / "MANIFEST.json", std::string(2'000'000, ' '));
  EXPECT_EQ(error_of([&] { Checkpoint::read(directory); }).code(), Exit::checkpoint);
}

TEST_F(CheckpointTest, NothingThatIsNotFiniteIsSaved) {
  CheckpointStore store = open();
  Content(1).save(store);
  const auto before = names();
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), 1.0F / 0.0F, -1.0F / 0.0F}) {
    for (const bool in_model : {true, false}) {
      Content content(2);
      (in_model ? content.weight : content.momentum)[17] = bad;
      const Error error = error_of([&] { content.save(store); });
      EXPECT_EQ(error.code(), Exit::nonfinite);
      EXPECT_EQ(error.sentence().find(in_model ? "`decoder.weight` is" : "`decoder.weight.m` is"),
                0U)
          << error.what();
      EXPECT_NE(error.sentence().find("at element 17: step 2"), std::string::npos);
    }
    Content content(2);
    content.state["metrics"]["loss"] = bad;
    EXPECT_EQ(error_of([&] { content.save(store); }).sentence(),
              "`/metrics/loss` of the state is not finite: step 2 is not saved");
  }
  EXPECT_EQ(names(), before);
}

TEST_F(CheckpointTest, WhatCouldNotBeReadAgainIsNotSaved) {
  CheckpointStore store = open();
  Content content(1);
  json deep = 1;
  for (int i = 0; i < 70; ++i) deep = json::array({std::move(deep)});
  content.state = deep;
  EXPECT_EQ(error_of([&] { content.save(store); }).code(), Exit::checkpoint);
  content.state = {{"text", "\xff"}};
  EXPECT_EQ(error_of([&] { content.save(store); }).code(), Exit::checkpoint);
  content.state = nullptr;
  content.model.push_back(content.model.front());
  EXPECT_EQ(error_of([&] { content.save(store); }).code(), Exit::checkpoint);
  EXPECT_TRUE(names().empty());
  content.model.pop_back();
  content.save(store);
  expect_equal(store.newest(), content);
}

}  // namespace
}  // namespace weft
