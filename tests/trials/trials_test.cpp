// Trials see the defects they are for, and each alone; `weft plugin test` tells them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>

#include "framework/plugin/loader.h"
#include "framework/trial/trial.h"
#include "tests/support/program.h"

namespace weft::tests {
namespace {

using testing::AllOf;
using testing::ContainsRegex;
using testing::HasSubstr;
using trial::Outcome;
using trial::Trial;

const Registry& plugin(const std::string& name) {
  static std::map<std::string, Registry> loaded;
  if (!loaded.contains(name))
    loaded[name] = load_plugins({.others = {{std::string(TRIED "/") + name + ".so"}}});
  return loaded[name];
}

// What failed, by trial; no more than the example if that does.
std::map<std::string, std::string> failures(const NodeKind& kind) {
  std::map<std::string, std::string> all;
  for (const Trial* one : trial::trials_of(trial::role_of(kind))) {
    const Outcome outcome = trial::run(*one, kind, 1, std::chrono::seconds(2));
    if (outcome.end == Outcome::End::failed) all[one->name] = outcome.sentences.front();
    if (!all.empty() && one->name == std::string("example")) break;
  }
  return all;
}

struct Defect {
  std::string kind, trial, sentence;
};
std::ostream& operator<<(std::ostream& out, const Defect& defect) {
  return out << defect.sentence;
}

class Defects : public testing::TestWithParam<Defect> {};

TEST_P(Defects, AreToldByOneTrial) {
  const auto& [kind, trial, sentence] = GetParam();
  ASSERT_TRUE(plugin("defects").find(kind));
  const auto found = failures(*plugin("defects").find(kind)->kind);
  for (const auto& [name, said] : found) {
    EXPECT_EQ(name, trial) << said;
    EXPECT_THAT(said, HasSubstr(name == trial ? sentence : ""));
  }
  EXPECT_TRUE(found.contains(trial)) << "nobody saw it";
}

INSTANTIATE_TEST_SUITE_P(
    Kinds, Defects,
    testing::Values(
        Defect{"never_written", "example",
               "in forward() in training it leaves 8 of 15 numbers of `y` unwritten, or adds to "
               "what it has not written: the first at [2, 1]"},
        Defect{"beyond_end", "example", "in training it writes beyond the end of `y`"},
        Defect{"floats_as_ints", "example", "crashes (Segmentation fault) in forward()"},
        Defect{"reads_gone", "example", "or reads a port that is forward_only(): the first at"},
        Defect{"turned", "example", "`y` is [3, 5], but axis 0 is the batch, of 5 rows"},
        Defect{"saves_no_rows", "example", "`mean` is [3], but axis 0 is the batch, of 5 rows"},
        Defect{"wrong_factor", "gradients", "the gradient of `x` is "},
        Defect{"missing_gradient", "example", "leaves 15 of 15 numbers of `offset.grad()`"},
        Defect{"writes_unwanted", "constants",
               "crashes (Segmentation fault) in backward() where `x` wants no gradient"},
        Defect{"remembers_inputs", "repeats", "left over from a step of other inputs"},
        Defect{"needs_optional", "optional_inputs",
               "crashes (Segmentation fault) in forward() without `more`"},
        Defect{"no_backward", "gradients", "`x` wants a gradient, but the node has no backward()"},
        Defect{"leaks", "lanes", "once the batch of 5 is cut into lanes of 1, 2 and 2 rows"},
        Defect{"counts_padding", "padding", "once the padding behind row 3 holds other numbers"},
        Defect{"needs_two_rows", "one_row",
               "throws in forward() for a batch of one row: one row has no deviation"},
        Defect{"ignores_frozen", "frozen", "as in evaluation"},
        Defect{"refuses_late", "shapes",
               "throws in forward() where `x` is [0], though infer() did not refuse it"},
        Defect{"grows", "memory", "memory grows by "},
        Defect{"rounds", "gradients", "central differences give"},
        Defect{"throws_in_infer", "example", "throws in infer(): on purpose"},
        Defect{"throws_in_prepare", "example", "throws in prepare() in training: on purpose"},
        Defect{"throws_in_observe", "example", "throws in observe() in training: on purpose"},
        Defect{"throws_in_forward", "example", "throws in forward() in training: on purpose"},
        Defect{"throws_in_backward", "example", "throws in backward() in training: on purpose"},
        Defect{"throws_in_learn", "example", "throws in learn() in training: on purpose"},
        Defect{"crashes", "example", "the node crashes (Aborted) in backward() in training"},
        Defect{"exits", "example", "ends the process (exit code 0) in forward() in training"},
        Defect{"hangs", "example", "the node hangs (2000 ms were not enough) in forward()"},
        Defect{"lane_writes_state", "example", "it changes `shift`, which it may only read"},
        Defect{"never_remembers", "states", "moves none of its states"},
        Defect{"evaluation_remembers", "states", "evaluation moves the state `shift`"},
        Defect{"follows_state", "repeats", "something is left over from an earlier step"},
        Defect{"minus_three", "example", "open() counts -3 samples"},
        Defect{"empty_source", "example", "open() counts 0 samples"},
        Defect{"half_sample", "example", "`x` of sample 0 is never written at [0, 1]"},
        Defect{"beyond_row", "example", "load() writes `x` beyond its row"},
        Defect{"flaky", "samples", "as before: loaded again"},
        Defect{"trusts_its_fit", "fits", "crashes (Aborted) in load() where other bytes"},
        Defect{"ignores_its_fit", "fits",
               "the samples are the same whatever the words of nothing are"},
        Defect{"learns_again", "fits", "as before: given what it had learned"},
        Defect{"ascends", "descends", "it must go the other way"},
        Defect{"knows_its_block", "blocks", "once it is cut into 3 blocks"},
        Defect{"hidden_slot", "slots", "once a new instance goes on with its slots"},
        Defect{"remembers", "forgets", "after a pass over another set"},
        Defect{"half_file", "full_disk", "leaves `a.txt` with "},
        Defect{"writes_padding", "files",
               "once the padding behind a short batch holds other numbers"}),
    [](const auto& info) { return info.param.kind; });

TEST(Trials, TellAHiddenState) {
  const auto found = failures(*plugin("defects").find("hidden_state")->kind);
  EXPECT_TRUE(found.contains("repeats"));
  EXPECT_THAT(found.at("saving"), HasSubstr("it keeps what is no state"));
}

TEST(Trials, TellASilentSinkTwice) {
  const auto found = failures(*plugin("defects").find("silent_sink")->kind);
  EXPECT_EQ(found.size(), 2U);
  EXPECT_THAT(found.at("folder"), HasSubstr("says nothing where its folder cannot be written"));
  EXPECT_THAT(found.at("full_disk"), HasSubstr("says nothing where the disk has room for"));
}

TEST(Trials, TakeWhatAKindDeclares) {
  for (const std::string& name : plugin("sound").names())
    for (const auto& [trial, said] : failures(*plugin("sound").find(name)->kind))
      ADD_FAILURE() << name << ", " << trial << ": " << said;
}

Ended weft(std::vector<std::string> words) {
  words.insert(words.begin(), {program("weft").string(), "plugin", "test"});
  return run({.words = words});
}

const std::string defects = TRIED "/defects.so";

TEST(PluginTest, PassesWhatIsSound) {
  const Ended ended = weft({TRIED "/sound.so"});
  EXPECT_EQ(ended.exit, 0) << ended.err;
  EXPECT_THAT(ended.out, ContainsRegex("^6 nodes: [0-9]+ trials passed, 0 failed, 0 skipped\n$"));
}

TEST(PluginTest, SaysInOneLineHowToSeeAFailureAgain) {
  const std::string again = defects + " wrong_factor --trial gradients --seed 7";
  const Ended all = weft({defects, "wrong_factor", "--seed", "7"});
  EXPECT_EQ(all.exit, 3);
  EXPECT_THAT(all.out, AllOf(ContainsRegex("^wrong_factor, gradients: the gradient of `x` is "),
                             HasSubstr("again: weft plugin test " + again + "\n1 node: ")));
  EXPECT_THAT(all.out, HasSubstr(" trials passed, 1 failed, 0 skipped\n"));
  const Ended one = weft({defects, "wrong_factor", "--trial", "gradients", "--seed", "7"});
  EXPECT_EQ(one.out.substr(0, one.out.find('\n')), all.out.substr(0, all.out.find('\n')));
}

TEST(PluginTest, TriesNothingBehindABrokenExample) {
  const Ended ended = weft({defects, "throws_in_forward"});
  EXPECT_EQ(ended.exit, 3);
  EXPECT_THAT(
      ended.out,
      HasSubstr("other trials wait for that\n1 node: 0 trials passed, 1 failed, 0 skipped, "));
}

TEST(PluginTest, PassesNothingWithoutData) {
  const Ended ended = weft({defects, "absent_data"});
  EXPECT_EQ(ended.exit, 0);
  EXPECT_THAT(
      ended.out,
      AllOf(HasSubstr("absent_data, example: skipped: there is no such file here"),
            HasSubstr(
                "1 node: 0 trials passed, 0 failed, 6 skipped; NOTHING was tried of absent_data")));
}

TEST(PluginTest, WritesJson) {
  const Ended ended = weft({defects, "ascends", "--json"});
  EXPECT_EQ(ended.exit, 3);
  const auto json = nlohmann::json::parse(ended.out);
  EXPECT_EQ(json["nodes"], 1);
  EXPECT_EQ(json["failures"].size(), 1U);
  EXPECT_EQ(json["failures"][0]["trial"], "descends");
}

TEST(PluginTest, WritesJsonOfWhatIsNoUtf8) {
  const Ended ended = weft({defects, "latin", "--json"});
  EXPECT_EQ(ended.exit, 3);
  const auto json = nlohmann::json::parse(ended.out);
  EXPECT_THAT(json["failures"][0]["sentences"][0].get<std::string>(), HasSubstr("caf"));
}

TEST(PluginTest, RefusesNamesThatWeftHas) {
  const Ended ended = weft({TRIED "/taken.so"});
  EXPECT_EQ(ended.exit, 3);
  EXPECT_THAT(ended.out, AllOf(HasSubstr("taken.so has a node `scale`, as weft has itself"),
                               HasSubstr("1 node: ")));  // its trials run all the same
}

TEST(PluginTest, RefusesAPluginWithoutNodes) {
  const Ended ended = weft({TRIED "/nothing.so"});
  EXPECT_EQ(ended.exit, 3);
  EXPECT_THAT(ended.out, HasSubstr("nothing.so has no node: weft_plugin() must name"));
}

TEST(PluginTest, SuggestsNamesOfNodesAndTrials) {
  const Ended node = weft({defects, "wrong_facto"});
  EXPECT_EQ(node.exit, 2);
  EXPECT_THAT(node.err, HasSubstr("has a node `wrong_facto` (did you mean `wrong_factor`?)"));
  const Ended trial = weft({defects, "wrong_factor", "--trial", "gradient"});
  EXPECT_EQ(trial.exit, 2);
  EXPECT_THAT(trial.err, HasSubstr("(did you mean `gradients`?)"));
}

TEST(PluginTest, TestsAFolder) {
  const Ended ended = weft({TRIED, "straight_through"});
  EXPECT_EQ(ended.exit, 3);  // of the plugin without nodes
  EXPECT_THAT(ended.out, AllOf(HasSubstr("nothing.so has no node"), HasSubstr("1 node: ")));
  EXPECT_EQ(weft({TRIED "/no_such_folder"}).exit, 3);
}

}  // namespace
}  // namespace weft::tests
