// A state whose checksums are right, but which no weft wrote: refused with a sentence.
#include <functional>

#include "framework/node/error.h"
#include "framework/run/manifest.h"
#include "tests/support/tiny_runs.h"

namespace weft::tests {

using Json = nlohmann::json;
using testing::HasSubstr;

class ForgedState : public TinyRuns {
 protected:
  ForgedState() {
    write("vae", tiny_vae());
    EXPECT_EQ(train("vae", "a", {"--steps", "33"}).exit, 75);
  }

  void seal(const std::filesystem::path& checkpoint, const std::string& file,
            const std::string& text) const {
    write_text(checkpoint / file, text);
    Manifest manifest = Manifest::read(checkpoint);
    manifest.files[file] = {text.size(), Checksum::of(text)};
    write_text(checkpoint / Manifest::file_name, manifest.str());
  }
};

TEST_F(ForgedState, IsRefusedWhateverIsWrongInIt) {
  const auto folder = last("a");
  const Json real = Json::parse(read_text(folder / "state.json"));
  const std::vector<Json> wrong{Json(),         Json(true),         Json(-1),
                                Json(1e300),    Json("x"),          Json::array(),
                                Json::object(), Json::array({"x"}), Json{{"x", nullptr}}};
  int tried = 0;
  const auto refused = [&](const Json& state, const std::string& where) {
    seal(folder, "state.json", state.dump(1) + "\n");
    const Ended ended = train("vae", "a", {"--resume", "auto"});
    ++tried;
    EXPECT_EQ(ended.signal, 0) << where;
    // What is not used, or may have that value, is no mistake.
    EXPECT_TRUE(ended.exit == 6 || ended.exit == 0) << where << ": " << ended.exit << ended.err;
    if (ended.exit == 0) {  // the run has gone on: start again
      std::filesystem::remove_all(folder_ / "a");
      EXPECT_EQ(train("vae", "a", {"--steps", "33"}).exit, 75);
    }
    const Ended evaluated = weft({"evaluate", "a", "--json"});
    EXPECT_TRUE(evaluated.exit == 6 || evaluated.exit == 0) << where << ": " << evaluated.err;
  };
  for (const auto& [key, value] : real.items()) {
    Json without = real;
    without.erase(key);
    refused(without, "without " + key);
    for (const Json& other : wrong) {
      if (other == value) continue;
      Json state = real;
      state[key] = other;
      refused(state, key + " = " + other.dump());
    }
  }
  for (const Json& other : wrong) refused(other, "all = " + other.dump());
  EXPECT_GT(tried, 80);
}

TEST_F(ForgedState, WeightsThatAreNotFiniteAreRefused) {
  const auto folder = last("a");
  std::string model = read_text(folder / "model.safetensors");
  const float nan = NAN;
  std::memcpy(model.data() + model.size() - sizeof nan, &nan, sizeof nan);
  seal(folder, "model.safetensors", model);
  const Ended evaluated = weft({"evaluate", "a"});
  EXPECT_EQ(evaluated.exit, static_cast<int>(Exit::checkpoint));
  EXPECT_THAT(evaluated.err, HasSubstr("has numbers that are not finite in the checkpoint"));
  EXPECT_EQ(train("vae", "a", {"--resume", "auto"}).exit, static_cast<int>(Exit::checkpoint));
}

TEST_F(ForgedState, OfANewerFormatIsNeitherPassedOverNorRemoved) {
  std::vector<std::filesystem::path> all;
  for (const auto& entry : std::filesystem::directory_iterator(folder_ / "a/checkpoints"))
    if (!entry.is_symlink()) all.push_back(entry.path());
  for (const auto& checkpoint : all) {
    Manifest manifest = Manifest::read(checkpoint);
    manifest.format = 2, manifest.writer = "weft 9.1";
    write_text(checkpoint / Manifest::file_name, manifest.str());
  }
  const Ended ended = train("vae", "a", {"--resume", "auto"});
  EXPECT_EQ(ended.exit, static_cast<int>(Exit::checkpoint));
  EXPECT_THAT(ended.err, HasSubstr("its format is 2, of weft 9.1"));
  for (const auto& checkpoint : all) EXPECT_TRUE(std::filesystem::exists(checkpoint));
}

TEST_F(ForgedState, AllBrokenIsNoReasonToStartAnew) {
  for (const auto& entry : std::filesystem::directory_iterator(folder_ / "a/checkpoints"))
    if (!entry.is_symlink()) damage(entry.path() / "model.safetensors");
  for (int again = 0; again < 2; ++again) {
    const Ended ended = train("vae", "a", {"--resume", "auto"});
    EXPECT_EQ(ended.exit, static_cast<int>(Exit::checkpoint));
    EXPECT_THAT(ended.err, HasSubstr("--overwrite starts anew"));
  }
}

TEST_F(ForgedState, AManifestOfAnotherStepIsBroken) {
  write_text(last("a") / Manifest::file_name, read_text(checkpoint("a", 28) / Manifest::file_name));
  const Ended ended = train("vae", "a", {"--resume", "auto"});
  EXPECT_EQ(ended.exit, 0);
  EXPECT_THAT(ended.err, HasSubstr("is broken"));
}

TEST_F(ForgedState, TheLinkToTheLastIsMended) {
  std::filesystem::remove(folder_ / "a/checkpoints/last");
  std::filesystem::create_directory_symlink("step-000000000021", folder_ / "a/checkpoints/last");
  EXPECT_EQ(train("vae", "a", {"--resume", "auto", "--steps", "33"}).exit, 75);
  EXPECT_EQ(step_of(last("a")), 33);
}

TEST_F(ForgedState, OnlyARunIsOverwritten) {
  std::filesystem::create_directory(folder_ / "letters");
  write_text(folder_ / "letters/dear.txt", "x");
  const Ended ended = train("vae", "letters", {"--overwrite"});
  EXPECT_EQ(ended.exit, 2);
  EXPECT_THAT(ended.err, HasSubstr("holds files but no run"));
  EXPECT_TRUE(std::filesystem::exists(folder_ / "letters/dear.txt"));
}

}  // namespace weft::tests
