// Every value of a pipeline, replaced by values of every other kind: what is no mistake still means
// what it says, and where a map must stand nothing else passes.
#include <gmock/gmock.h>

#include "framework/language/pipeline.h"
#include "framework/plan/plan.h"
#include "tests/support/lone_node.h"

namespace weft::tests {
namespace {

const char* const whole = R"(weft: 1
name: whole
about: All keys of the language.
seed: 3
precision: f32
vars: {width: 3}
fragments:
  twice:
    about: Two layers.
    params: {features: {default: 4, about: Of both.}}
    inputs: [x]
    nodes: {a: {node: linear, x: x, features: $features}, b: {node: relu, x: a}}
    outputs: {y: b}
modules:
  net:
    about: A net.
    inputs: [x]
    optional: [more]
    frozen: false
    nodes: {t: {node: twice, x: x}, s: {node: add_n, xs: [t, more]}, y: {node: linear, x: s, features: $width}}
    outputs: {y: y}
train:
  data: {node: idx, images: images, batch: 4}
  nodes:
    y: {use: net, x: data.image}
    n: {node: normal, shape: [4, 3]}
    loss: {node: mse, x: y, target: n}
  lanes: 1
  phases:
    - name: one
      minimize: loss
      update: [net]
      optimizer: {node: adam, lr: {schedule: linear, from: 1e-3, to: 0, warmup: 1, over: 9}}
      groups: [{match: "*.bias", lr: 1e-4}]
      clip: 1
      accumulate: 1
      every: 1
  report: [loss]
  epochs: 2
  save: {every_steps: 5, keep: 2, best: loss, better: lowest, patience: 2}
evaluate:
  data: {batch: 8}
  report: [loss]
generate:
  nodes:
    z: {node: normal, shape: [4, 2]}
    y: {use: net, x: z}
    save: {node: npy_file, x: y, path: y.npy}
  lanes: 1
)";

// The reader alone: no data are opened.
bool refused(const Yaml& tree) {
  try {
    Mistakes mistakes;
    Pipeline pipeline = Pipeline::parse(tree.str(), "whole.yaml", {}, mistakes);
    for (const auto& [name, fragment] : std::map(pipeline.fragments))
      Pipeline::instantiate(fragment, Vars{{"features", Yaml::scalar("4", {})}}, mistakes);
    return !mistakes.empty();
  } catch (const Error&) {
    return true;
  }
}

// Params of nodes are what the plan looks at; a fragment's param may be its default alone.
bool is_read_later(const std::string& path) {
  return path.find(".nodes.") != std::string::npos || path.find("vars.") != std::string::npos ||
         path.find("optimizer") != std::string::npos || path.find("groups.") != std::string::npos ||
         path.find(".data.") != std::string::npos || path.find("params.") != std::string::npos;
}

void each(Yaml& root, Yaml& value, const std::string& path,
          const std::function<void(const std::string&, Yaml&)>& f) {
  if (!path.empty()) f(path, value);
  for (auto& entry : value.entries())
    each(root, entry.value, path.empty() ? entry.key : path + "." + entry.key, f);
  for (size_t i = 0; i < value.items().size(); ++i)
    each(root, value.items()[i], path + "." + std::to_string(i), f);
}

TEST(Kinds, TheWholeOneIsSound) {
  EXPECT_FALSE(refused(Yaml::parse(whole, "whole.yaml")));
}

TEST(Kinds, NothingStandsWhereAMapMust) {
  Yaml tree = Yaml::parse(whole, "whole.yaml");
  const std::vector<Yaml> wrong{Yaml::scalar("test", {}),
                                Yaml::scalar("-1", {}),
                                Yaml::scalar("true", {}),
                                Yaml::scalar("", {}, true),
                                Yaml::list({Yaml::scalar("zz", {})}, {}),
                                Yaml::list({}, {}),
                                Yaml::null({})};
  int tried = 0;
  each(tree, tree, "", [&](const std::string& path, Yaml& value) {
    if (!value.is_map() || is_read_later(path)) return;
    const Yaml before = value;
    for (const Yaml& other : wrong) {
      value = other;
      EXPECT_TRUE(refused(tree)) << path << ": " << other.str();
      ++tried;
    }
    value = before;
  });
  EXPECT_GT(tried, 80);
}

TEST(Kinds, NothingIsLeftBlank) {
  Yaml tree = Yaml::parse(whole, "whole.yaml");
  each(tree, tree, "", [&](const std::string& path, Yaml& value) {
    if (is_read_later(path)) return;
    const Yaml before = value;
    value = Yaml::null({});
    EXPECT_TRUE(refused(tree)) << path;
    value = before;
  });
}

// Nothing crashes, whatever stands where.
TEST(Kinds, EveryValueMayBeOfEveryKind) {
  Yaml tree = Yaml::parse(whole, "whole.yaml");
  const std::vector<Yaml> others{Yaml::scalar("zz", {}),
                                 Yaml::scalar("-1", {}),
                                 Yaml::scalar("1e300", {}),
                                 Yaml::list({Yaml::list({}, {})}, {}),
                                 Yaml::map({}, {}),
                                 Yaml::map({{"a", {}, Yaml::map({}, {})}}, {}),
                                 Yaml::null({})};
  each(tree, tree, "", [&](const std::string&, Yaml& value) {
    const Yaml before = value;
    for (const Yaml& other : others) value = other, refused(tree);
    value = before;
  });
}

}  // namespace
}  // namespace weft::tests
