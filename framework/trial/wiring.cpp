// Trials of what a user wires or sets that cannot be.
#include <algorithm>

#include "framework/language/fields.h"
#include "framework/node/source.h"
#include "framework/run/guard_zones.h"
#include "framework/trial/compare.h"
#include "framework/trial/trials.h"

namespace weft::trial {

namespace {

void refuses(Attempt& attempt, const NodeCase& wrong, const std::string& what) {
  attempt.about(" " + what);
  try {
    attempt.make(wrong);
  } catch (const Error&) {
    return;
  }
  attempt.fail("infer() accepts it " + what);
}

NodeCase with(NodeCase node, const std::string& param, const std::string& text, bool list) {
  const Yaml scalar = Yaml::scalar(text, {});
  node.params.put(param, list ? Yaml::list({scalar}, {}) : scalar);
  return node;
}

std::vector<double> out_of_bounds(const Check& check) {
  std::vector<double> bad;
  if (check.least) bad.push_back(*check.least - 1);
  if (check.most) bad.push_back(*check.most + 1);
  if (check.above) bad.push_back(*check.above);
  if (check.below) bad.push_back(*check.below);
  return bad;
}

// Do all inputs have the same rows?
bool one_batch(const NodeCase& node) {
  int64_t rows = -1;
  for (const auto& [name, array] : node.inputs) {
    if (array.shape.rank() == 0) continue;
    if (rows >= 0 && rows != array.shape.rows()) return false;
    rows = array.shape.rows();
  }
  return true;
}

std::vector<Shape> odd_shapes(const Shape& was) {
  std::vector<Shape> odd{{}, {0}, {4}, {4, 0}, {4, 1, 1, 1, 1, 1, 1, 1}};
  if (was.rank() == 0) return odd;
  odd.insert(odd.end(), {was.with_front(was.front() + 1), was.with_back(was.back() + 1),
                         was.with_back(0), was.without_front()});
  for (size_t axis = 1; axis + 1 < was.rank(); ++axis) odd.push_back(was.with(axis, was[axis] + 1));
  return odd;
}

}  // namespace

void missing_inputs(Attempt& attempt) {
  const NodeCase whole = attempt.example();
  const std::unique_ptr<Node> node = attempt.kind.make();
  for (const In* in : node->host().ins) {
    if (in->traits.optional) continue;
    NodeCase less = whole;
    std::erase_if(less.inputs, [&](const auto& input) { return input.first == in->name; });
    refuses(attempt, less, "without " + ticked(in->name));
  }
}

void optional_inputs(Attempt& attempt) {
  const NodeCase whole = attempt.example();
  const std::unique_ptr<Node> node = attempt.kind.make();
  for (const In* in : node->host().ins) {
    NodeCase less = whole;
    if (!in->traits.optional ||
        std::erase_if(less.inputs, [&](const auto& input) { return input.first == in->name; }) == 0)
      continue;
    attempt.about(" without " + ticked(in->name));
    try {
      (void)attempt.make(less);
    } catch (const Error&) {  // it may need the others
      continue;
    }
    NodeRig rig = attempt.rig(less);
    run(rig, attempt.seed);
    for (const auto member : {&NodeRig::inputs, &NodeRig::weights})
      for (const NodeRig::Value& value : rig.*member)
        if (value.wants_grad)
          attempt.expect("the gradient of " + ticked(value.name), unfinished(value.grad));
    for (const NodeRig::Value& output : rig.outputs)
      attempt.expect(ticked(output.name), unfinished(output.value));
  }
}

void params(Attempt& attempt) {
  const NodeCase fits = attempt.example();
  refuses(attempt, with(fits, "no_such_param", "1", false), "with an unknown param");
  const std::unique_ptr<Node> node = attempt.kind.make();
  for (const ParamBase* param : node->host().params) {
    const bool list = param->kind >= ParamKind::integers;
    const bool whole = param->kind == ParamKind::integer || param->kind == ParamKind::integers;
    for (const double value : out_of_bounds(param->check)) {
      const std::string text = whole ? std::to_string(static_cast<int64_t>(value)) : number(value);
      refuses(attempt, with(fits, param->name, text, list),
              "with " + ticked(param->name) + " at " + text);
    }
    if (!param->check.choices.empty())
      refuses(attempt, with(fits, param->name, "no_such_word", list),
              "with " + ticked(param->name) + " at no_such_word");
  }
}

// Whatever is wired, infer() refuses with a sentence or the node runs, unless it reads an integer
// that no longer fits.
void shapes(Attempt& attempt) {
  const NodeCase fits = attempt.example();
  const bool reads = std::ranges::any_of(
      fits.inputs, [](const auto& input) { return input.second.dtype == DType::i32; });
  for (size_t i = 0; i < fits.inputs.size(); ++i)
    for (const Shape& shape : odd_shapes(fits.inputs[i].second.shape)) {
      const std::string where = "where " + ticked(fits.inputs[i].first) + " is " + shape.str();
      attempt.about(" " + where);
      NodeCase wired = fits;
      Array& array = wired.inputs[i].second = Array(shape, fits.inputs[i].second.dtype);
      if (!one_batch(wired)) continue;  // no pipeline can wire it so
      fill(array, 7 * attempt.seed);
      const std::vector<float>& usual = fits.inputs[i].second.floats;
      for (size_t j = 0; !usual.empty() && j < array.floats.size(); ++j)
        array.floats[j] = usual[j % usual.size()];
      std::ranges::fill(array.ints, 0);
      try {
        NodeRig rig = attempt.rig(wired);
        run(rig, attempt.seed);
      } catch (const Breach&) {
        throw;
      } catch (const Error& error) {
        const bool refused =
            error.code() == Exit::usage && attempt.call().starts_with("in infer()");
        if (!refused && !(reads && error.code() == Exit::data))
          attempt.fail("throws " + attempt.call() +
                       ", though infer() did not refuse it: " + error.sentence());
        if (error.sentence().size() <= 10)
          attempt.fail("says no more than \"" + error.sentence() + "\" " + where);
      }
    }
}

}  // namespace weft::trial
