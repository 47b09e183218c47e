// Tables of samples: files of one stem in folders and archives; sounds; cells and files that fail.
#include <gmock/gmock.h>

#include "framework/datasets/download.h"
#include "framework/node/host.h"
#include "framework/node/source.h"
#include "tests/support/lone_node.h"
#include "tests/support/media.h"
#include "tests/support/temporary_directory.h"
#include "tests/support/text_file.h"

namespace weft::tests {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::FloatNear;
using testing::HasSubstr;
using testing::IsEmpty;

class Samples : public testing::Test {
 protected:
  // Two birds, the second without a sound, and a tree.
  void SetUp() override {
    picture("animals/birds/owl.png", 255);
    write_text(here_ / "in/animals/birds/owl.txt", "An owl.\r\nfr.utf8=Un hibou.\n");
    sound("animals/birds/owl_desc_fr.ogg", 0.5F);
    sound("animals/birds/owl.ogg", 0.1F);
    picture("animals/birds/owl2.png", 51);
    write_text(here_ / "in/animals/birds/owl2.txt", "Another owl.");
    write_text(here_ / "in/animals/birds/orphan.txt", "No picture.");
    picture("plants/oak.png", 0);
    write_text(here_ / "in/plants/oak.txt", "\xef\xbb\xbfThe oak.\n");
    sound("plants/oak_desc_fr.ogg", 0.25F);
  }

  void picture(const std::string& path, uint8_t red) {
    write_png(here_ / "in" / path, 1, 1, {red, 0, 0, 255});
  }
  void sound(const std::string& path, float height) {
    std::vector<float> samples;
    for (int i = 0; i < 800; ++i) samples.push_back(height * std::sin(static_cast<float>(i)));
    write_sound(here_ / "in" / path, SF_FORMAT_OGG | SF_FORMAT_VORBIS, 8000, 1, samples);
  }

  std::string pack() const {
    const auto packed =
        datasets::run_client({"tar", "-C", "in", "-cf", "it.tar", "."}, here_.path());
    EXPECT_EQ(packed.status, 0) << packed.last_lines;
    return (here_ / "it.tar").string();
  }

  LoneNode::Params pictures(const std::string& file, int64_t batch = 3) const {
    return {{"file", file},
            {"image", std::string(".png")},
            {"size", std::vector<int64_t>{1}},
            {"batch", batch}};
  }
  LoneNode::Params with_sound(const std::string& file, int64_t batch) const {
    auto params = pictures(file, batch);
    params["audio"] = std::string("_desc_fr.ogg");
    params["rate"] = int64_t{8000};
    params["seconds"] = 0.1;
    params["mels"] = int64_t{10};
    return params;
  }

  static std::unique_ptr<LoneNode> read(const LoneNode::Params& params, int64_t rows) {
    auto node = std::make_unique<LoneNode>("table", params);
    node->infer();
    node->forward(0, rows);
    return node;
  }
  static std::string complaint(const LoneNode::Params& params, const std::string& kind = "table") {
    return LoneNode::complaint(kind, params);
  }
  static int64_t count(LoneNode& node) { return dynamic_cast<Source&>(node.node()).samples(); }

