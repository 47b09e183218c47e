// A pipeline with a node that fails.
#pragma once

#include <string>

namespace weft::tests {

struct Position {
  std::string key, path;
};
inline const Position first{"first", "first"}, middle{"middle", "out.middle"}, last{"last", "loss"};
inline constexpr int failing_step = 3;  // of the node

// A chain of nodes; the one at the position has the fault, the others of its kind have none.
inline std::string chain(const Position& position, const std::string& fault, bool whole = false,
                         const std::string& activation = "tanh") {
  const auto faulty = [&](const Position& here, const std::string& x, bool weight) {
    return "{node: faulty, x: " + x + ", weight: " + (weight ? "true" : "false") +
           (here.key == position.key ? ", " + fault : "") +
           ", whole: " + (whole && here.key == position.key ? "true" : "false") + "}\n";
  };
  return "weft: 1\nname: chain\nplugins: [" FAULTY
         "]\n"
         "modules:\n"
         "  net:\n"
         "    inputs: [x]\n"
         "    nodes:\n"
         "      before: {node: linear, x: x, features: 40, activation: " +
         activation +
         "}\n"
         "      middle: " +
         faulty(middle, "before", true) +
         "      after: {node: linear, x: middle, features: 8}\n"
         "    outputs: {y: after}\n"
         "train:\n"
         "  lanes: 4\n"
         "  nodes:\n"
         "    noise: {node: normal, shape: [64, 8]}\n"
         "    first: " +
         faulty(first, "noise", false) +
         "    out: {use: net, x: first}\n"
         "    error: {node: mse, x: out, target: noise}\n"
         "    loss: " +
         faulty(last, "error", false) +
         "  phases: [{minimize: loss, update: net, optimizer: {node: adam}}]\n"
         "  steps: 8\n"
         "  save: {every_steps: 1}\n";
}

}  // namespace weft::tests
