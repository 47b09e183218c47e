// Means of what a training reports, over the steps since its last line of metrics.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace weft {

class Means {
 public:
  explicit Means(std::vector<std::string> names);

  void add(size_t i, const std::vector<double>& values);  // one number, or as many each time
  // The mean of each that was added, by name: a number, or a list. Then starts anew.
  nlohmann::json take();

  // For a checkpoint. load() takes what has the same name in the same place, since reports may have
  // changed; it throws Error(checkpoint) for what is no state.
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