  TemporaryDirectory here_;
  const std::string in_ = (here_ / "in").string();
};

TEST_F(Samples, FilesOfOneStemAreARow) {
  for (const std::string& file : {in_, pack()}) {
    SCOPED_TRACE(file);
    auto params = pictures(file);
    params["text"] = std::vector<std::string>{".txt"};
    params["length"] = int64_t{3};
    params["label"] = std::string("folder");
    const auto node = read(params, 3);
    EXPECT_EQ(count(*node), 3);
    EXPECT_THAT(node->floats("image"), ElementsAre(1, 0, 0, FloatNear(0.2, 1e-6), 0, 0, 0, 0, 0));
    EXPECT_THAT(node->ints("label"), ElementsAre(0, 0, 1));
    // owl, then an, another, oak, the by the alphabet
    EXPECT_THAT(node->ints("words"), ElementsAre(2, 1, -1, 3, 1, -1, 5, 4, -1));
    params["label"] = std::string("path");
    params["text"] = std::vector<std::string>{"name"};
    const auto other = read(params, 3);
    EXPECT_THAT(other->ints("label"), ElementsAre(0, 0, 1));
    EXPECT_THAT(other->ints("words"), ElementsAre(2, -1, -1, 3, -1, -1, 1, -1, -1));
  }
}

TEST_F(Samples, TheKeySaysWhatASampleIs) {
  auto params = pictures(in_, 4);
  params.erase("image");
  EXPECT_THAT(complaint(params), HasSubstr("`key` must say"));
  params["key"] = std::string(".txt");
  params["label"] = std::string("name");
  const auto node = read(params, 4);
  EXPECT_THAT(node->ints("label"), ElementsAre(1, 2, 3, 0));  // orphan, owl, owl2, oak
  EXPECT_EQ(node->out("spectrogram").shape(), Shape({4, 0}));
}

TEST_F(Samples, SoundsAreSpectrograms) {
  std::filesystem::remove(here_ / "in/animals/birds/owl2.png");
  const std::string archive = pack();
  const auto node = read(with_sound(in_, 2), 2);
  EXPECT_EQ(node->out("spectrogram").shape(), Shape({2, 5, 10}));
  LoneNode::Params alone{
      {"folder", std::vector{in_}}, {"group", std::string("")}, {"batch", int64_t{3}}};
  for (const char* name : {"rate", "seconds", "mels"}) alone[name] = with_sound(in_, 1)[name];
  LoneNode audio("audio", alone);
  audio.infer();
  audio.forward(0, 3);
  auto expected = audio.floats("spectrogram");  // owl, owl_desc_fr, oak_desc_fr
  expected.erase(expected.begin(), expected.begin() + 50);
  EXPECT_EQ(node->floats("spectrogram"), expected);
  EXPECT_EQ(read(with_sound(archive, 2), 2)->floats("spectrogram"), expected);
}

TEST_F(Samples, WhatIsMissingIsRefusedOrLeftOut) {
  auto params = with_sound(in_, 2);
  EXPECT_THAT(complaint(params),
              AllOf(HasSubstr("row 2 (animals/birds/owl2.png) has no `_desc_fr.ogg`"),
                    HasSubstr("1 of 3 rows lack what is asked for")));
  params["missing"] = std::string("leave_out");
  const auto node = read(params, 2);
  EXPECT_EQ(count(*node), 2);
  EXPECT_THAT(node->floats("image"), ElementsAre(1, 0, 0, 0, 0, 0));
  EXPECT_THAT(node->node().notes(),
              ElementsAre("1 of 3 rows lack something and are left out; the first, row 2 "
                          "(animals/birds/owl2.png) has no `_desc_fr.ogg`"));

  write_text(here_ / "t.csv", "a,b,kind\nx,,1\n,y,1\n,,2\nz,z,\n");
  LoneNode::Params table{{"file", (here_ / "t.csv").string()},
                         {"text", std::vector<std::string>{"a", "b"}},
                         {"batch", int64_t{2}}};
  EXPECT_THAT(complaint(table), HasSubstr("row 3 has no `a` or `b`; 1 of 4 rows"));
  table["label"] = std::string("kind");
  EXPECT_THAT(complaint(table), HasSubstr("row 3 has no `a` or `b`; 2 of 4 rows"));
  table["missing"] = std::string("leave_out");
  EXPECT_THAT(read(table, 2)->ints("label"), ElementsAre(0, 0));
}

TEST_F(Samples, BadFilesAreRefusedOrSkippedUpToAShare) {
  const std::string whole = read_text(here_ / "in/plants/oak.png");
  for (int i = 0; i < 97; ++i) picture("plants/tree" + std::to_string(i) + ".png", 0);
  write_text(here_ / "in/plants/oak.png", whole.substr(0, whole.size() / 2));
  for (const std::string& file : {in_, pack()}) {
    SCOPED_TRACE(file);
    auto params = pictures(file, 100);
    params["bad_files"] = std::string("skip");
    const auto node = read(params, 99);
    EXPECT_EQ(count(*node), 99);
    EXPECT_THAT(node->node().notes(),
                ElementsAre(AllOf(HasSubstr("1 of 100 samples have bad files and are left out: "),
                                  HasSubstr("plants/oak.png"), HasSubstr(": is a broken PNG"))));
    params["bad_share"] = 0.005;
    EXPECT_THAT(complaint(params), HasSubstr("more than the share of `bad_share`"));
    params["size"] = std::vector<int64_t>{2};
    params["limit"] = int64_t{2};  // neither of which is bad
    EXPECT_THAT(read(params, 2)->node().notes(), IsEmpty());
  }
  LoneNode::Params folder{{"folder", std::vector{in_}},
                          {"size", std::vector<int64_t>{1}},
                          {"batch", int64_t{1}},
                          {"bad_files", std::string("skip")}};
  LoneNode images("images", folder);
  images.infer();
  EXPECT_THAT(images.node().notes(), ElementsAre(HasSubstr("oak.png: is a broken PNG")));
  write_text(here_ / "in/animals/birds/owl.ogg", "OggS");
  LoneNode::Params sounds{
      {"folder", std::vector{in_}}, {"batch", int64_t{1}}, {"bad_files", std::string("skip")}};
  EXPECT_THAT(complaint(sounds, "audio"), HasSubstr("1 of 3 samples have bad files, more than"));
}

TEST_F(Samples, MistakesAreSentences) {
  auto params = pictures(in_);
  params["audio"] = std::string("_desc_ft.ogg");
  EXPECT_THAT(complaint(params),
              AllOf(HasSubstr("no sample of "), HasSubstr("has a `_desc_ft.ogg`"),
                    HasSubstr("(did you mean `_desc_fr.ogg`?)")));
  params = pictures(in_);
  params["image"] = std::string("name");
  params["key"] = std::string(".png");
  EXPECT_THAT(complaint(params), HasSubstr("`owl` is no file in "));
  params["key"] = std::string(".bmp");
  EXPECT_THAT(complaint(params), HasSubstr("holds no file that ends in `.bmp`"));
  params = pictures(in_);
  params["folder"] = std::string("pictures");
  EXPECT_THAT(complaint(params), HasSubstr("`folder` is of tables"));
  write_text(here_ / "t.csv", "a\nx\n");
  EXPECT_THAT(complaint({{"file", (here_ / "t.csv").string()},
                         {"key", std::string(".png")},
                         {"batch", int64_t{1}}}),
              HasSubstr("`key` is of samples"));
  write_text(here_ / "bad.tar", std::string(600, 'x'));
  EXPECT_THAT(complaint(pictures((here_ / "bad.tar").string())), HasSubstr("is not a tar archive"));
  write_text(here_ / "in/plants/oak.txt", std::string(1 << 16, 'x'));
  params = pictures(in_);
  params["text"] = std::vector<std::string>{".txt"};
  EXPECT_THAT(complaint(params), HasSubstr("oak.txt: the first line is longer than 64 KiB"));
}

}  // namespace
}  // namespace weft::tests
