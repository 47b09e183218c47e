#include "framework/trial/node_case.h"

#include <algorithm>
#include <bit>
#include <limits>

#include "framework/node/did_you_mean.h"
#include "framework/plan/checks.h"
#include "framework/plan/params.h"

namespace weft::trial {

namespace {

constexpr uint32_t own_nan = 0x7FE0F00D;
constexpr int32_t least = std::numeric_limits<int32_t>::min();

void set_params(Node& node, const Yaml& given) {
  std::vector<std::string> names;
  for (const ParamBase* param : node.host().params) names.emplace_back(param->name);
  PlanParams params;
  for (const Yaml::Entry& entry : given.entries()) {
    ParamBase* const param = node.host().param(entry.key);
    if (!param)
      throw Error("there is no param `" + entry.key + "`" + did_you_mean(entry.key, names));
    params.set(*param, entry.value, 0);
  }
  params.give_to(node);
  for (const ParamBase* param : node.host().params)
    if (param->required && !given.find(param->name))
      throw Error("`" + std::string(param->name) + "` must be given");
}

void wire(Node& node, const NodeCase& values, bool grads) {
  const auto given = [&](const std::string& name) {
    return std::count_if(values.inputs.begin(), values.inputs.end(),
                         [&](const auto& input) { return input.first == name; });
  };
  for (Ins* list : node.host().lists) Host::resize(*list, node, given(list->name));
  for (const auto& [name, array] : values.inputs) {
    const auto open = [&, &name = name](const In* in) { return in->name == name && !in->wired(); };
    const auto at = std::find_if(node.host().ins.begin(), node.host().ins.end(), open);
    if (at == node.host().ins.end()) throw Error("there is no input `" + name + "`");
    if (!(*at)->traits.any && array.dtype != (*at)->traits.dtype)
      throw Error("`" + name + "` has the wrong type");
    Host::wire(**at, array.shape, array.dtype, grads && array.dtype == DType::f32);
  }
  for (const In* in : node.host().ins)
    if (!in->wired() && !in->traits.optional)
      throw Error("`" + std::string(in->name) + "` must be wired");
  for (const Ins* list : node.host().lists)
    if (list->size() == 0) throw Error("`" + std::string(list->name) + "` must be wired");
}

Shape shape_of(const Yaml& list) {
  std::vector<int64_t> dims;
  for (const Yaml& extent : list.items()) dims.push_back(extent.to_int("an extent"));
  return Shape(std::span<const int64_t>(dims));
}

// An input of an example: `[2, 3]`, `{shape: [2, 3], above: 0}` for greater numbers, or `{shape:
// [4], below: 10}` for integers.
Array input_of(const Yaml& spec, uint64_t seed) {
  const Yaml* const shape = spec.find("shape");
  const Yaml* const below = spec.find("below");
  const Yaml* const above = spec.find("above");
  if (spec.is_map() && (!shape || !below == !above))
    throw Error(Exit::plugin,
                "the example gives an input neither a shape, nor {shape, below} or {shape, above}");
  Array array(shape_of(shape ? *shape : spec), below ? DType::i32 : DType::f32);
  fill(array, seed, above ? above->to_number("`above`") + 1 : 0);
  Random random(seed, 0, 1);
  for (int32_t& i : array.ints)
    i = static_cast<int32_t>(random.below(static_cast<uint64_t>(below->to_int("`below`"))));
  return array;
}

}  // namespace

Array::Array(const Shape& shape, DType dtype) : shape(shape), dtype(dtype) {
  const auto size = static_cast<size_t>(shape.elements());
  dtype == DType::f32 ? floats.resize(size) : ints.resize(size);
  forget();
}

Tensor Array::tensor() {
  void* data = dtype == DType::f32 ? static_cast<void*>(floats.data()) : ints.data();
  return {shape, dtype, data};
}

void Array::forget() {
  std::ranges::fill(floats, std::bit_cast<float>(own_nan));
  std::ranges::fill(ints, least);
}

bool unwritten(float number) {
  return std::bit_cast<uint32_t>(number) == own_nan;
}

bool unwritten(int32_t number) {
  return number == least;
}

void fill(Array& array, uint64_t seed, double centre) {
  Random random(seed, 0, 0);
  random.uniform(array.floats);
  for (float& f : array.floats) {
    f = 2 * f - 1;
    f = static_cast<float>(centre) + (f < 0 ? f - 0.05F : f + 0.05F) / 1.05F;
  }
}

NodeCase example(const NodeKind& kind, uint64_t seed) {
  const std::unique_ptr<Node> node = kind.make();
  NodeCase result;
  const auto add = [&](const std::string& name, const Yaml& spec) {
    result.inputs.emplace_back(name, input_of(spec, seed * 100 + result.inputs.size()));
  };
  const Yaml map = Yaml::parse(kind.example, std::string("the example of ") + kind.name);
  for (const auto& [key, place, value] : map.entries()) {
    const auto is = [&key = key](const auto* port) { return port->name == key; };
    if (std::ranges::any_of(node->host().ins, is))
      add(key, value);
    else if (std::ranges::any_of(node->host().lists, is))
      for (const Yaml& item : value.items()) add(key, item);
    else if (key == "fitted" && !node->host().param(key))
      for (const auto& [name, at, bytes] : value.entries()) result.fitted[name] = bytes.text();
    else
      result.params.put(key, value);
  }
  return result;
}

std::unique_ptr<Node> wired_node(const NodeKind& kind, const NodeCase& values,
                                 const Setting& setting, const Stage& stage) {
  if (stage) stage("when it is made");
  std::unique_ptr<Node> node = kind.make();
  set_params(*node, values.params);
  wire(*node, values, setting.mode == Mode::train);
  node->host().setting = setting;
  auto known = std::make_shared<FittedMap>();
  for (const auto& [name, bytes] : values.fitted)
    (*known)[name] = {std::make_shared<const std::string>(bytes), {}};
  if (!known->empty()) node->host().setting.fitted = std::move(known);
  return node;
}

std::unique_ptr<Node> make_node(const NodeKind& kind, const NodeCase& values,
                                const Setting& setting, const Stage& stage) {
  std::unique_ptr<Node> node = wired_node(kind, values, setting, stage);
  if (stage) stage("in infer()");
  node->infer();
  check_inferred(*node);
  return node;
}

}  // namespace weft::trial
