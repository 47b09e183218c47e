// Trials of kinds with other examples than their own: what an example cannot reach beside itself.
#include <gtest/gtest.h>

#include "framework/trial/trial.h"
#include "tests/support/kinds.h"

namespace weft::tests {
namespace {

struct Example {
  const char* kind;
  const char* example;
};
std::ostream& operator<<(std::ostream& out, const Example& one) {
  return out << one.kind << " " << one.example;
}

class OtherExamples : public testing::TestWithParam<Example> {};

TEST_P(OtherExamples, PassTheSameTrials) {
  NodeKind kind = *find_kind(GetParam().kind);
  kind.example = GetParam().example;
  for (const trial::Trial* one : trial::trials_of(trial::Role::node)) {
    const trial::Outcome outcome = trial::run(*one, kind);
    EXPECT_NE(outcome.end, trial::Outcome::End::failed)
        << one->name << ": " << (outcome.sentences.empty() ? "" : outcome.sentences.front());
  }
}

const Example others[] = {
    {"sort", "{x: [5, 3], axis: 0}"},
    {"top_k", "{x: [4, 5], k: 5}"},
    {"rank", "{x: [4, 3, 5], descending: true}"},
    {"scatter", "{x: {shape: [4, 7], below: 5}, places: {shape: [4, 7], below: 9}, count: 9}"},
    {"history", "{x: {shape: [4, 3], below: 5}, fill: -1}"},
    {"range", "{count: 5}"},
    {"int_constant", "{value: 7}"},
    {"integers", "{like: [4, 2], shape: 3, below: 7, outside_training: -1}"},
    {"normal", "{shape: [4, 3, 5], outside_training: 0}"},
    {"layer_norm", "{x: [4, 5], affine: false}"},
    {"rms_norm", "{x: [4, 5], affine: false}"},
    {"group_norm", "{x: [4, 3, 6], groups: 2, affine: false}"},
    {"gaussian_kl", "{mean: [4, 3], log_var: [4, 3], prior_mean: [1, 3], prior_log_var: [1, 3]}"},
    {"linear", "{x: [5, 3], features: 7, activation: sigmoid}"},
    {"matmul", "{a: [4, 3, 5], b: [1, 5, 2]}"},
    {"matmul", "{a: [4, 5], b: [4, 2, 5], transpose_b: true}"},
    {"matmul", "{a: [4, 2, 3, 5], b: [1, 2, 5, 2]}"},
    {"matmul", "{a: [4, 1, 1, 5], b: [1, 3, 5, 2]}"},
    {"matmul", "{a: [4, 2, 5, 1], b: [1, 3, 1, 5, 2], transpose_a: true}"},
    {"matmul", "{a: [4, 5], b: [1, 3, 2, 5], transpose_b: true}"},
    {"matmul", "{a: [4, 1000, 70], b: [4, 1000, 1], transpose_a: true}"},
    {"matmul", "{a: [1, 5, 3], b: [4, 2, 5, 2], transpose_a: true}"},
    {"matmul", "{a: [4, 5, 3], b: [1, 2, 1, 5, 2], transpose_a: true}"},
};

INSTANTIATE_TEST_SUITE_P(Kinds, OtherExamples, testing::ValuesIn(others), [](const auto& other) {
  return std::string(other.param.kind) + "_" + std::to_string(other.index);
});

}  // namespace
}  // namespace weft::tests
