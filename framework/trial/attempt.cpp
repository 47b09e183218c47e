#include "framework/trial/attempt.h"

#include <algorithm>

#include "framework/language/fields.h"
#include "framework/node/source.h"
#include "framework/run/guard_zones.h"
#include "framework/trial/compare.h"

namespace weft::trial {

Attempt::Attempt(const NodeKind& kind, uint64_t seed, std::filesystem::path folder, Stage stage)
    : kind(kind),
      seed(seed),
      folder(std::move(folder)),
      stage([this, tell = std::move(stage)](const std::string& call) {
        call_ = call + about_;
        tell(call_);
      }) {}

NodeRig Attempt::rig(NodeCase node, RigOptions options) {
  options.seed = seed;
  options.stage = stage;
  if (options.folder.empty()) options.folder = folder;
  return {kind, std::move(node), options};
}

std::unique_ptr<Node> Attempt::make(const NodeCase& node, Mode mode) {
  return make_node(kind, node, {.mode = mode, .random_key = 41 + seed, .output_dir = folder},
                   stage);
}

void Attempt::fail(const std::string& sentence) {
  outcome_.end = Outcome::End::failed;
  if (std::ranges::find(outcome_.sentences, sentence) == outcome_.sentences.end())
    outcome_.sentences.push_back(sentence);
}

void Attempt::skip(const std::string& why) {
  throw Skip{why};
}

void Attempt::expect(const std::string& subject, const std::string& complaint) {
  if (!complaint.empty()) fail(subject + " " + complaint);
}

// An example may name files that only its author has, or that have to be fetched.
void Attempt::need_data() {
  try {
    const auto node = wired_node(kind, example(), {.random_key = 41 + seed}, stage);
    auto* const source = dynamic_cast<Source*>(node.get());
    stage(source ? "in open()" : "in infer()");
    if (!source) return node->infer();
    const int64_t samples = source->open();
    if (samples <= 0) fail("open() counts " + std::to_string(samples) + " samples in its example");
  } catch (const Error& error) {
    if (error.code() == Exit::data) skip(error.sentence());
    throw;
  }
}

Outcome Attempt::run(const Trial& trial) {
  try {
    need_data();
    if (passed()) trial.run(*this);
  } catch (const Skip& skipped) {
    return {Outcome::End::skipped, {skipped.why}};
  } catch (const Breach& breach) {
    fail(call_ + " it " + breach.sentence());
  } catch (const std::exception& error) {
    fail("throws " + call_ + ": " + error.what());
  } catch (...) {
    fail("throws " + call_ + " what is not an exception");
  }
  return outcome_;
}

void fill_output_grads(NodeRig& rig, uint64_t seed) {
  for (size_t i = 0; i < rig.outputs.size(); ++i) fill(rig.outputs[i].grad, 500 * seed + i);
}

void run(NodeRig& rig, uint64_t seed) {
  rig.observe();
  rig.forward();
  fill_output_grads(rig, seed);
  rig.backward();
  rig.learn();
  fill_output_grads(rig, seed);  // the node may have destroyed them
}

void expect_equal(Attempt& attempt, const NodeRig& got, const NodeRig& expected,
                  const std::string& ending, double tolerance, double of_sums) {
  const auto tell = [&](const std::string& subject, const std::string& complaint) {
    attempt.expect(subject, complaint.empty() ? "" : complaint + ending);
  };
  for (size_t i = 0; i < got.outputs.size(); ++i)
    tell(ticked(got.outputs[i].name),
         difference(got.outputs[i].value, expected.outputs[i].value, tolerance));
  for (size_t i = 0; i < got.inputs.size(); ++i)
    tell("the gradient of " + ticked(got.inputs[i].name),
         difference(got.inputs[i].grad, expected.inputs[i].grad, tolerance));
  for (size_t i = 0; i < got.weights.size() && of_sums >= 0; ++i)
    tell("the gradient of " + ticked(got.weights[i].name),
         difference(got.weights[i].grad, expected.weights[i].grad, of_sums));
}

void set_states(NodeRig& rig, const std::vector<Array>& from) {
  for (size_t i = 0; i < from.size(); ++i)
    std::ranges::copy(from[i].floats, rig.states[i].floats.begin());
}

int64_t batch_of(const NodeRig& rig) {
  const std::vector<NodeRig::Value>& batched = rig.inputs.empty() ? rig.outputs : rig.inputs;
  if (batched.empty() || batched.front().value.shape.rank() == 0) return -1;
  return batched.front().value.shape.rows();
}

}  // namespace weft::trial
