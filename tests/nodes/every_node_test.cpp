// What every kind of node must do, tested through its own example.
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>

#include "framework/node/optimizer.h"
#include "framework/node/source.h"
#include "tests/support/environment.h"
#include "tests/support/kinds.h"
#include "tests/support/lone_node.h"
#include "tests/support/node_rig.h"
#include "tests/support/temporary_directory.h"

namespace weft::tests {
namespace {

using Values = std::vector<NodeRig::Value>;

bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
  const auto bits = [](float f) { return std::bit_cast<uint32_t>(f); };
  return std::ranges::equal(a, b, {}, bits, bits);
}

bool finite(const std::vector<float>& numbers) {
  return std::all_of(numbers.begin(), numbers.end(), [](float f) { return std::isfinite(f); });
}

// Within `tolerance`, relative to the number or to the typical number of the array.
void expect_near(const std::vector<float>& a, const std::vector<float>& b, double tolerance) {
  ASSERT_EQ(a.size(), b.size());
  double squares = 0;
  for (const float f : b) squares += static_cast<double>(f) * f;
  const double typical = b.empty() ? 0 : std::sqrt(squares / static_cast<double>(b.size()));
  for (size_t i = 0; i < a.size(); ++i)
    ASSERT_NEAR(a[i], b[i], tolerance * (std::abs(b[i]) + typical)) << "at " << i;
}

void expect_equal(const Values& a, const Values& b, bool bits) {
  ASSERT_EQ(a.size(), b.size());
  for (size_t i = 0; i < a.size(); ++i) {
    SCOPED_TRACE(a[i].name);
    EXPECT_EQ(a[i].value.ints, b[i].value.ints);
    if (bits) {
      EXPECT_TRUE(same_bits(a[i].value.floats, b[i].value.floats)) << "other value";
      EXPECT_TRUE(same_bits(a[i].grad.floats, b[i].grad.floats)) << "other gradient";
    } else {
      expect_near(a[i].value.floats, b[i].value.floats, 1e-5);
      expect_near(a[i].grad.floats, b[i].grad.floats, 1e-5);
    }
  }
}

void fill_output_grads(NodeRig& rig) {
  for (size_t i = 0; i < rig.outputs.size(); ++i) fill(rig.outputs[i].grad, 500 + i);
}

void run(NodeRig& rig) {
  rig.forward();
  fill_output_grads(rig);
  rig.backward();
  rig.learn();
  fill_output_grads(rig);  // the node may have destroyed them
}

// Σ outputs · weights, where the weights are what fill_output_grads() gives.
double loss(NodeRig& rig) {
  rig.forward();
  fill_output_grads(rig);
  double sum = 0;
  for (const NodeRig::Value& output : rig.outputs)
    for (size_t i = 0; i < output.grad.floats.size(); ++i)
      sum += static_cast<double>(output.value.floats[i]) * output.grad.floats[i];
  return sum;
}

// The vocabulary of an example.
void learn_readme() {
  static const TemporaryDirectory data;
  static const Environment variable("WEFT_DATA_DIR", data.path().string());
  LoneNode text("text", {{"file", std::string(SOURCE_DIR "/README.md")},
                         {"vocabulary", std::string("readme")},
                         {"pieces", int64_t{100}},
                         {"length", int64_t{16}},
                         {"batch", int64_t{4}}});
  text.infer();
  text.node().host().fits.front()->keep();
}

class EveryNode : public testing::TestWithParam<const NodeKind*> {
 protected:
  void SetUp() override {
    if (std::string(kind().name) == "text_file") learn_readme();
  }
  const NodeKind& kind() const { return *GetParam(); }
};

TEST_P(EveryNode, RunsItsExample) {
  for (const Mode mode : {Mode::train, Mode::evaluate, Mode::generate}) {
    NodeRig rig(kind(), example(kind()), {.mode = mode});
    rig.forward();
    for (const NodeRig::Value& output : rig.outputs)
      EXPECT_TRUE(finite(output.value.floats)) << output.name << " was not written whole";
  }
}

TEST_P(EveryNode, WritesEveryGradient) {
  NodeRig rig(kind(), example(kind()));
  run(rig);
  for (const Values* values : {&rig.inputs, &rig.weights})
    for (const NodeRig::Value& value : *values)
      EXPECT_TRUE(finite(value.grad.floats)) << value.name << "'s gradient was not written whole";
}

// Central differences. float32 wants a large step; the reference tests look closer.
void expect_gradient(NodeRig& rig, NodeRig::Value& value) {
  SCOPED_TRACE(value.name);
  constexpr double step = 1e-2;
  const std::vector<float> grad = value.grad.floats;
  const size_t stride = std::max<size_t>(1, grad.size() / 50);
  for (size_t i = 0; i < grad.size(); i += stride) {
    float& x = value.value.floats[i];
    const float was = x;
    x = was + static_cast<float>(step);
    const double above = loss(rig), high = x;
    x = was - static_cast<float>(step);
    const double below = loss(rig), low = x;
    x = was;
    const double numeric = (above - below) / (high - low);
    const double scale = std::max(std::abs(numeric), std::abs(double{grad[i]}));
    ASSERT_NEAR(grad[i], numeric, 5e-3 * scale + 5e-4) << "at " << i;
  }
}

TEST_P(EveryNode, GradientsAreCentralDifferences) {
  NodeRig rig(kind(), example(kind()));
  run(rig);
  for (Values* values : {&rig.inputs, &rig.weights})
    for (NodeRig::Value& value : *values)
      if (value.wants_grad) expect_gradient(rig, value);
}

// A module that does not learn lets gradients through, but nothing else of training.
TEST_P(EveryNode, FrozenRunsAsInEvaluation) {
  NodeRig frozen(kind(), example(kind()), {.frozen = true});
  NodeRig evaluated(kind(), example(kind()), {.mode = Mode::evaluate});
  const auto states = frozen.states;
  run(frozen);
  evaluated.forward();
  for (size_t i = 0; i < frozen.outputs.size(); ++i)
    EXPECT_TRUE(same_bits(frozen.outputs[i].value.floats, evaluated.outputs[i].value.floats))
        << frozen.outputs[i].name;
  for (size_t i = 0; i < states.size(); ++i)
    EXPECT_TRUE(same_bits(frozen.states[i].floats, states[i].floats)) << "state " << i << " moved";
  for (NodeRig::Value& value : frozen.inputs)
    if (value.wants_grad) expect_gradient(frozen, value);
}

TEST_P(EveryNode, RepeatsItsBits) {
  NodeRig first(kind(), example(kind())), second(kind(), example(kind()));
  run(first);
  run(second);
  run(second);  // nothing may be left over from the last step
  expect_equal(first.outputs, second.outputs, true);
  expect_equal(first.inputs, second.inputs, true);
  expect_equal(first.weights, second.weights, true);
}

void copy_states(const NodeRig& from, NodeRig& to) {  // which holds pointers into its own
  for (size_t i = 0; i < from.states.size(); ++i)
    std::ranges::copy(from.states[i].floats, to.states[i].floats.begin());
}

bool same_states(const NodeRig& a, const NodeRig& b) {
  return std::ranges::equal(a.states, b.states, [](const Array& x, const Array& y) {
    return same_bits(x.floats, y.floats);
  });
}

// What training leaves in the states serves evaluation, which leaves them alone. A row is then what
// it is, whatever else the batch holds.
TEST_P(EveryNode, EvaluatesWithTheStatesOfTraining) {
  NodeRig trained(kind(), example(kind(), 2)), fresh(kind(), example(kind()));
  if (trained.states.empty()) return;
  trained.forward();
  EXPECT_FALSE(same_states(trained, fresh)) << "nothing was remembered";
  const int64_t rows = trained.inputs.front().value.shape.rows() - 1;
  NodeRig whole(kind(), example(kind()), {.mode = Mode::evaluate});
  NodeRig less(kind(), example(kind()), {.mode = Mode::evaluate, .rows = rows});
  NodeRig ignorant(kind(), example(kind()), {.mode = Mode::evaluate});
  for (NodeRig* rig : {&whole, &less}) {
    copy_states(trained, *rig);
    rig->forward();
    EXPECT_TRUE(same_states(trained, *rig)) << "evaluation moved a state";
  }
  ignorant.forward();
  for (size_t i = 0; i < whole.outputs.size(); ++i) {
    const Array &all = whole.outputs[i].value, &some = less.outputs[i].value;
    const auto size = static_cast<size_t>(rows * all.shape.row_elements());
    EXPECT_TRUE(same_bits({all.floats.begin(), all.floats.begin() + size},
                          {some.floats.begin(), some.floats.begin() + size}));
    EXPECT_FALSE(same_bits(all.floats, ignorant.outputs[i].value.floats))
        << "the states are unused";
  }
}

// A node without products computes a row alike wherever it stands; oneDNN does so nearly.
TEST_P(EveryNode, LanesAndBlocksChangeNothing) {
  for (const Mode mode : {Mode::train, Mode::evaluate}) {
    NodeRig whole(kind(), example(kind()), {.mode = mode});
    const Values& batched = whole.inputs.empty() ? whole.outputs : whole.inputs;
    const Shape shape = batched.empty() ? Shape() : batched.front().value.shape;
    if (shape.rank() == 0 || shape.rows() < 4) GTEST_SKIP() << "too few rows to cut";
    NodeRig cut(kind(), example(kind()),
                {.mode = mode, .lanes = {1, shape.rows() - 3, 2}, .blocks = 3});
    whole.forward();
    cut.forward();
    if (mode == Mode::train) {
      run(whole);
      run(cut);
    }
    const bool products = whole.node().flops() > 0;
    expect_equal(whole.outputs, cut.outputs, !products);
    expect_equal(whole.inputs, cut.inputs, !products);
    expect_equal(whole.weights, cut.weights, false);
  }
}

// The last batch may be short: what its padding holds must not reach the samples or the weights.
TEST_P(EveryNode, PaddingReachesNothing) {
  NodeCase clean = example(kind()), dirty = example(kind());
  if (clean.inputs.empty() || clean.inputs.front().second.shape.rank() == 0) return;
  const int64_t rows = clean.inputs.front().second.shape.rows() - 1;
  for (auto& [name, array] : dirty.inputs)
    for (int64_t i = rows * array.shape.row_elements(); i < array.shape.elements(); ++i)
      if (array.dtype == DType::f32) array.floats[i] += 0.25F;
  NodeRig a(kind(), clean, {.rows = rows}), b(kind(), dirty, {.rows = rows});
  for (NodeRig* rig : {&a, &b}) {
    rig->forward();
    fill_output_grads(*rig);
    for (NodeRig::Value& output : rig->outputs)
      if (output.wants_grad && output.value.shape.rank() > 0)
        std::fill(output.grad.floats.begin() + rows * output.value.shape.row_elements(),
                  output.grad.floats.end(), 0.0F);
    rig->backward();
    rig->learn();
  }
  const auto samples = [&](const Array& array, const std::vector<float>& numbers) {
    const auto size = static_cast<size_t>(rows * array.shape.row_elements());
    return std::vector<float>(numbers.begin(), numbers.begin() + std::min(size, numbers.size()));
  };
  for (size_t i = 0; i < a.outputs.size(); ++i)
    EXPECT_TRUE(same_bits(samples(a.outputs[i].value, a.outputs[i].value.floats),
                          samples(b.outputs[i].value, b.outputs[i].value.floats)))
        << a.outputs[i].name;
  for (size_t i = 0; i < a.inputs.size(); ++i)
    EXPECT_TRUE(same_bits(samples(a.inputs[i].value, a.inputs[i].grad.floats),
                          samples(b.inputs[i].value, b.inputs[i].grad.floats)))
        << a.inputs[i].name;
  for (size_t i = 0; i < a.weights.size(); ++i)
    EXPECT_TRUE(same_bits(a.weights[i].grad.floats, b.weights[i].grad.floats)) << a.weights[i].name;
  for (size_t i = 0; i < a.states.size(); ++i)
    EXPECT_TRUE(same_bits(a.states[i].floats, b.states[i].floats));
}

TEST_P(EveryNode, RefusesAMissingInput) {
  const NodeCase whole = example(kind());
  const std::unique_ptr<Node> node = kind().make();
  for (const In* in : node->host().ins) {
    if (in->traits.optional) continue;
    NodeCase less = whole;
    std::erase_if(less.inputs, [&](const auto& input) { return input.first == in->name; });
    EXPECT_THROW(make_node(kind(), less), Error) << "without " << in->name;
  }
}

TEST_P(EveryNode, RefusesParamsItCannotUse) {
  NodeCase wrong = example(kind());
  wrong.params["no_such_param"] = 1;
  EXPECT_THROW(make_node(kind(), wrong), Error);
  const std::unique_ptr<Node> node = kind().make();
  for (const ParamBase* param : node->host().params) {
    const Check& check = param->check;
    std::vector<double> bad;
    if (check.least) bad.push_back(*check.least - 1);
    if (check.most) bad.push_back(*check.most + 1);
    if (check.above) bad.push_back(*check.above);
    if (check.below) bad.push_back(*check.below);
    const bool list = param->kind == ParamKind::integers || param->kind == ParamKind::numbers;
    const bool whole = param->kind == ParamKind::integer || param->kind == ParamKind::integers;
    for (const double number : bad) {
      nlohmann::json value = number;
      if (whole) value = static_cast<int64_t>(number);
      NodeCase outside = example(kind());
      outside.params[param->name] = list ? nlohmann::json::array({value}) : value;
      EXPECT_THROW(make_node(kind(), outside), Error) << param->name << " = " << number;
    }
    if (check.choices.empty()) continue;
    NodeCase unknown = example(kind());
    unknown.params[param->name] = "no_such_word";
    EXPECT_THROW(make_node(kind(), unknown), Error) << param->name;
  }
}

// Whatever is wired, infer() refuses with a sentence or the node runs, unless it reads an integer
// that no longer fits.
TEST_P(EveryNode, RefusesOrRunsOddShapes) {
  const NodeCase fits = example(kind());
  for (size_t i = 0; i < fits.inputs.size(); ++i) {
    const Shape& was = fits.inputs[i].second.shape;
    std::vector<Shape> odd{{}, {0}, {4}, {4, 0}, {4, 1, 1, 1, 1, 1, 1, 1}};
    if (was.rank() > 0) {
      odd.insert(odd.end(), {was.with_front(was.front() + 1), was.with_back(was.back() + 1),
                             was.with_back(0), was.without_front()});
      for (size_t axis = 1; axis + 1 < was.rank(); ++axis) {
        std::vector<int64_t> dims(was.dims().begin(), was.dims().end());
        ++dims[axis];
        odd.emplace_back(std::span<const int64_t>(dims));
      }
    }
    for (const Shape& shape : odd) {
      SCOPED_TRACE(fits.inputs[i].first + " is " + shape.str());
      NodeCase wired = fits;
      Array& array = wired.inputs[i].second = Array(shape, fits.inputs[i].second.dtype);
      fill(array, 7);
      try {
        NodeRig rig(kind(), wired);
        run(rig);
      } catch (const Error& error) {
        EXPECT_GT(error.sentence().size(), 10U);
        const bool reads = std::ranges::any_of(
            fits.inputs, [](const auto& input) { return input.second.dtype == DType::i32; });
        EXPECT_TRUE(error.code() == Exit::usage || (reads && error.code() == Exit::data))
            << error.what();
      }
    }
  }
}

// A batch without rows: nothing to do, nothing to touch.
TEST_P(EveryNode, TakesAnEmptyLane) {
  NodeRig whole(kind(), example(kind()));
  const Values& batched = whole.inputs.empty() ? whole.outputs : whole.inputs;
  if (batched.empty() || batched.front().value.shape.rank() == 0) return;
  NodeRig cut(kind(), example(kind()), {.lanes = {0, batched.front().value.shape.rows(), 0}});
  run(whole);
  run(cut);
  expect_equal(whole.outputs, cut.outputs, true);
  expect_equal(whole.inputs, cut.inputs, true);
}

class EveryOptimizer : public testing::TestWithParam<const NodeKind*> {};

TEST_P(EveryOptimizer, DescendsAlikeInBlocks) {
  const NodeKind& kind = *GetParam();
  Array weight(Shape{7, 5});
  fill(weight, 1);
  std::vector<Array> grads(4, Array(Shape{7, 5}));
  for (size_t i = 0; i < grads.size(); ++i) fill(grads[i], 2 + i);
  const nlohmann::json params = example(kind).params;
  const auto whole = run_updates(kind, params, weight, grads);
  const auto cut = run_updates(kind, params, weight, grads, 3);
  for (size_t i = 0; i < whole.size(); ++i) {
    EXPECT_TRUE(finite(whole[i].floats));
    EXPECT_TRUE(same_bits(whole[i].floats, cut[i].floats)) << "after update " << i + 1;
  }
  for (size_t i = 0; i < weight.floats.size(); ++i)
    EXPECT_LT((whole[0].floats[i] - weight.floats[i]) * grads[0].floats[i], 0) << "uphill at " << i;
}

bool is_optimizer(const NodeKind* kind) {
  return dynamic_cast<Optimizer*>(kind->make().get());
}
bool is_source(const NodeKind* kind) {
  return dynamic_cast<Source*>(kind->make().get());
}

std::vector<const NodeKind*> kinds_where(bool (*wanted)(const NodeKind*)) {
  std::vector<const NodeKind*> some;
  for (const NodeKind* kind : kinds())
    if (wanted(kind)) some.push_back(kind);
  return some;
}

std::string name_of(const testing::TestParamInfo<const NodeKind*>& info) {
  return info.param->name;
}

// Sources need data, and have tests of their own.
INSTANTIATE_TEST_SUITE_P(Kinds, EveryNode, testing::ValuesIn(kinds_where([](const NodeKind* kind) {
                           return !is_source(kind) && !is_optimizer(kind);
                         })),
                         name_of);
INSTANTIATE_TEST_SUITE_P(Kinds, EveryOptimizer, testing::ValuesIn(kinds_where(is_optimizer)),
                         name_of);

}  // namespace
}  // namespace weft::tests
