// A node as a user wires it, with the values on its wires, for tests.
#pragma once

#include <cstdint>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "framework/node/host.h"
#include "framework/node/plugin.h"

namespace weft::tests {

// A tensor with its numbers, all of one type.
struct Array {
  Shape shape;
  DType dtype = DType::f32;
  std::vector<float> floats;
  std::vector<int32_t> ints;

  Array() = default;
  explicit Array(const Shape& shape, DType dtype = DType::f32);  // floats are NaN, integers 0
  explicit Array(const nlohmann::json& json);  // {"shape": […], "f32": […]} or "i32"
  Tensor tensor();
  bool empty() const { return floats.empty() && ints.empty(); }
};

// What a user writes about a node, and the values on its wires. Inputs of one name make a list.
struct NodeCase {
  nlohmann::json params = nlohmann::json::object();
  std::vector<std::pair<std::string, Array>> inputs;
};

// The example of a kind. Numbers are in [-1, 1] and away from 0, where some functions have a kink.
NodeCase example(const NodeKind& kind, uint64_t seed = 1);
void fill(Array& array, uint64_t seed, double centre = 0);

// A node with params set, ports wired and infer() done. Throws Error as the framework would: an
// unknown, missing or wrong param, an unknown or missing port, whatever infer() refuses.
std::unique_ptr<Node> make_node(const NodeKind& kind, const NodeCase& node,
                                const Setting& setting = {});

}  // namespace weft::tests
