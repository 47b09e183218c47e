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
  // `order` is that of a source with as many samples. `endless`: it is neither the section's data
  // nor stands beside that.
  Reader(const Source& source, const SampleOrder& order, bool endless);

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
