#include <algorithm>

#include "framework/node/node.h"
#include "framework/node/plugin.h"

namespace weft {
namespace {

class Embedding final : public Node {
  In x{this,
       "x",
       "Ids, [batch, ...]; -1 is nothing, a row of zeros.",
       {.dtype = DType::i32, .grad = false}};
  Out y{this, "y", "[batch, ..., features]"};
  Param<int64_t> vocabulary{this, "vocabulary", "How many rows there are to look up.", required,
                            within(1, 1 << 24)};
  Param<int64_t> features{this, "features", "Numbers of a row.", required, within(1, 1 << 16)};
  Param<double> deviation{this, "deviation", "Of the weights at the start.", 1, at_least(0)};
  Weight weight{this, "weight", "[vocabulary, features]"};

  void infer() override {
    if (x.shape().rank() == 0) throw Error("`x` is [], but must be [batch, ...]");
    y.shape(x.shape().inserted(x.shape().rank(), *features));
    y.forward_only();
    weight.shape({*vocabulary, *features}, Init::normal(*deviation));
  }

  void forward(const Step&) override {
    for (int64_t i = 0; i < x.size(); ++i) {
      const int32_t id = x.ints()[i];
      if (id >= *vocabulary || id < -1)
        throw Error(Exit::data, "`x` holds " + std::to_string(id) + ", but `vocabulary` is " +
                                    std::to_string(*vocabulary));
      float* to = y.data() + i * *features;
      if (id < 0)
        std::fill_n(to, *features, 0.0F);
      else
        std::copy_n(weight.data() + id * *features, *features, to);
    }
  }

  void learn(const Step& step) override {
    const Range block = weight.block();
    std::fill_n(weight.grad(), block.size() * *features, 0.0F);
    const int64_t n = std::min(step.rows, x.rows()) * x.row_size();
    for (int64_t i = 0; i < n; ++i) {
      const int64_t id = x.ints()[i];
      if (id < block.begin || id >= block.end) continue;
      float* to = weight.grad() + (id - block.begin) * *features;
      for (int64_t k = 0; k < *features; ++k) to[k] += y.grad()[i * *features + k];
    }
  }
};

WEFT_NODE(Embedding, "embedding", "A learned row for each id of a vocabulary.",
          "{x: {shape: [4, 3], below: 7}, vocabulary: 7, features: 5}")

}  // namespace
}  // namespace weft
