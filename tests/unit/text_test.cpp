// Text as pieces: corpora, vocabularies, blanks, and back to text.
#include <gmock/gmock.h>

#include <algorithm>
#include <set>
#include <tuple>

#include "framework/node/host.h"
#include "framework/node/source.h"
#include "tests/support/environment.h"
#include "tests/support/lone_node.h"
#include "tests/support/temporary_directory.h"
#include "tests/support/text_file.h"

namespace weft::tests {
namespace {

using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using Strings = std::vector<std::string>;
using Params = LoneNode::Params;

class TextNodes : public testing::Test {
 protected:
  std::string file(const std::string& name, const std::string& text) {
    std::filesystem::create_directories((here_ / name).parent_path());
    write_text(here_ / name, text);
    return here_ / name;
  }
  // Of single characters, so that counts are plain; spaces are `▁`.
  Params source(const std::string& path, int64_t length, int64_t batch = 1) const {
    return {{"file", path},          {"vocabulary", std::string("v")},
            {"pieces", int64_t{20}}, {"length", length},
            {"batch", batch},        {"kind", std::string("characters")}};
  }
  // Of the first sample, as training reads it: its vocabulary is then kept.
  static std::vector<int32_t> first(const Params& params) {
    LoneNode node("text", params);
    node.infer();
    if (const auto& keep = node.node().host().fits.front()->keep) keep();
    node.forward(0, 1);
    return node.ints("tokens");
  }
  static std::string complaint(const Params& params) { return LoneNode::complaint("text", params); }
  static int64_t samples(const Params& params) {
    LoneNode node("text", params);
    node.infer();
    return dynamic_cast<Source&>(node.node()).samples();
  }

