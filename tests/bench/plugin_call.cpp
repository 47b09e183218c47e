// What it costs that a node lives in a plugin: microseconds of `snake` forward and backward there,
// and of the same class as a part of this program, in turns; a line for each size, for plugin.py.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <vector>

#include "framework/node/host.h"
#include "framework/plugin/loader.h"
#include "plugins/template/nodes/snake.cpp"

constinit const weft::NodeKind* weft::plugin_kinds = nullptr;

namespace {
using namespace weft;

struct Bound {
  explicit Bound(std::unique_ptr<Node> made, int64_t size)
      : node(std::move(made)), x(size, 0.5F), y(size), grad(size, 1.0F) {
    In& in = *node->host().ins[0];
    Out& out = *node->host().outs[0];
    const Shape shape{size};
    Host::wire(in, shape, DType::f32, true);
    node->infer();
    Host::bind(in, {shape, DType::f32, x.data()}, {shape, DType::f32, grad.data()});
    Host::bind(out, {shape, DType::f32, y.data()}, {shape, DType::f32, grad.data()});
  }
  std::unique_ptr<Node> node;
  std::vector<float> x, y, grad;
};

// Of forward and backward.
double microseconds(int64_t times, Node& node) {
  const auto start = std::chrono::steady_clock::now();
  for (int64_t i = 0; i < times; ++i) {
    node.forward({});
    node.backward({});
  }
  const std::chrono::duration<double, std::micro> taken = std::chrono::steady_clock::now() - start;
  return taken.count() / static_cast<double>(times);
}

double median(std::vector<double> all) {
  std::ranges::sort(all);
  return all[all.size() / 2];
}
}  // namespace

int main(int, char** words) {
  const Registry registry = load_plugins({.others = {{words[1]}}});
  for (const int64_t size : {1, 64, 4096, 262144}) {
    const Bound plugin(registry.make("snake"), size), own(std::make_unique<Snake>(), size);
    const int64_t times = std::max<int64_t>(4, 400'000 / size);
    std::vector<double> in_plugin, in_program;
    for (int turn = 0; turn < 31; ++turn) {
      in_plugin.push_back(microseconds(times, *plugin.node));
      in_program.push_back(microseconds(times, *own.node));
    }
    std::printf("%ld %.4f %.4f\n", static_cast<long>(size), median(in_plugin), median(in_program));
  }
}
