// Folders of images and tables that name images, classes and words.
#include <gmock/gmock.h>

#include <cmath>
#include <set>

#include "framework/node/host.h"
#include "framework/node/source.h"
#include "tests/support/lone_node.h"
#include "tests/support/media.h"
#include "tests/support/temporary_directory.h"
#include "tests/support/text_file.h"

namespace weft::tests {
namespace {

using testing::ElementsAre;
using testing::FloatNear;
using testing::HasSubstr;
using Bytes = std::vector<uint8_t>;

Bytes plain(uint8_t r, uint8_t g, uint8_t b, uint8_t opacity = 255) {
  return {r, g, b, opacity};
}

class ImageSources : public testing::Test {
 protected:
  static std::string complaint(const std::string& kind, const LoneNode::Params& params) {
    return LoneNode::complaint(kind, params);
  }
  LoneNode::Params folder(int64_t batch, int64_t size) const {
    return {{"folder", std::vector{here_.path().string()}},
            {"batch", batch},
            {"size", std::vector{size}}};
  }

  TemporaryDirectory here_;
};

TEST_F(ImageSources, PixelsAreMeansOfTheAreaOverTheBackground) {
  const Bytes pixels{0, 0, 0, 255, 255, 0, 0, 255, 0, 0, 255, 0, 0, 255, 0, 255};
  write_png(here_ / "a.png", 2, 2, pixels);
  LoneNode node("images", folder(1, 1));
  node.infer();
  node.forward(0, 1);
  // black, red, white (nothing over the background) and green
  EXPECT_THAT(node.floats("image"),
              ElementsAre(FloatNear(0.5, 0.003), FloatNear(0.5, 0.003), FloatNear(0.25, 0.003)));
  EXPECT_THAT(node.ints("label"), ElementsAre(-1));
  auto gray = folder(1, 2);
  gray["channels"] = int64_t{1};
  gray["range"] = std::string("symmetric");
  LoneNode other("images", gray);
  other.infer();
  other.forward(0, 1);
  EXPECT_THAT(other.floats("image"),
              ElementsAre(FloatNear(-1, 0.01), FloatNear(2 * 0.299 - 1, 0.01), FloatNear(1, 0.01),
                          FloatNear(2 * 0.587 - 1, 0.01)));
}

TEST_F(ImageSources, TheMiddleIsCropped) {
  const Bytes pixels{10, 0, 0, 255, 20, 0, 0, 255, 30, 0, 0, 255, 40, 0, 0, 255};
  write_png(here_ / "wide.png", 4, 1, pixels);
  LoneNode node("images", folder(1, 1));
  node.infer();
  node.forward(0, 1);
  EXPECT_NEAR(node.floats("image")[0] * 255, 25, 0.51);
}

TEST_F(ImageSources, SubfoldersAreClassesAndGroupsStayTogether) {
  for (int i = 0; i < 200; ++i)
    for (const char* tone : {"-a", "-b"})
      write_png(here_ / ("class" + std::to_string(i % 3) + "/" + std::to_string(i) + tone + ".png"),
                1, 1, plain(static_cast<uint8_t>(i), 0, 0));
  auto all = folder(400, 1);
  const auto reds = [&](const std::string& split, std::set<int>& labels) {
    auto params = all;
    params["split"] = split;
    params["group"] = std::string("[0-9]+-");
    params["test_share"] = 0.25;
    LoneNode node("images", params);
    node.infer();
    node.forward(0, 400);
    const int64_t samples = dynamic_cast<Source&>(node.node()).samples();
    std::multiset<int> found;
    for (int64_t i = 0; i < samples; ++i) {
      found.insert(static_cast<int>(node.floats("image")[i * 3] * 255 + 0.5F));
      labels.insert(node.ints("label")[i]);
    }
    return found;
  };
  std::set<int> labels;
  const auto train = reds("train", labels), test = reds("test", labels);
  EXPECT_EQ(train.size() + test.size(), 400U);
  EXPECT_GT(test.size(), 50U);
  for (const int red : train) EXPECT_EQ(train.count(red), 2U);
  for (const int red : test) EXPECT_EQ(train.count(red), 0U);
  EXPECT_THAT(labels, ElementsAre(0, 1, 2));
}

TEST_F(ImageSources, BadFilesAreNamed) {
  EXPECT_THAT(complaint("images", folder(1, 1)), HasSubstr("holds no image file"));
  write_text(here_ / "bad.png", "no image");
  EXPECT_THAT(complaint("images", folder(1, 1)), HasSubstr("bad.png: is neither a PNG nor a JPEG"));
  write_png(here_ / "bad.png", 8, 8, Bytes(256, 77));
  const std::string whole = read_text(here_ / "bad.png");
  write_text(here_ / "bad.png", whole.substr(0, whole.size() / 2));
  EXPECT_THAT(complaint("images", folder(1, 1)), HasSubstr("bad.png: is a broken PNG"));
  std::string huge = whole;  // the width, in the header
  huge[16] = 0x7f;
  write_text(here_ / "bad.png", huge);
  EXPECT_THAT(complaint("images", folder(1, 1)), HasSubstr("bad.png: "));
  write_text(here_ / "bad.png", "\xff\xd8\xff\xe0 and no more");
  EXPECT_THAT(complaint("images", folder(1, 1)), HasSubstr("bad.png: is a broken JPEG"));
  auto nowhere = folder(1, 1);
  nowhere["folder"] = std::vector<std::string>{"no/such/folder"};
  EXPECT_THAT(complaint("images", nowhere), HasSubstr("weft data fetch no"));
}

class Tables : public ImageSources {
 protected:
  LoneNode::Params table(const std::string& name, int64_t batch) const {
    return {{"file", (here_ / name).string()}, {"batch", batch}};
  }
};

TEST_F(Tables, AllKindsReadAlike) {
  write_text(here_ / "t.csv", "name,kind\n\"red, big\",fruit\nnoise,\"a \"\"b\"\"\"\n");
  write_text(here_ / "t.tsv", "name\tkind\nred, big\tfruit\nnoise\ta \"b\"\n");
  write_text(here_ / "t.json",
             R"([{"name": "red, big", "kind": "fruit"}, {"kind": "a \"b\"", "name": "noise"}])");
  write_text(here_ / "t.jsonl",
             "{\"name\": [\"red,\", \"big\"], \"kind\": \"fruit\"}\n\n"
             "{\"name\": \"noise\", \"kind\": \"a \\\"b\\\"\"}\n");
  for (const char* file : {"t.csv", "t.tsv", "t.json", "t.jsonl"}) {
    auto params = table(file, 2);
    params["label"] = std::string("kind");
    params["text"] = std::vector<std::string>{"name", "kind"};
    params["length"] = int64_t{4};
    LoneNode node("table", params);
    node.infer();
    node.forward(0, 2);
    EXPECT_THAT(node.ints("label"), ElementsAre(1, 0)) << file;
    // a, b, big, fruit, noise, red: each once, so by the alphabet from 1
    EXPECT_THAT(node.ints("words"), ElementsAre(6, 3, 4, -1, 5, 1, 2, -1)) << file;
    EXPECT_EQ(node.out("image").shape(), Shape({2, 0}));
  }
}

