// What a source learned of its data goes with the model that learned with it.
#include <set>
#include <sstream>

#include "framework/run/checkpoint_store.h"
#include "tests/support/tiny_runs.h"

namespace weft::tests {
namespace {

using testing::AllOf;
using testing::HasSubstr;

class FittedRuns : public TinyRuns {
 protected:
  FittedRuns() {
    table("a.csv", {{"ant", "insect"}, {"bee", "insect"}, {"cow", "mammal"}, {"dog", "mammal"}});
    write("words", R"(
weft: 1
name: words
vars: {file: a.csv, word: name}
modules:
  code:
    inputs: [words]
    nodes:
      rows: {node: embedding, x: words, vocabulary: 8, features: 2}
      mean: {node: global_avg_pool, x: rows}
    outputs: {y: mean}
  head:
    inputs: [x]
    nodes: {logits: {node: linear, x: x, features: 2}}
    outputs: {logits: logits}
train:
  data: {node: table, file: $file, text: $word, label: kind, words: 8, length: 1, batch: 4}
  nodes:
    code: {use: code, words: data.words}
    kind: {use: head, x: code}
    loss: {node: cross_entropy, logits: kind, label: data.label}
  phases: [{minimize: loss, update: [code, head], optimizer: {node: adam, lr: 1e-2}}]
  steps: 6
  save: {every_steps: 3}
evaluate:
  report: loss
generate:
  data: {node: table, file: $file, text: $word, words: 8, length: 1, batch: 1}
  nodes:
    code: {use: code, words: data.words}
    file: {node: csv_file, xs: [code], names: [code], path: code.csv}
)");
  }

