// Numbers that PyTorch computed in double precision: tests/twins/make_reference.py wrote them.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "framework/trial/node_rig.h"
#include "tests/support/kinds.h"

namespace weft::tests {
namespace {

using namespace trial;
using nlohmann::json;

std::vector<std::filesystem::path> references() {
  const auto folder = std::filesystem::path(SOURCE_DIR "/tests/nodes/reference");
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    if (entry.path().extension() == ".json") files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  return files;
}

// {"shape": […], "f32": […]} or "i32".
Array array_of(const json& spec) {
  const bool ints = spec.contains("i32");
  Array array(Shape(std::span<const int64_t>(spec.at("shape").get<std::vector<int64_t>>())),
              ints ? DType::i32 : DType::f32);
  const size_t size = array.floats.size() + array.ints.size();
  if (ints)
    array.ints = spec.at("i32").get<std::vector<int32_t>>();
  else
    array.floats = spec.at("f32").get<std::vector<float>>();
  if (array.floats.size() + array.ints.size() != size)
    throw Error("an array of the reference does not fill its shape " + array.shape.str());
  return array;
}

Yaml params_of(const json& spec) {
  return Yaml::parse(spec.value("params", json::object()).dump(), "the params of a reference");
}

// Within `tolerance`, relative to the number and to the typical number of the array.
void expect_near(const Array& array, const json& expected_json, double tolerance) {
  const Array expected = array_of(expected_json);
  ASSERT_EQ(array.shape.str(), expected.shape.str());
  ASSERT_EQ(array.ints, expected.ints);
  double squares = 0;
  for (const float f : expected.floats) squares += static_cast<double>(f) * f;
  const auto size = static_cast<double>(expected.floats.size());
  const double typical = size > 0 ? std::sqrt(squares / size) : 0;
  for (size_t i = 0; i < expected.floats.size(); ++i)
    ASSERT_NEAR(array.floats[i], expected.floats[i],
                tolerance * (std::abs(expected.floats[i]) + typical))
        << "at " << i;
}

json part(const json& spec, const char* name) {
  return spec.value(name, json::object());
}

void copy(const json& from, Array& to) {  // the node holds pointers into `to`
  const Array array = array_of(from);
  ASSERT_EQ(array.shape.str(), to.shape.str());
  std::copy(array.floats.begin(), array.floats.end(), to.floats.begin());
}

NodeCase read_case(const json& spec) {
  NodeCase node;
  node.params = params_of(spec);
  const json inputs = part(spec, "inputs");
  for (const auto& [name, value] : inputs.items()) {
    if (value.is_array())
      for (const json& item : value) node.inputs.emplace_back(name, array_of(item));
    else
      node.inputs.emplace_back(name, array_of(value));
  }
  return node;
}

Mode read_mode(const std::string& word) {
  return word == "train" ? Mode::train : word == "evaluate" ? Mode::evaluate : Mode::generate;
}

void check_values(const json& expected, NodeRig& rig, double tolerance) {
  for (const auto& [name, array] : expected.at("outputs").items()) {
    SCOPED_TRACE("output " + name);
    expect_near(rig.output(name), array, tolerance);
  }
  const json states = part(expected, "states_after");
  for (const auto& [name, array] : states.items()) {
    SCOPED_TRACE("state " + name);
    expect_near(rig.state(name), array, tolerance);
  }
}

void check_grads(const json& expected, const std::vector<NodeRig::Value>& values,
                 double tolerance) {
  size_t checked = 0;
  for (const auto& [name, grads] : expected.items()) {
    size_t next = 0;
    for (const NodeRig::Value& value : values) {
      if (value.name != name) continue;
      SCOPED_TRACE("gradient of " + name + " " + std::to_string(next));
      expect_near(value.grad, grads.is_array() ? grads.at(next) : grads, tolerance);
      ++next, ++checked;
    }
  }
  const auto wanting = std::count_if(values.begin(), values.end(),
                                     [](const NodeRig::Value& value) { return value.wants_grad; });
  EXPECT_EQ(checked, static_cast<size_t>(wanting)) << "the reference lacks a gradient";
}

void check_case(const NodeKind& kind, const json& spec, double tolerance) {
  const Mode mode = read_mode(spec.value("mode", "train"));
  NodeRig rig(kind, read_case(spec),
              {.mode = mode, .rows = spec.value("rows", -1), .step = spec.value("step", 0)});
  const json weights = part(spec, "weights"), states = part(spec, "states");
  for (const auto& [name, array] : weights.items()) copy(array, rig.weight(name));
  for (const auto& [name, array] : states.items()) copy(array, rig.state(name));
  rig.observe();
  rig.forward();
  check_values(spec, rig, tolerance);
  if (mode != Mode::train) return;
  for (NodeRig::Value& output : rig.outputs)
    if (output.wants_grad) copy(spec.at("output_grads").at(output.name), output.grad);
  rig.backward();
  rig.learn();
  check_grads(part(spec, "input_grads"), rig.inputs, tolerance);
  check_grads(part(spec, "weight_grads"), rig.weights, tolerance);
}

void check_updates(const NodeKind& kind, const json& spec, double tolerance) {
  const json& update = spec.at("update");
  std::vector<Array> grads;
  for (const json& grad : update.at("grads")) grads.push_back(array_of(grad));
  const auto after = run_updates(kind, params_of(spec), array_of(update.at("weight")), grads);
  ASSERT_EQ(after.size(), update.at("weights_after").size());
  for (size_t i = 0; i < after.size(); ++i) {
    SCOPED_TRACE("update " + std::to_string(i + 1));
    expect_near(after[i], update.at("weights_after").at(i), tolerance);
  }
}

class Reference : public testing::TestWithParam<std::filesystem::path> {};

TEST_P(Reference, EqualsPyTorch) {
  std::ifstream file(GetParam());
  const json reference = json::parse(file);
  const NodeKind* kind = find_kind(reference.at("kind"));
  ASSERT_TRUE(kind) << "no kind " << reference.at("kind") << " is linked";
  ASSERT_FALSE(reference.at("cases").empty());
  for (const json& spec : reference.at("cases")) {
    SCOPED_TRACE(spec.at("name").get<std::string>());
    const double tolerance = spec.value("tolerance", 1e-5);
    if (spec.contains("update"))
      check_updates(*kind, spec, tolerance);
    else
      check_case(*kind, spec, tolerance);
  }
}

INSTANTIATE_TEST_SUITE_P(Kinds, Reference, testing::ValuesIn(references()),
                         [](const auto& file) { return file.param.stem().string(); });

}  // namespace
}  // namespace weft::tests
