// The means of the values that a training reports, over the steps since its last line of metrics.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace weft {

class Means {
 public:
  explicit Means(std::vector<std::string> names);

  void add(size_t i, const std::vector<double>& values);  // one number, or equally many each time
  // Returns the mean of each reported value by name, a number or a list, and starts anew.
  nlohmann::json take();

  // For a checkpoint. Since reports may have changed, load() takes only what has the same name in
  // the same place. It throws Error(checkpoint) if `state` is not what state() gave.
  nlohmann::json state() const;
  void load(const nlohmann::json& state);

 private:
  struct Sum {
    std::string name;
    std::vector<double> values;
    int64_t count = 0;
  };
  std::vector<Sum> sums_;
};

}  // namespace weft
