// One node outside a plan: its ports are bound to memory of the test's own.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "framework/node/host.h"
#include "framework/plugin/registry.h"

namespace weft::tests {

// The nodes of weft's own plugins.
const Registry& standard_nodes();

class LoneNode {
 public:
  using Params = std::map<std::string, ParamValue>;
  explicit LoneNode(const std::string& kind, const Params& params = {},
                    const std::filesystem::path& output_dir = {});

  LoneNode& feed(const std::string& port, const Shape& shape, std::vector<float> values);
  LoneNode& feed(const std::string& port, const Shape& shape, std::vector<int32_t> values);
  void infer();  // and binds the outputs
  void forward(int64_t step, int64_t rows);

  // What such a node says of itself as it reads its first row; "" if nothing is wrong.
  static std::string complaint(const std::string& kind, const Params& params);

  Node& node() { return *node_; }
  const Out& out(const std::string& port) const;
  std::vector<float> floats(const std::string& port) const;
  std::vector<int32_t> ints(const std::string& port) const;

 private:
  using Numbers = std::variant<std::vector<float>, std::vector<int32_t>>;
  In& in(const std::string& port);

  std::unique_ptr<Node> node_;
  std::map<std::string, Numbers> memory_;
};

}  // namespace weft::tests
