#include "tests/support/node_case.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <limits>

namespace weft::tests {

using nlohmann::json;

namespace {

constexpr float nan = std::numeric_limits<float>::quiet_NaN();

json to_json(const YAML::Node& yaml) {
  if (yaml.IsMap()) {
    json map = json::object();
    for (const auto& entry : yaml) map[entry.first.as<std::string>()] = to_json(entry.second);
    return map;
  }
  if (yaml.IsSequence()) {
    json list = json::array();
    for (const auto& item : yaml) list.push_back(to_json(item));
    return list;
  }
  const json scalar = json::parse(yaml.Scalar(), nullptr, false);
  return scalar.is_discarded() || yaml.Tag() == "!" ? json(yaml.Scalar()) : scalar;
}

ParamValue param_value(const ParamBase& param, const json& given) {
  const bool list = param.kind >= ParamKind::integers;
  const json value = list && !given.is_array() ? json::array({given}) : given;
  try {
    switch (param.kind) {
      case ParamKind::boolean: return value.get<bool>();
      case ParamKind::integer: return value.get<int64_t>();
      case ParamKind::number: return value.get<double>();
      case ParamKind::text: return value.get<std::string>();
      case ParamKind::integers: return value.get<std::vector<int64_t>>();
      case ParamKind::numbers: return value.get<std::vector<double>>();
      case ParamKind::texts: return value.get<std::vector<std::string>>();
    }
  } catch (const json::exception&) {
  }
  throw Error("`" + std::string(param.name) + "` cannot be " + value.dump());
}

void set_params(Node& node, const json& params) {
  std::vector<std::string> names;
  for (const ParamBase* param : node.host().params) names.emplace_back(param->name);
  for (const auto& [name, value] : params.items()) {
    const auto at = std::find(names.begin(), names.end(), name);
    if (at == names.end())
      throw Error("there is no param `" + name + "`" + did_you_mean(name, names));
    ParamBase& param = *node.host().params[at - names.begin()];
    Host::set(param, param_value(param, value));
  }
  for (const ParamBase* param : node.host().params)
    if (param->required && !params.contains(param->name))
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
    if (array.dtype != (*at)->traits.dtype) throw Error("`" + name + "` has the wrong type");
    Host::wire(**at, array.shape, grads);
  }
  for (const In* in : node.host().ins)
    if (!in->wired() && !in->traits.optional)
      throw Error("`" + std::string(in->name) + "` must be wired");
  for (const Ins* list : node.host().lists)
    if (list->size() == 0) throw Error("`" + std::string(list->name) + "` must be wired");
}

}  // namespace

Array::Array(const Shape& shape, DType dtype) : shape(shape), dtype(dtype) {
  if (dtype == DType::f32)
    floats.assign(shape.elements(), nan);
  else
    ints.assign(shape.elements(), 0);
}

Array::Array(const json& json) : shape(Shape(json.at("shape").get<std::vector<int64_t>>())) {
  if (json.contains("i32"))
    dtype = DType::i32, ints = json.at("i32").get<std::vector<int32_t>>();
  else
    floats = json.at("f32").get<std::vector<float>>();
  if (static_cast<int64_t>(floats.size() + ints.size()) != shape.elements())
    throw Error("an array of the reference does not fill its shape " + shape.str());
}

Tensor Array::tensor() {
  void* data = dtype == DType::f32 ? static_cast<void*>(floats.data()) : ints.data();
  return {shape, dtype, data};
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
  const auto add = [&](const std::string& name, const json& spec) {
    const bool ints = spec.is_object();
    Array array(Shape((ints ? spec.at("shape") : spec).get<std::vector<int64_t>>()),
                ints ? DType::i32 : DType::f32);
    const uint64_t own = seed * 100 + result.inputs.size();
    fill(array, own);
    Random random(own, 0, 1);
    for (int32_t& i : array.ints)
      i = static_cast<int32_t>(random.below(spec.at("below").get<uint64_t>()));
    result.inputs.emplace_back(name, std::move(array));
  };
  const json map = to_json(YAML::Load(kind.example));
  for (const auto& [key, value] : map.items()) {
    const auto is = [&key = key](const auto* port) { return port->name == key; };
    if (std::any_of(node->host().ins.begin(), node->host().ins.end(), is))
      add(key, value);
    else if (std::any_of(node->host().lists.begin(), node->host().lists.end(), is))
      for (const json& item : value) add(key, item);
    else
      result.params[key] = value;
  }
  return result;
}

std::unique_ptr<Node> make_node(const NodeKind& kind, const NodeCase& values,
                                const Setting& setting) {
  std::unique_ptr<Node> node = kind.make();
  set_params(*node, values.params);
  wire(*node, values, setting.mode == Mode::train);
  node->host().setting = setting;
  node->infer();
  for (const Out* out : node->host().outs)
    if (!Host::shaped(*out)) throw Error(Exit::internal, "infer() left an output without a shape");
  return node;
}

}  // namespace weft::tests