TEST_F(Tables, RareWordsAreUnknown) {
  write_text(here_ / "t.csv", "t\nb b a\nb c\n");
  auto params = table("t.csv", 2);
  params["text"] = std::vector<std::string>{"t"};
  params["words"] = int64_t{3};
  params["length"] = int64_t{3};
  LoneNode node("table", params);
  node.infer();
  node.forward(0, 2);
  EXPECT_THAT(node.ints("words"), ElementsAre(1, 1, 2, 1, 0, -1));
}

TEST_F(Tables, ImagesLieBesideTheTable) {
  write_png(here_ / "pictures/a.png", 1, 1, plain(255, 0, 0));
  write_text(here_ / "t.csv", "file\na.png\n");
  auto params = table("t.csv", 1);
  params["image"] = std::string("file");
  params["folder"] = std::string("pictures");
  params["size"] = std::vector<int64_t>{1};
  LoneNode node("table", params);
  node.infer();
  node.forward(0, 1);
  EXPECT_THAT(node.floats("image"), ElementsAre(1, 0, 0));
}

TEST_F(Tables, MistakesAreSentences) {
  write_text(here_ / "t.csv", "a,b\n1,2\n3\n");
  EXPECT_THAT(complaint("table", table("t.csv", 1)),
              HasSubstr("t.csv: record 3 has 1 fields, but the header has 2"));
  write_text(here_ / "t.json", "[{\"a\": 1}, 3]");
  EXPECT_THAT(complaint("table", table("t.json", 1)), HasSubstr("item 1 is no object"));
  write_text(here_ / "t.json", "[{\"a\": 1}");
  EXPECT_THAT(complaint("table", table("t.json", 1)), HasSubstr("is not JSON"));
  write_text(here_ / "t.jsonl", "{\"a\": 1}\nx\n");
  EXPECT_THAT(complaint("table", table("t.jsonl", 1)), HasSubstr("line 2 is no JSON object"));
  write_text(here_ / "good.csv", "name\nx\n");
  auto params = table("good.csv", 1);
  params["label"] = std::string("nmae");
  EXPECT_THAT(complaint("table", params), HasSubstr("no column `nmae` (did you mean `name`?)"));
  write_text(here_ / "t.txt", "x");
  EXPECT_THAT(complaint("table", table("t.txt", 1)), HasSubstr("a table is a .csv"));
}

