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

namespace fs = std::filesystem;
using trial::Outcome;
using trial::Role;
using trial::Trial;

struct OneTrial {
  const NodeKind* kind;
  const Trial* trial;
};
std::ostream& operator<<(std::ostream& out, const OneTrial& one) {
  return out << one.trial->about;
}

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

// What the example of a kind reads, where no data set has it, and the folder that it reads it from.
class Data {
 public:
  explicit Data(const std::string& kind) {
    fs::current_path(kind == "idx" ? folder_.path() : fs::path(SOURCE_DIR));
    if (kind == "idx") write_tiny_idx(folder_.path() / "tiny_idx");
    if (kind != "text_file") return;
    variable_.emplace("WEFT_DATA_DIR", folder_.path().string());
    learn_readme();
  }
  ~Data() { fs::current_path(before_); }

 private:
  const fs::path before_ = fs::current_path();
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
      for (const Trial* one : trial::trials_of(role)) some.push_back({kind, one});
  return some;
}

std::string name_of(const testing::TestParamInfo<OneTrial>& info) {
  return std::string(info.param.kind->name) + "_in_" + info.param.trial->name;
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
