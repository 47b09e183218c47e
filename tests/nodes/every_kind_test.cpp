// Every kind of the standard plugins in every trial of its role: see framework/trial/trial.cpp.
#include <gtest/gtest.h>

#include "framework/node/source.h"
#include "framework/trial/trial.h"
#include "tests/support/environment.h"
#include "tests/support/kinds.h"
#include "tests/support/lone_node.h"
#include "tests/support/temporary_directory.h"
#include "tests/support/tiny_idx.h"

namespace weft::tests {
namespace {

using trial::Outcome;
using trial::Role;
using trial::Trial;
using OneTrial = std::pair<const NodeKind*, const Trial*>;

// The vocabulary of an example.
void learn_readme() {
  LoneNode text("text", {{"file", std::string(SOURCE_DIR "/README.md")},
                         {"vocabulary", std::string("readme")},
                         {"pieces", int64_t{100}},
                         {"length", int64_t{16}},
                         {"batch", int64_t{4}}});
  text.infer();
  text.node().host().fits.front()->keep();
}

// What an example reads, where no data set that is fetched has it.
class Data {
 public:
  explicit Data(const std::string& kind) {
    if (kind != "text_file" && kind != "idx") return;
    variable_.emplace("WEFT_DATA_DIR", folder_.path().string());
    if (kind == "idx") write_tiny_idx(folder_.path() / "tiny_idx");
    if (kind == "text_file") learn_readme();
  }

 private:
  TemporaryDirectory folder_;
  std::optional<Environment> variable_;
};

class EveryKind : public testing::TestWithParam<OneTrial> {};

TEST_P(EveryKind, Passes) {
  const auto& [kind, one] = GetParam();
  const Data data(kind->name);
  const Outcome outcome = trial::run(*one, *kind);
  std::string all;
  for (const std::string& sentence : outcome.sentences) all += sentence + "\n";
  if (outcome.end == Outcome::End::skipped) GTEST_SKIP() << all;
  EXPECT_EQ(outcome.end, Outcome::End::passed) << all;
}

std::vector<OneTrial> trials_of_kinds(Role role) {
  std::vector<OneTrial> some;
  for (const NodeKind* kind : kinds())
    if (trial::role_of(*kind) == role)
      for (const Trial* one : trial::trials_of(role)) some.emplace_back(kind, one);
  return some;
}

std::string name_of(const testing::TestParamInfo<OneTrial>& info) {
  return std::string(info.param.first->name) + "_in_" + info.param.second->name;
}

INSTANTIATE_TEST_SUITE_P(Nodes, EveryKind, testing::ValuesIn(trials_of_kinds(Role::node)), name_of);
INSTANTIATE_TEST_SUITE_P(Measures, EveryKind, testing::ValuesIn(trials_of_kinds(Role::measure)),
                         name_of);
INSTANTIATE_TEST_SUITE_P(Sinks, EveryKind, testing::ValuesIn(trials_of_kinds(Role::sink)), name_of);
INSTANTIATE_TEST_SUITE_P(Sources, EveryKind, testing::ValuesIn(trials_of_kinds(Role::source)),
                         name_of);
INSTANTIATE_TEST_SUITE_P(Optimizers, EveryKind, testing::ValuesIn(trials_of_kinds(Role::optimizer)),
                         name_of);

}  // namespace
}  // namespace weft::tests
