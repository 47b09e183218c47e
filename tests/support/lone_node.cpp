#include "tests/support/lone_node.h"

#include <algorithm>
#include <stdexcept>

#include "framework/plugin/loader.h"
#include "framework/run/reader.h"

namespace weft::tests {

namespace {
template <class Ports>
auto& named(const Ports& ports, const std::string& name) {
  for (auto* port : ports)
    if (port->name == name) return *port;
  throw std::logic_error("no port or param " + name);
}
}  // namespace

const Registry& standard_nodes() {
  static const Registry registry = load_plugins(plugin_search());
  return registry;
}

LoneNode::LoneNode(const std::string& kind, const Params& params,
                   const std::filesystem::path& output_dir)
    : node_(standard_nodes().make(kind)) {
  node_->host().setting = {.random_key = 1, .output_dir = output_dir};
  for (const auto& [name, value] : params) Host::set(named(node_->host().params, name), value);
}

In& LoneNode::in(const std::string& port) {
  return named(node_->host().ins, port);
}

LoneNode& LoneNode::feed(const std::string& port, const Shape& shape, std::vector<float> values) {
  auto& kept = memory_[port].emplace<std::vector<float>>(std::move(values));
  Host::wire(in(port), shape, DType::f32, false);
  Host::bind(in(port), {shape, DType::f32, kept.data()}, {});
  return *this;
}

LoneNode& LoneNode::feed(const std::string& port, const Shape& shape, std::vector<int32_t> values) {
  auto& kept = memory_[port].emplace<std::vector<int32_t>>(std::move(values));
  Host::wire(in(port), shape, DType::i32, false);
  Host::bind(in(port), {shape, DType::i32, kept.data()}, {});
  return *this;
}

// A source is read as the framework reads it.
void LoneNode::forward(int64_t step, int64_t rows) {
  const auto* source = dynamic_cast<const Source*>(node_.get());
  if (!source) return node_->forward({step, rows});
  Reader reader(*source, SampleOrder(*source), false);
  for (const Out* out : node_->host().outs)
    Host::bind(*reader.host().outs[out->index], Host::value(*out), {});
  reader.forward({step, rows});
}

void LoneNode::infer() {
  node_->infer();
  for (Out* out : node_->host().outs) {
    auto& kept = memory_[out->name].emplace<std::vector<float>>(out->size(), -99.0F);
    Host::bind(*out, {out->shape(), out->dtype(), kept.data()}, {});
  }
}

std::string LoneNode::complaint(const std::string& kind, const Params& params) {
  try {
    LoneNode node(kind, params);
    node.infer();
    node.forward(0, 1);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

const Out& LoneNode::out(const std::string& port) const {
  return named(node_->host().outs, port);
}

std::vector<float> LoneNode::floats(const std::string& port) const {
  const float* data = out(port).data();
  return {data, data + out(port).size()};
}

std::vector<int32_t> LoneNode::ints(const std::string& port) const {
  const int32_t* data = out(port).ints();
  return {data, data + out(port).size()};
}

}  // namespace weft::tests
