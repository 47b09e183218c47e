// Trials of how the rows of a batch are cut, short and empty.
#include <algorithm>

#include "framework/language/fields.h"
#include "framework/node/host.h"
#include "framework/trial/compare.h"
#include "framework/trial/trials.h"

namespace weft::trial {

namespace {

NodeCase cut_to(NodeCase node, int64_t batch, int64_t rows) {
  for (auto& [name, array] : node.inputs) {
    if (array.shape.rank() == 0 || array.shape.rows() != batch) continue;
    array.shape = array.shape.with_front(rows);
    const auto size = static_cast<size_t>(array.shape.elements());
    array.dtype == DType::f32 ? array.floats.resize(size) : array.ints.resize(size);
  }
  return node;
}

// The same with other numbers behind the first rows.
NodeCase dirty(NodeCase node, int64_t rows) {
  for (auto& [name, array] : node.inputs)
    for (int64_t i = rows * array.shape.row_elements(); i < array.shape.elements(); ++i)
      if (array.dtype == DType::f32) array.floats[static_cast<size_t>(i)] += 0.25F;
  return node;
}

// A step whose outputs' gradients are 0 behind the first rows.
void run_short(NodeRig& rig, uint64_t seed, int64_t rows) {
  rig.observe();
  rig.forward();
  fill_output_grads(rig, seed);
  for (NodeRig::Value& output : rig.outputs)
    if (output.wants_grad && output.value.shape.rows() > rows)
      std::fill(output.grad.floats.begin() + rows * output.value.shape.row_elements(),
                output.grad.floats.end(), 0.0F);
  rig.backward();
  rig.learn();
}

}  // namespace

// A node without products computes a row alike wherever it stands; oneDNN does so nearly, and so
// does a node that joins what lanes say of their rows.
void lanes(Attempt& attempt) {
  for (const Mode mode : {Mode::train, Mode::evaluate}) {
    NodeRig whole = attempt.rig({.mode = mode});
    const int64_t batch = batch_of(whole);
    if (batch < 4 && !whole.node().whole_batch())
      attempt.skip("the example has too few rows to cut into lanes: give it 4");
    NodeRig cut = attempt.rig({.mode = mode, .lanes = {1, batch - 3, 2}, .blocks = 3});
    for (NodeRig* rig : {&whole, &cut})
      if (mode == Mode::train)
        run(*rig, attempt.seed);
      else
        rig->forward();
    const bool joined = !whole.node().host().summaries.empty();
    const double tolerance = whole.node().flops() > 0 || joined ? 1e-5 : 0;
    expect_equal(attempt, cut, whole,
                 ", once the batch of " + std::to_string(batch) + " is cut into lanes of 1, " +
                     std::to_string(batch - 3) + " and 2 rows",
                 tolerance, 1e-5);
  }
}

void empty_lanes(Attempt& attempt) {
  NodeRig whole = attempt.rig();
  const int64_t batch = batch_of(whole);
  if (batch < 0) return;
  NodeRig cut = attempt.rig({.lanes = {0, batch, 0}});
  run(whole, attempt.seed);
  run(cut, attempt.seed);
  expect_equal(attempt, cut, whole, ", with empty lanes beside", 0, -1);
}

void one_row(Attempt& attempt) {
  NodeRig whole = attempt.rig({.mode = Mode::evaluate});
  if (whole.inputs.empty() || batch_of(whole) < 2) return;
  whole.forward();
  attempt.about(" for a batch of one row");
  const NodeCase alone = cut_to(attempt.example(), batch_of(whole), 1);
  try {
    NodeRig trained = attempt.rig(alone);
    run(trained, attempt.seed);
    NodeRig one = attempt.rig(alone, {.mode = Mode::evaluate});
    one.forward();
    for (size_t i = 0; i < one.outputs.size() && !one.node().whole_batch(); ++i)
      attempt.expect(ticked(one.outputs[i].name) + " of one row alone",
                     difference_of_rows(one.outputs[i].value, whole.outputs[i].value, 1,
                                        whole.node().flops() > 0 ? 1e-5 : 0));
  } catch (const Error& error) {
    if (error.code() != Exit::usage || !attempt.call().starts_with("in infer()")) throw;
  }
}

void padding(Attempt& attempt) {
  const NodeCase clean = attempt.example();
  if (clean.inputs.empty() || clean.inputs.front().second.shape.rank() == 0) return;
  const int64_t rows = clean.inputs.front().second.shape.rows() - 1;
  NodeRig a = attempt.rig(clean, {.rows = rows});
  NodeRig b = attempt.rig(dirty(clean, rows), {.rows = rows});
  for (NodeRig* rig : {&a, &b}) run_short(*rig, attempt.seed, rows);
  const auto tell = [&](const std::string& subject, const std::string& complaint) {
    attempt.expect(subject, complaint.empty()
                                ? ""
                                : complaint + ", once the padding behind row " +
                                      std::to_string(rows - 1) + " holds other numbers");
  };
  for (size_t i = 0; i < a.outputs.size(); ++i)
    tell(ticked(a.outputs[i].name),
         difference_of_rows(b.outputs[i].value, a.outputs[i].value, rows));
  for (size_t i = 0; i < a.inputs.size(); ++i)
    tell("the gradient of " + ticked(a.inputs[i].name),
         difference_of_rows(b.inputs[i].grad, a.inputs[i].grad, rows));
  for (size_t i = 0; i < a.weights.size(); ++i)
    tell("the gradient of " + ticked(a.weights[i].name),
         difference(b.weights[i].grad, a.weights[i].grad));
  for (size_t i = 0; i < a.states.size(); ++i)
    tell("the state " + ticked(a.node().host().states[i]->name),
         difference(b.states[i], a.states[i]));
}

}  // namespace weft::trial
