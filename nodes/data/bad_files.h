// The param that says what a source does about files that cannot be read.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "framework/node/node.h"
#include "framework/node/parallel.h"

namespace weft {

enum class BadFiles { refuse, skip };
inline std::vector<std::string> names(BadFiles) {
  return {"refuse", "skip"};
}

struct BadFilesParams {
  Param<BadFiles> bad_files;
  Param<double> bad_share;

  explicit BadFilesParams(Node* owner)
      : bad_files(owner, "bad_files",
                  "A file that cannot be read ends the run (refuse); or all files are read once at "
                  "the start, and samples of bad ones are left out and named (skip).",
                  BadFiles::refuse, chooses_samples()),
        bad_share(owner, "bad_share",
                  "The share of samples that may be left out so; with more the data is refused.",
                  0.01, chooses_samples(within(0, 1))) {}

  // Leaves out the samples for which complaint(sample) is not "", which several threads ask of
  // different samples at once. Returns the note about them. If bad files are refused,
  // glance(sample) throws for what is plain before the first step.
  template <class Complaint, class Glance>
  std::vector<std::string> leave_out(std::vector<size_t>& samples, Complaint complaint,
                                     Glance glance) const {
    constexpr int named = 3;
    if (*bad_files == BadFiles::refuse) {
      std::for_each(samples.begin(), samples.end(), glance);
      return {};
    }
    int64_t bad = 0;
    std::string first;
    const auto all = std::ssize(samples);
    std::vector<std::string> complaints(samples.size());
    in_blocks(all, 1, [&](int64_t begin, int64_t) {
      const auto i = static_cast<size_t>(begin);
      complaints[i] = complaint(samples[i]);
    });
    auto next = complaints.begin();
    std::erase_if(samples, [&](size_t) {
      const std::string why = *next++;
      if (why.empty()) return false;
      if (bad++ < named) first += (first.empty() ? "" : "; ") + why;
      return true;
    });
    if (bad == 0) return {};
    const std::string what =
        std::to_string(bad) + " of " + std::to_string(all) + " samples have bad files";
    if (bad > named) first += "; …";
    if (static_cast<double>(bad) > *bad_share * static_cast<double>(all))
      throw Error(Exit::data, what + ", more than the share of `bad_share`: " + first);
    return {what + " and are left out: " + first};
  }
};

}  // namespace weft