  void table(const std::string& name, const std::vector<std::pair<std::string, std::string>>& rows,
             const std::string& header = "name,kind") const {
    std::string text = header + "\n";
    for (const auto& [word, kind] : rows) text += word + "," + kind + "\n";
    write_text(folder_ / name, text);
  }
  // The code of the first word of a table.
  std::string code(const std::string& target, const std::string& file) const {
    const Ended ended = weft({"generate", target, "-o", "out", "--set", "file=" + file});
    EXPECT_EQ(ended.exit, 0) << ended.err;
    return text("out/code.csv");
  }
};

TEST_F(FittedRuns, WordsMeanTheSameInAnotherTable) {
  ASSERT_EQ(train("words", "run").exit, 0);
  table("bee.csv", {{"bee", "insect"}});
  table("cow.csv", {{"cow", "mammal"}, {"zebu", "mammal"}});
  table("first.csv", {{"ant", "insect"}});
  table("unknown.csv", {{"zebu", "mammal"}});
  table("bees.csv", {{"bee", "insect"}, {"ant", "insect"}, {"ant", "insect"}});  // ant is first
  EXPECT_EQ(code("run", "bee.csv"), code("run", "bees.csv"));
  const std::set<std::string> all{code("run", "first.csv"), code("run", "bee.csv"),
                                  code("run", "cow.csv"), code("run", "unknown.csv")};
  EXPECT_EQ(all.size(), 4U);
  EXPECT_THAT(weft({"generate", "run", "--set", "file=unknown.csv"}).err,
              HasSubstr("1 of 1 words are not among the words of `name` that were learned"));
}

TEST_F(FittedRuns, WordsMeanTheSameInLines) {
  write("asked", R"(
weft: 1
include: words.yaml
vars: {asked: [a COW!, bee]}
generate:
  data: {file: null, lines: $asked}
)");
  ASSERT_EQ(train("words", "run").exit, 0);
  ASSERT_EQ(train("asked", "asking").exit, 0);
  const auto asked = [&](const std::string& what) {
    const Ended ended = weft({"generate", "asking", "-o", "out", "--set", "asked=" + what});
    EXPECT_EQ(ended.exit, 0) << ended.err;
    return text("out/code.csv");
  };
  table("cow.csv", {{"cow", "mammal"}});
  table("bee.csv", {{"bee", "insect"}});
  EXPECT_EQ(asked("[COW!]"), code("run", "cow.csv"));
  EXPECT_EQ(asked("[Bee]"), code("run", "bee.csv"));
  EXPECT_NE(asked("[Bee]"), asked("[cow]"));
  EXPECT_THAT(weft({"generate", "asking", "--set", "asked=[]"}).err,
              HasSubstr("needs either `file` or `lines`"));
}

TEST_F(FittedRuns, AModuleOfAnotherRunReadsTheWordsThatItLearned) {
  ASSERT_EQ(train("words", "run").exit, 0);
  table("bee.csv", {{"bee", "flies"}, {"cow", "runs"}});  // other classes, for a new head
  write("other", replaced(replaced(replaced(text("words.yaml"), "file: a.csv", "file: bee.csv"),
                                   "  head:", "  code: {from: run}\n  head:"),
                          R"(  code:
    inputs: [words]
    nodes:
      rows: {node: embedding, x: words, vocabulary: 8, features: 2}
      mean: {node: global_avg_pool, x: rows}
    outputs: {y: mean}
)",
                          ""));
  const Ended ended = train("other", "other",
                            {"--set",
                             "train.phases=[{minimize: loss, update: "
                             "head, optimizer: {node: adam}}]"});
  ASSERT_EQ(ended.exit, 0) << ended.err;
  EXPECT_EQ(code("other", "bee.csv"), code("run", "bee.csv"));
}

TEST_F(FittedRuns, ModulesOfRunsThatLearnedOtherwiseDoNotMeet) {
  table("b.csv", {{"cow", "mammal"}, {"eel", "fish"}});
  ASSERT_EQ(train("words", "a").exit, 0);
  ASSERT_EQ(train("words", "b", {"--set", "file=b.csv"}).exit, 0);
  write("both", R"(
weft: 1
name: both
modules:
  one: {from: a, module: code}
  two: {from: $second, module: code}
vars: {second: b}
generate:
  data: {node: table, file: a.csv, text: name, length: 1, batch: 4}
  nodes:
    one:  {use: one, words: data.words}
    two:  {use: two, words: data.words}
    file: {node: csv_file, xs: [one, two], names: [one, two], path: out.csv}
)");
  EXPECT_EQ(weft({"generate", "both.yaml", "-o", "out", "--set", "second=a"}).exit, 0);
  const Ended ended = weft({"generate", "both.yaml", "-o", "out"});
  EXPECT_EQ(ended.exit, 6);
  EXPECT_THAT(ended.err, AllOf(HasSubstr("the runs `a` and `b` learned different "),
                               HasSubstr("but a pipeline has one for all of its modules")));
  write("neither", R"(
weft: 1
name: neither
modules:
  one: {from: a, module: head}
  two: {from: b, module: head}
generate:
  nodes:
    noise: {node: normal, shape: [4, 2]}
    one:  {use: one, x: noise}
    two:  {use: two, x: noise}
    file: {node: csv_file, xs: [one, two], names: [one, two], path: out.csv}
)");
  const Ended unread = weft({"generate", "neither.yaml", "-o", "out"});
  EXPECT_EQ(unread.exit, 0) << unread.err;
}

TEST_F(FittedRuns, AClassThatWasNotLearnedIsRefused) {
  ASSERT_EQ(train("words", "run").exit, 0);
  table("mammals.csv", {{"cow", "mammal"}});
  table("fish.csv", {{"cow", "mammal"}, {"eel", "fish"}});
  const auto loss = [&](const std::string& file) {
    return weft({"evaluate", "run", "--set", "file=" + file});
  };
  EXPECT_EQ(loss("mammals.csv").exit, 0);
  EXPECT_NE(loss("mammals.csv").out, "");
  const Ended refused = loss("fish.csv");
  EXPECT_EQ(refused.exit, 4);
  EXPECT_THAT(refused.err,
              AllOf(HasSubstr("resolved.yaml:"),
                    HasSubstr("data (table): `fish` is "
                              "not among the 2 classes of `kind` that were learned: `insect`, "
                              "`mammal`")));
  EXPECT_NE(code("run", "fish.csv"), "");  // which reads no class
  EXPECT_EQ(weft({"evaluate", "run", "--set", "file=fish.csv", "--set", "train.data.limit=1"}).exit,
            0);  // of its first row
}

TEST_F(FittedRuns, MayHaveNamesOfAnyLetters) {
  write("words", replaced(text("words.yaml"), "word: name", "word: título"));
  table("a.csv", {{"ant", "insect"}, {"bee", "insect"}, {"cow", "mammal"}}, "título,kind");
  ASSERT_EQ(train("words", "run", {"--steps", "3"}).exit, 75);
  const Ended resumed = train("words", "run", {"--resume", "auto"});
  EXPECT_EQ(resumed.exit, 0) << resumed.err;
  const Ended evaluated = weft({"evaluate", "run"});
  EXPECT_EQ(evaluated.exit, 0) << evaluated.err;
}

TEST_F(FittedRuns, AModuleDoesNotReadOtherWordsThanItLearned) {
  ASSERT_EQ(train("words", "run").exit, 0);
  table("titles.csv", {{"bee", "insect"}}, "title,kind");
  const Ended ended = weft({"generate", "run", "--set", "generate.data.file=titles.csv", "--set",
                            "generate.data.text=title"});
  EXPECT_EQ(ended.exit, 4);
  EXPECT_THAT(ended.err, HasSubstr("module `code` learned with the words of `name`, but reads the "
                                   "words of `title` here"));
}

TEST_F(FittedRuns, GoOnWithTheWordsThatTheyBeganWith) {
  ASSERT_EQ(train("words", "whole").exit, 0);
  ASSERT_EQ(train("words", "run", {"--steps", "3"}).exit, 75);
  const std::string before = code("whole", "a.csv");
  table("b.csv", {{"bee", "insect"}, {"cow", "mammal"}});
  const Ended ended =
      train("words", "run", {"--resume", "auto", "--set", "file=b.csv", "--allow-drift"});
  ASSERT_EQ(ended.exit, 0) << ended.err;
  const auto fitted = [&](const std::string& run) {
    return nlohmann::json::parse(read_text(last(run) / "state.json")).at("fitted");
  };
  EXPECT_EQ(fitted("run"), fitted("whole"));
  EXPECT_EQ(fitted("run").at("words of `name`").at("modules"), nlohmann::json({"code"}));
}

TEST_F(FittedRuns, ThatAnOlderWeftMadeLearnAgain) {
  ASSERT_EQ(train("words", "run").exit, 0);
  const std::string before = code("run", "a.csv");
  const Checkpoint checkpoint = Checkpoint::read(last("run"));
  nlohmann::json state = checkpoint.state;
  state.erase("fitted");
  const auto tensors = [](const Safetensors& file) {
    std::vector<NamedTensor> all;
    for (const auto& [name, tensor] : file.tensors()) all.push_back({name, tensor});
    return all;
  };
  CheckpointStore(folder_ / "run/checkpoints")
      .save(checkpoint.step, tensors(checkpoint.model), tensors(checkpoint.optimizer), state,
            checkpoint.pipeline);
  EXPECT_EQ(code("run", "a.csv"), before);
  EXPECT_THAT(weft({"generate", "run", "-o", "out"}).err,
              HasSubstr("older weft and keeps no words of `name`: learned again"));
}

TEST_F(FittedRuns, SourcesOfASectionAgree) {
  table("b.csv", {{"cow", "mammal"}});
  write("agree", R"(
weft: 1
name: agree
vars: {other: b.csv}
generate:
  data: {node: table, file: a.csv, label: kind, batch: 4}
  nodes:
    other: {node: table, file: $other, label: kind, batch: 4}
    a:     {node: to_float, x: data.label}
    b:     {node: to_float, x: other.label}
    file:  {node: csv_file, xs: [a, b], names: [a, b], path: out.csv}
)");
  const Ended ended = weft({"generate", "agree.yaml", "-o", "out"});
  ASSERT_EQ(ended.exit, 0) << ended.err;
  EXPECT_EQ(text("out/out.csv"), "a,b\n0,1\n0,1\n1,1\n1,1\n");
  table("c.csv", {{"eel", "fish"}});
  const Ended refused = weft({"generate", "agree.yaml", "-o", "out", "--set", "other=c.csv"});
  EXPECT_EQ(refused.exit, 4);
  EXPECT_THAT(refused.err, HasSubstr("other (table): `fish` is not among the 2 classes"));
}

TEST_F(FittedRuns, SourcesShareAVocabularyByItsName) {
  table("b.csv", {{"cab", "x"}});
  write("shared", R"(
weft: 1
name: shared
vars: {vocabulary: letters}
generate:
  data: {node: text, lines: [abc], vocabulary: letters, pieces: 8, kind: characters, samples: documents, length: 4, batch: 1}
  nodes:
    names: {node: table, file: b.csv, text: name, vocabulary: $vocabulary, length: 4, batch: 1}
    a:     {node: to_float, x: data.tokens}
    b:     {node: to_float, x: names.words}
    file:  {node: csv_file, xs: [a, b], names: [a, b], path: out.csv}
    said:  {node: text_file, x: names.words, vocabulary: $vocabulary, path: said.txt}
)");
  const Ended ended = weft({"generate", "shared.yaml", "-o", "out"});
  ASSERT_EQ(ended.exit, 0) << ended.err;
  EXPECT_EQ(text("out/said.txt"), "cab\n");
  std::istringstream rows(text("out/out.csv"));
  std::string line;
  std::getline(rows, line), std::getline(rows, line);
  std::vector<std::string> ids;
  for (std::istringstream row(line); std::getline(row, line, ',');) ids.push_back(line);
  ASSERT_EQ(ids.size(), 8U);  // ▁abc ▁cab
  EXPECT_EQ(ids[0], ids[4]);
  EXPECT_EQ(ids[1], ids[6]);
  EXPECT_EQ(ids[2], ids[7]);
  EXPECT_EQ(ids[3], ids[5]);
  const Ended other = weft({"generate", "shared.yaml", "-o", "out", "--set", "vocabulary=words"});
  EXPECT_EQ(other.exit, 4);
  EXPECT_THAT(other.err, HasSubstr("there is no vocabulary"));
}

TEST_F(FittedRuns, ACheckLeavesNoVocabulary) {
  write("sequence", tiny_sequence());
  const auto kept = folder_ / "data/vocabularies";
  ASSERT_EQ(weft({"check", "sequence.yaml"}).exit, 0);
  EXPECT_FALSE(std::filesystem::exists(kept));
  const Ended ended = train("sequence", "run", {"--steps", "2"});
  EXPECT_EQ(ended.exit, 75) << ended.err;
  EXPECT_TRUE(std::filesystem::exists(kept / "tiny.vocabulary"));
  const Ended with = weft({"evaluate", "run"});
  std::filesystem::remove_all(kept);
  const Ended without = weft({"evaluate", "run"});  // the run has its own
  EXPECT_EQ(without.exit, 0) << without.err;
  EXPECT_EQ(without.out, with.out);
}

}  // namespace
}  // namespace weft::tests