TEST_F(Tables, AQuoteThatIsNeverClosedIsRefused) {
  write_text(here_ / "t.csv", "a,b\n1,\"two\nlines\"\n3,\"x\n4,5\n6,7\n");
  EXPECT_THAT(complaint("table", table("t.csv", 1)),
              HasSubstr("t.csv: has a quote in line 4 that is never closed"));
  write_text(here_ / "t.csv", "a,\"b\n1,2\n");
  EXPECT_THAT(complaint("table", table("t.csv", 1)), HasSubstr("has a quote in line 1"));
}

TEST_F(Tables, ZeroBytesAreNoText) {
  write_text(here_ / "t.csv", std::string("a\nx.png\0.csv\n", 13));
  EXPECT_THAT(complaint("table", table("t.csv", 1)), HasSubstr("has a zero byte in line 2"));
  write_text(here_ / "t.json", R"([{"a": "x"}, {"a": ["x", "y\u0000z"]}])");
  EXPECT_THAT(complaint("table", table("t.json", 1)),
              HasSubstr("has a zero byte in a text, in object 2"));
}

TEST_F(Tables, DeepJsonIsRefused) {
  const std::string deep = std::string(1'000'000, '[') + std::string(1'000'000, ']');
  write_text(here_ / "t.json", "[{\"a\": " + deep + "}]");
  EXPECT_THAT(complaint("table", table("t.json", 1)), HasSubstr("is nested deeper than 64"));
  write_text(here_ / "t.jsonl", "{\"a\": " + deep + "}\n");
  EXPECT_THAT(complaint("table", table("t.jsonl", 1)), HasSubstr("is nested deeper than 64"));
}

TEST_F(Tables, ManyClassesTakeNoTime) {
  std::string text = "kind\n";
  for (int i = 0; i < 200'000; ++i) text += std::to_string(i) + "\n";
  write_text(here_ / "t.csv", text);
  auto params = table("t.csv", 2);
  params["label"] = std::string("kind");
  const auto begin = std::chrono::steady_clock::now();
  LoneNode node("table", params);
  node.infer();
  node.forward(0, 2);
  EXPECT_THAT(node.ints("label"), ElementsAre(0, 1));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(10));
}

TEST_F(Tables, ClassesMayBeChosen) {
  write_text(here_ / "t.csv", "kind,n\na,1\nb,2\nc,3\nb,4\n");
  auto params = table("t.csv", 2);
  params["numbers"] = std::vector<std::string>{"n"};
  params["classes"] = std::vector<int64_t>{1};
  EXPECT_THAT(complaint("table", params), HasSubstr("`classes` needs a `label`"));
  params["label"] = std::string("kind");
  LoneNode node("table", params);
  node.infer();
  EXPECT_EQ(dynamic_cast<Source&>(node.node()).samples(), 2);
  node.forward(0, 2);
  EXPECT_THAT(node.ints("label"), ElementsAre(1, 1));
  EXPECT_THAT(node.floats("numbers"), ElementsAre(2, 4));
}

TEST_F(Tables, FilesThatAreNotThereAreToldAtOnce) {
  write_text(here_ / "t.csv", "file\na.png\nb.png\n");
  auto params = table("t.csv", 1);
  params["image"] = std::string("file");
  params["folder"] = std::string("pictures");
  params["size"] = std::vector<int64_t>{1};
  LoneNode node("table", params);
  try {
    node.infer();
    ADD_FAILURE() << "a folder that is not there is taken";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Exit::data);
    EXPECT_THAT(error.what(), HasSubstr("pictures/a.png, nor any other of the first 2 files that "
                                        "the column `file` names: `folder` says where they are"));
  }
}

// Sources that are given what was learned elsewhere.
FittedMap given(const std::string& name, const std::string& bytes) {
  return {{name, {std::make_shared<const std::string>(bytes), {}}}};
}

TEST_F(Tables, WordsAndClassesMayBeGiven) {
  write_text(here_ / "t.csv", "t,kind\nb a,x\nc,y\n");
  auto params = table("t.csv", 2);
  params["text"] = std::vector<std::string>{"t"};
  params["label"] = std::string("kind");
  params["length"] = int64_t{2};
  LoneNode node("table", params);
  auto known = given("words of `t`", std::string("c\0b\0", 4));
  known.merge(given("classes of `kind`", std::string("w\0x\0y\0", 6)));
  node.node().host().setting = {.fitted = std::make_shared<FittedMap>(known)};
  node.infer();
  node.forward(0, 2);
  EXPECT_THAT(node.ints("words"), ElementsAre(2, 0, 1, -1));
  EXPECT_THAT(node.ints("label"), ElementsAre(1, 2));
  for (const Fit* fit : node.node().host().fits) EXPECT_EQ(Host::complaint(*fit), "");
}

