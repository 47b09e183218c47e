// The param that says of which classes the samples are.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "framework/node/node.h"

namespace weft {

struct ClassChoice {
  Param<std::vector<int64_t>> classes;

  explicit ClassChoice(Node* owner)
      : classes(owner, "classes",
                "Only the samples whose `label` is among these numbers, which stay what they are; "
                "without it, all.",
                std::vector<int64_t>{}, chooses_samples(at_least(0))) {}

  // Leaves out the samples of other classes. Of all samples, from 0 to `count`, chosen or not,
  // label(sample) is the class.
  template <class Sample, class Label>
  void keep(std::vector<Sample>& chosen, Sample count, Label label) const {
    if (classes->empty()) return;
    const std::set<int64_t> wanted(classes->begin(), classes->end());
    std::set<int64_t> missing = wanted;
    for (Sample i = 0; i < count && !missing.empty(); ++i) missing.erase(label(i));
    if (!missing.empty())
      throw Error("`classes` has " + std::to_string(*missing.begin()) +
                  ", but no sample is of that class");
    std::erase_if(chosen, [&](Sample sample) { return !wanted.contains(label(sample)); });
  }
};

}  // namespace weft
