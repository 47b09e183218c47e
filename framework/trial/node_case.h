// A node as a user wires it, with the values on its wires.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "framework/language/yaml.h"
#include "framework/node/host.h"
#include "framework/node/plugin.h"
#include "framework/plugin/probe.h"

namespace weft::trial {

// A tensor with its numbers, all of one type. They start as what no node writes: see unwritten().
struct Array {
  Shape shape;
  DType dtype = DType::f32;
  std::vector<float> floats;
  std::vector<int32_t> ints;

  Array() = default;
  explicit Array(const Shape& shape, DType dtype = DType::f32);
  Tensor tensor();
  bool empty() const { return floats.empty() && ints.empty(); }
  void forget();  // as at the start
};

// Is the number one that Array started with: a NaN of its own, or the least integer?
bool unwritten(float number);
bool unwritten(int32_t number);

// What a user writes about a node, and the values on its wires. Inputs of one name make a list.
struct NodeCase {
  Yaml params = Yaml::map({}, {});
  std::vector<std::pair<std::string, Array>> inputs;
  std::map<std::string, std::string> fitted = {};  // what a source learned, by the name of its Fit
};

// The example of a kind. Numbers are in [-1, 1] and away from 0, where some functions have a kink.
NodeCase example(const NodeKind& kind, uint64_t seed = 1);
void fill(Array& array, uint64_t seed, double centre = 0);

// A node with params set and ports wired. Throws Error as the framework would: an unknown, missing
// or wrong param, an unknown or missing port.
std::unique_ptr<Node> wired_node(const NodeKind& kind, const NodeCase& node,
                                 const Setting& setting = {}, const Stage& stage = {});

// The same with infer() done. Throws whatever that refuses.
std::unique_ptr<Node> make_node(const NodeKind& kind, const NodeCase& node,
                                const Setting& setting = {}, const Stage& stage = {});

}  // namespace weft::trial