TEST_F(ImageSources, ClassesOfFoldersMayBeGiven) {
  for (const char* name : {"in/owl/a.png", "in/bat/b.png", "in/c.png"})
    write_png(here_ / name, 1, 1, plain(0, 0, 0));
  LoneNode node("images", {{"folder", std::vector{(here_ / "in").string()}},
                           {"size", std::vector<int64_t>{1}},
                           {"batch", int64_t{3}}});
  node.node().host().setting = {.fitted = std::make_shared<FittedMap>(given(
                                    "classes of folders of images", std::string("ape\0owl\0", 8)))};
  node.infer();
  node.forward(0, 3);
  EXPECT_THAT(node.ints("label"), ElementsAre(-1, -1, 1));  // bat, none, owl
  EXPECT_EQ(Host::complaint(*node.node().host().fits.front()),
            "`bat` is not among the 2 classes of folders of images that were learned: `ape`, "
            "`owl`; leave such "
            "samples out, or train with them");
}

using Folders = std::vector<std::string>;

class SeveralFolders : public ImageSources {
 protected:
  void SetUp() override {
    const char* const names[] = {"one/deep/a.png", "one/deep/sub/b.png", "two/deep/c.png"};
    for (uint8_t i = 0; i < 3; ++i) write_png(here_ / names[i], 1, 1, plain(i, 0, 0));
  }
  LoneNode::Params of(const Folders& names) const {
    Folders folders;
    for (const std::string& name : names) folders.push_back((here_ / name).string());
    return {{"folder", folders}, {"size", std::vector<int64_t>{1}}, {"batch", int64_t{3}}};
  }
  // Each sample's red and class.
  static std::vector<std::pair<int, int>> read(const LoneNode::Params& params) {
    LoneNode node("images", params);
    node.infer();
    const int64_t samples = dynamic_cast<Source&>(node.node()).samples();
    node.forward(0, samples);
    std::vector<std::pair<int, int>> all;
    for (int64_t i = 0; i < samples; ++i)
      all.emplace_back(std::lround(node.floats("image")[i * 3] * 255), node.ints("label")[i]);
    return all;
  }
};

TEST_F(SeveralFolders, AreOneSetWhosePathsBeginWhereTheirNamesDiffer) {
  using Set = std::vector<std::pair<int, int>>;
  EXPECT_EQ(read(of({"one/deep", "two/deep"})), (Set{{0, 0}, {1, 0}, {2, 1}}));
  EXPECT_EQ(read(of({"two/deep/", "./one"})), (Set{{2, 1}, {0, 0}, {1, 0}}));
  EXPECT_EQ(read(of({"."})), (Set{{0, 0}, {1, 0}, {2, 1}}));  // as from the folder that holds both
  EXPECT_EQ(read(of({"one/deep"})), (Set{{0, -1}, {1, 0}}));
  auto params = of({"one", "two"});
  params["match"] = std::string("^one/|/c");
  params["label"] = std::string("[abc]\\.");
  EXPECT_EQ(read(params), (Set{{0, 0}, {1, 1}, {2, 2}}));
  params["match"] = std::string("^deep/");
  EXPECT_THAT(complaint("images", params),
              testing::AllOf(HasSubstr("one or "), HasSubstr("two matches `^deep/`")));
}

TEST_F(SeveralFolders, ClassesKeepTheirNumbers) {
  write_png(here_ / "four/a.png", 1, 1, plain(4, 0, 0));
  auto params = of({"."});  // four, one, two
  params["classes"] = std::vector<int64_t>{2, 0};
  EXPECT_EQ(read(params), (std::vector<std::pair<int, int>>{{4, 0}, {2, 2}}));
  params["limit"] = int64_t{1};  // of these
  EXPECT_EQ(read(params), (std::vector<std::pair<int, int>>{{4, 0}}));
  params["classes"] = std::vector<int64_t>{3};
  EXPECT_THAT(complaint("images", params),
              HasSubstr("`classes` has 3, but no sample is of that class"));
}

TEST_F(SeveralFolders, MistakesAreSentences) {
  const char* const twice = "`folder` has a folder twice, or one that is in another";
  EXPECT_THAT(complaint("images", of({"one", "two", "./one/"})), HasSubstr(twice));
  EXPECT_THAT(complaint("images", of({"one/deep", "two", "one"})), HasSubstr(twice));
  EXPECT_THAT(complaint("images", of({})), HasSubstr("`folder` is an empty list"));
  auto params = of({"one"});
  params["folder"] = Folders{"one", ""};
  EXPECT_THAT(complaint("images", params), HasSubstr("`folder` is empty"));
  params["folder"] = Folders{(here_ / "one").string(), "speech_xx/xx"};
  EXPECT_THAT(complaint("images", params), HasSubstr("`weft data fetch speech_xx`"));
}

}  // namespace
}  // namespace weft::tests