  TemporaryDirectory here_;
  Environment data_{"WEFT_DATA_DIR", here_ / "data"};
};

TEST_F(TextNodes, WhitespaceIsKeptIfAskedFor) {
  Params params = source(file("verse.txt", "ab\n  b\n\n\nc\n"), 9);
  params["whitespace"] = std::string("keep");
  LoneNode node("text", params);
  node.infer();
  node.forward(0, 1);
  const auto tokens = node.ints("tokens");  // a b line-end space space b end c end
  EXPECT_EQ(tokens[3], tokens[4]);
  EXPECT_EQ(tokens[1], tokens[5]);
  EXPECT_EQ(std::set<int32_t>(tokens.begin(), tokens.end()).size(), 6U);
  EXPECT_THAT(tokens, ElementsAre(testing::_, testing::_, testing::_, testing::_, testing::_,
                                  testing::_, 2, testing::_, 2));
  params["whitespace"] = std::string("join");
  params["vocabulary"] = std::string("other");
  params["length"] = int64_t{8};
  EXPECT_EQ(first(params).size(), 8U);  // ▁ab▁b end ▁c end
}

TEST_F(TextNodes, DocumentsFollowEachOther) {
  const std::string path = file("a.txt", "ab\nb\n\n\n  c  \n");
  const auto tokens = first(source(path, 8));  // ▁ab▁b end ▁c end
  ASSERT_EQ(tokens.size(), 8U);
  EXPECT_EQ(tokens[0], tokens[3]);
  EXPECT_EQ(tokens[2], tokens[4]);
  EXPECT_EQ(tokens[5], 2);
  EXPECT_EQ(tokens[0], tokens[6]);
  EXPECT_EQ(samples(source(path, 4)), 2);
  EXPECT_EQ(samples(source(path, 5)), 1);
}

TEST_F(TextNodes, ADocumentIsASampleIfAsked) {
  auto params = source(file("a.txt", "ab\nb\n\nc\n"), 4, 3);
  params["samples"] = std::string("documents");
  params["unit"] = std::string("lines");
  LoneNode node("text", params);
  node.infer();
  EXPECT_EQ(dynamic_cast<Source&>(node.node()).samples(), 3);
  node.forward(0, 3);
  const auto tokens = node.ints("tokens");
  EXPECT_EQ(tokens[3], -1);
  EXPECT_EQ(tokens[1 * 4 + 1], tokens[2]);
  EXPECT_THAT(std::vector<int32_t>(tokens.begin() + 6, tokens.begin() + 8), Each(-1));
}

TEST_F(TextNodes, ReadsColumnsOfTablesBelowAFolder) {
  file("poems/a.json", R"([{"title": "x", "lines": ["ab", "c"]}, {"title": "x", "lines": ["a"]}])");
  file("poems/notes.txt", "zzzz");
  auto params = source(here_ / "poems", 4);
  params["columns"] = Strings{"lines"};
  params["match"] = std::string("json$");
  EXPECT_EQ(samples(params), 2);  // ▁ab▁c end ▁a end
  params["columns"] = Strings{"line"};
  EXPECT_THAT(complaint(params), HasSubstr("no column `line` (did you mean `lines`?)"));
  params.erase("columns");
  EXPECT_THAT(complaint(params), HasSubstr("is a table: `columns` must name those to read"));
}

TEST_F(TextNodes, SaysWhatIsWrongWithAText) {
  EXPECT_THAT(complaint(source(here_ / "none.txt", 4)), HasSubstr("there is no `"));
  EXPECT_THAT(complaint(source(file("empty.txt", " \n\n"), 4)), HasSubstr("holds no text"));
  EXPECT_THAT(complaint(source(file("latin.txt", "caf\xe9 au lait"), 4)),
              HasSubstr("latin.txt is not UTF-8 in line 1, at byte 3"));
  EXPECT_THAT(complaint(source(file("cut.txt", "a\xe5\xba"), 4)), HasSubstr("is not UTF-8"));
  auto params = source(file("a.txt", "abc"), 4);
  params["lines"] = Strings{"abc"};
  EXPECT_THAT(complaint(params), HasSubstr("takes `file` or `lines`, not both"));
  params = source(file("a.txt", "abc"), 4);
  params["pieces"] = int64_t{3};
  EXPECT_THAT(complaint(params), HasSubstr("more than that"));
  params["pieces"] = int64_t{20};
  params["vocabulary"] = std::string("../v");
  EXPECT_THAT(complaint(params), HasSubstr("but a name has letters"));
}

TEST_F(TextNodes, AVocabularyBelongsToItsCorpus) {
  const auto params = source(file("a.txt", "abc"), 4);
  first(params);
  auto other = source(file("b.txt", "abd"), 4);
  EXPECT_THAT(complaint(other),
              testing::AllOf(HasSubstr("v.vocabulary has 20 characters pieces of corpus "),
                             HasSubstr(", of " + (here_ / "a.txt").string() + ", not 20 "),
                             HasSubstr(", of " + (here_ / "b.txt").string() +
                                       ": give yours another name, or remove that file")));
  Params table{{"file", file("t.csv", "name,kind\na,bc\n")},
               {"text", Strings{"name"}},
               {"target", Strings{"kind"}},
               {"vocabulary", std::string("v")},
               {"pieces", int64_t{20}},
               {"batch", int64_t{1}}};
  EXPECT_THAT(LoneNode::complaint("table", table),
              HasSubstr("t.csv, columns `name`, `kind`: give yours"));
  const std::string kept = here_ / "data/vocabularies/v.vocabulary", whole = read_text(kept);
  const size_t corpus = whole.find('\n') + 1, bytes = whole.find('\n', corpus) + 1;
  EXPECT_EQ(whole.substr(corpus, bytes - corpus - 1), "of " + (here_ / "a.txt").string());
  other["pieces"] = int64_t{0};  // taken as it is: d is unknown
  EXPECT_THAT(first(other), ElementsAre(first(params)[0], first(params)[1], first(params)[2], 0));
  other["vocabulary"] = std::string("w");
  EXPECT_THAT(complaint(other), HasSubstr("there is no vocabulary"));
  write_text(here_ / "data/vocabularies/x.vocabulary", "not a model");
  other["vocabulary"] = std::string("x");
  EXPECT_THAT(complaint(other), HasSubstr("x.vocabulary is not what weft wrote"));
}

TEST_F(TextNodes, ColumnsOfTablesShareItByItsName) {
  const auto tokens = first(source(file("a.txt", "abc"), 4));
  Params captions{{"file", file("t.csv", "name,kind\na,bc\nabd,\n")},
                  {"text", Strings{"name", "kind"}},
                  {"vocabulary", std::string("v")},
                  {"length", int64_t{6}},
                  {"batch", int64_t{2}}};
  LoneNode node("table", captions);
  node.infer();
  node.forward(0, 2);
  const auto [space, a, b, c] = std::tuple(tokens[0], tokens[1], tokens[2], tokens[3]);
  EXPECT_THAT(node.ints("words"), ElementsAre(space, a, space, b, c, -1,  //
                                              space, a, b, 0, -1, -1));
  captions["vocabulary"] = std::string("w");
  EXPECT_THAT(LoneNode::complaint("table", captions), HasSubstr("there is no vocabulary"));
  captions["pieces"] = int64_t{9}, captions["kind"] = std::string("characters");
  LoneNode learns("table", captions);
  learns.infer();
  for (const Fit* fit : learns.node().host().fits)
    if (fit->keep) fit->keep();
  EXPECT_TRUE(std::filesystem::exists(here_ / "data/vocabularies/w.vocabulary"));
  captions["file"] = file("t.csv", "name,kind\na,\xff\n");
  EXPECT_THAT(LoneNode::complaint("table", captions), HasSubstr("is not UTF-8 in row 1"));
}

TEST_F(TextNodes, EndsStandBehindTexts) {
  auto params = source(file("a.txt", "ab\n\nabcd\n"), 4, 2);
  params["samples"] = std::string("documents");
  params["ends"] = true;
  LoneNode node("text", params);
  node.infer();
  node.forward(0, 2);
  const auto tokens = node.ints("tokens");
  EXPECT_EQ(tokens[3], 2);                                        // ▁ab end
  EXPECT_EQ(std::count(tokens.begin() + 4, tokens.end(), 2), 0);  // ▁abc, which is cut
  params["samples"] = std::string("packed");
  const auto ended = first(params);
  params["ends"] = false;
  EXPECT_EQ(first(params), ended);  // packed ones have them in any case
}

TEST_F(TextNodes, ATableHoldsPairsOfTexts) {
  std::string rows = "short,long,more\n";
  for (const char c : {'a', 'b', 'c', 'd', 'e', 'f', 'g'})
    rows += std::string(1, c) + "," + c + c + "," + c + "\n";
  Params pairs{{"file", file("t.csv", rows)},
               {"text", Strings{"short"}},
               {"target", Strings{"long", "more"}},
               {"vocabulary", std::string("v")},
               {"pieces", int64_t{12}},
               {"kind", std::string("characters")},
               {"ends", true},
               {"length", int64_t{6}},
               {"shuffle", true},
               {"batch", int64_t{7}}};
  LoneNode node("table", pairs);
  node.infer();
  node.forward(0, 7);
  const auto words = node.ints("words"), target = node.ints("target");
  const int32_t space = words[0];
  std::set<int32_t> letters;
  for (size_t row = 0; row < 7; ++row) {
    const int32_t c = words[row * 6 + 1];
    letters.insert(c);
    EXPECT_THAT(std::vector(words.begin() + row * 6, words.begin() + (row + 1) * 6),
                ElementsAre(space, c, 2, -1, -1, -1));
    EXPECT_THAT(std::vector(target.begin() + row * 6, target.begin() + (row + 1) * 6),
                ElementsAre(space, c, c, space, c, 2));
  }
  EXPECT_EQ(letters.size(), 7U);
  EXPECT_FALSE(letters.contains(0));
}

TEST_F(TextNodes, TextsOfATableMayHaveWordsOfTheirOwn) {
  Params pairs{{"file", file("t.csv", "t,u\nb a,y\nc,x y\n")},
               {"target", Strings{"u"}},
               {"length", int64_t{2}},
               {"batch", int64_t{2}}};
  LoneNode alone("table", pairs);
  alone.infer();
  EXPECT_EQ(alone.out("words").shape(), Shape({2, 0}));
  pairs["text"] = Strings{"t"};
  LoneNode node("table", pairs);
  node.infer();
  node.forward(0, 2);
  EXPECT_THAT(node.ints("words"), ElementsAre(2, 1, 3, -1));
  EXPECT_THAT(node.ints("target"), ElementsAre(1, -1, 2, 1));
  std::set<std::string> names;
  for (const Fit* fit : node.node().host().fits) names.insert(fit->name());
  EXPECT_THAT(names, testing::IsSupersetOf({"words of `t`", "words of `u`"}));
  pairs["ends"] = true;
  EXPECT_THAT(LoneNode::complaint("table", pairs),
              HasSubstr("`ends` is of pieces: `vocabulary` must name theirs"));
  pairs.erase("ends");
  pairs["file"] = file("t.csv", "t,u\nb a,y\nc,\n");
  EXPECT_THAT(LoneNode::complaint("table", pairs), HasSubstr("row 2 (c) has no `u`"));
}

TEST_F(TextNodes, ADamagedVocabularyIsRefused) {
  auto params = source(file("a.txt", "abc"), 4);
  first(params);
  const std::string kept = "data/vocabularies/v.vocabulary", whole = read_text(here_ / kept);
  for (size_t i = 0; i < whole.size(); i += 1 + whole.size() / 80) {
    std::string damaged = whole;
    damaged[i] = static_cast<char>(damaged[i] ^ 0x11);
    write_text(here_ / kept, damaged);
    for (const int64_t pieces : {20, 0}) {
      params["pieces"] = pieces;
      EXPECT_THAT(complaint(params), HasSubstr("remove it, and it is learned anew")) << i;
    }
  }
  for (const size_t size : {size_t{0}, size_t{1}, whole.size() / 2}) {
    write_text(here_ / kept, whole.substr(0, size));
    EXPECT_THAT(complaint(params), HasSubstr("remove it, and it is learned anew")) << size;
  }
}

TEST_F(TextNodes, AVocabularyMayBeGiven) {
  const auto params = source(file("a.txt", "abc"), 4);
  LoneNode learner("text", params);
  learner.infer();
  learner.forward(0, 1);
  const Fit& fit = *learner.node().host().fits.front();
  EXPECT_EQ(fit.name(), "pieces of `v`");
  auto other = source(file("b.txt", "bca"), 4);
  LoneNode node("text", other);
  node.node().host().setting = {
      .fitted = std::make_shared<FittedMap>(FittedMap{{fit.name(), {fit.bytes(), {}}}})};
  node.infer();
  node.forward(0, 1);
  const auto abc = learner.ints("tokens"), bca = node.ints("tokens");
  EXPECT_THAT(bca, ElementsAre(abc[0], abc[2], abc[3], abc[1]));
  EXPECT_FALSE(std::filesystem::exists(here_ / "data/vocabularies"));
}

TEST_F(TextNodes, ALimitKeepsTheFirstSamples) {
  auto params = source(file("a.txt", "ab\n\nb\n\nc\n"), 2);
  EXPECT_EQ(samples(params), 5);  // ▁ab end ▁b end ▁c end
  const auto before = first(params);
  params["limit"] = int64_t{3};
  EXPECT_EQ(samples(params), 3);
  EXPECT_EQ(first(params), before);
  params["samples"] = std::string("documents");
  params["limit"] = int64_t{2};
  EXPECT_EQ(samples(params), 2);
  params["limit"] = int64_t{9};
  EXPECT_EQ(samples(params), 3);
}

TEST_F(TextNodes, ASplitKeepsEveryDocumentOnOneSide) {
  std::string lines;
  for (int i = 0; i < 200; ++i) lines += "line " + std::to_string(i) + "\n";
  auto params = source(file("a.txt", lines), 10);
  params["unit"] = std::string("lines");
  params["samples"] = std::string("documents");
  params["test_share"] = 0.25;
  std::map<std::string, int64_t> count;
  for (const char* side : {"all", "train", "test"}) {
    params["split"] = std::string(side);
    count[side] = samples(params);
  }
  EXPECT_EQ(count["all"], 200);
  EXPECT_EQ(count["train"] + count["test"], 200);
  EXPECT_GT(count["test"], 25);
  EXPECT_LT(count["test"], 75);
}

TEST_F(TextNodes, BlanksAreFilledInTheTextThatWasGiven) {
  auto params = source(file("a.txt", "abc cab bca"), 9);
  first(params);
  params["file"] = std::string();
  params["pieces"] = int64_t{0};
  params["lines"] = Strings{"a [MASK]c b", "b"};
  params["samples"] = std::string("documents");
  params["batch"] = int64_t{2};
  LoneNode node("text", params);
  node.infer();
  node.forward(0, 2);
  const auto given = node.ints("tokens");
  const auto blank = std::find(given.begin(), given.end(), 3);
  ASSERT_NE(blank, given.end());
  const int32_t b = given[9 + 1];
  LoneNode sink("text_file", {{"vocabulary", std::string("v")}, {"path", std::string("out.txt")}},
                here_.path());
  sink.feed("x", {2, 9}, std::vector<int32_t>(18, b)).feed("blanks", {2, 9}, given).infer();
  sink.forward(0, 2);
  EXPECT_EQ(read_text(here_ / "out.txt"), "abc b\nb\n");
}

TEST(MaskTokens, BlanksAreAsManyAndAsOftenAsBertSays) {
  constexpr int64_t rows = 400, t = 40, vocabulary = 1000;
  std::vector<int32_t> tokens(rows * t);
  for (size_t i = 0; i < tokens.size(); ++i) tokens[i] = static_cast<int32_t>(4 + i % 900);
  LoneNode node("mask_tokens", {{"vocabulary", vocabulary}, {"rate", 0.25}});
  node.feed("x", {rows, t}, tokens).infer();
  node.node().prepare(Pass::forward);
  node.forward(3, rows);
  const auto y = node.ints("y"), places = node.ints("places"), label = node.ints("label");
  ASSERT_EQ(places.size(), size_t{rows * 10});
  std::map<std::string, int> fate;
  std::set<int32_t> at;
  for (size_t i = 0; i < places.size(); ++i) {
    const size_t token = i / 10 * t + static_cast<size_t>(places[i]);
    EXPECT_EQ(label[i], tokens[token]);
    EXPECT_TRUE(i % 10 == 0 || places[i - 1] < places[i]);
    at.insert(places[i]);
    ++fate[y[token] == 3 ? "mask" : y[token] == tokens[token] ? "same" : "other"];
  }
  EXPECT_EQ(at.size(), size_t{t});
  EXPECT_NEAR(fate["mask"], 3200, 100);
  EXPECT_NEAR(fate["same"], 400, 80);
  EXPECT_NEAR(fate["other"], 400, 80);
  int changed = 0;
  for (size_t i = 0; i < y.size(); ++i) changed += y[i] != tokens[i];
  EXPECT_EQ(changed, fate["mask"] + fate["other"]);
}

TEST(MaskTokens, WhatIsNothingIsNoBlank) {
  LoneNode node("mask_tokens", {{"vocabulary", int64_t{9}}, {"rate", 0.5}});
  node.feed("x", {2, 6}, std::vector<int32_t>{5, 6, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1})
      .infer();
  node.node().prepare(Pass::forward);
  node.forward(0, 2);
  EXPECT_THAT(node.ints("places"), ElementsAre(0, 1, -1, -1, -1, -1));
  EXPECT_THAT(node.ints("label"), ElementsAre(5, 6, -1, -1, -1, -1));
  const auto y = node.ints("y");
  EXPECT_THAT(std::vector<int32_t>(y.begin() + 2, y.end()), Each(-1));
}

}  // namespace
}  // namespace weft::tests
