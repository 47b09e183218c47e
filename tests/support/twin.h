// A pipeline beside its PyTorch twin, step by step.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/support/temporary_directory.h"

namespace weft::tests {

class Twin : public testing::Test {
 protected:
  // The first steps of pipelines/NAME.yaml and tests/twins/NAME.py have the same losses, in the
  // order of the phases, within `tolerance` of each. Skipped without PyTorch or the data.
  // `ours` and `theirs` are further arguments.
  void agree(const std::string& name, const std::vector<std::string>& losses, int steps,
             double tolerance, const std::vector<std::string>& ours = {},
             const std::vector<std::string>& theirs = {});
  // pipelines/NAME.yaml and tests/twins/SCRIPT report the same number.
  void agree_on(const std::string& number, const std::string& name, const std::string& script,
                double tolerance, const std::vector<std::string>& ours,
                const std::vector<std::string>& theirs);
  // A few steps of another pipeline, as folder_/NAME: for those that take a module of it.
  void train(const std::string& name, int steps);

  TemporaryDirectory folder_;
};

}  // namespace weft::tests
