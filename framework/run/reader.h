// The node that a lane runs in place of a source, which all lanes share. It loads the samples of
// the lane's rows.
#pragma once

#include <memory>
#include <vector>

#include "framework/node/source.h"
#include "framework/plan/sample_order.h"

namespace weft {

class Reader final : public Node {
 public:
  // `endless`: a source among the nodes rather than the section's data.
  Reader(const Source& source, bool endless);

  void infer() override {}
  void forward(const Step& step) override;

 private:
  const Source& source_;
  const SampleOrder order_;
  const bool endless_;
  std::vector<std::unique_ptr<Out>> outs_;  // copies of the source's
  std::vector<Tensor> rows_;                // by output: the lane's rows of it
};

}  // namespace weft
