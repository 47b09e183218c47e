#include <algorithm>
#include <cmath>
#include <numeric>
#include <span>
#include <tuple>

#include "framework/node/node.h"
#include "framework/node/plugin.h"

namespace weft {
namespace {

// Masked language modelling: Devlin et al. 2019, arXiv:1810.04805, section 3.1 and appendix A.1.
// Every row that is full of tokens has the same number of blanks, so that a mean over rows is a
// mean over blanks.
class MaskTokens final : public Node {
  In x{this,
       "x",
       "Tokens, [batch, t]; below 0 is nothing, and no blank.",
       {.dtype = DType::i32, .grad = false}};
  Out y{this, "y", "With blanks: 80 % of them `mask`, 10 % any token, 10 % as they were.",
        DType::i32};
  Out places{this, "places",
             "Where the blanks are, [batch, blanks], in order; -1 if there are fewer. As many "
             "blanks as the highest rate makes.",
             DType::i32};
  Out label{this, "label", "What stood there, [batch, blanks], or -1.", DType::i32};
  Param<double> rate{this, "rate", "The share of tokens that become blanks.", 0.15,
                     scheduled(within(0, 1))};
  Param<int64_t> vocabulary{this, "vocabulary", "How many tokens there are.", required,
                            within(5, 1 << 24)};
  Param<int64_t> mask{this, "mask", "The token that says: fill me in.", 3, at_least(0)};
  Param<int64_t> first{this, "first", "The first token that is drawn for the second 10 %.", 4,
                       at_least(0)};

  std::vector<float> draws_;
  std::vector<int32_t> order_;

  int64_t t() const { return x.shape()[1]; }
  int64_t blanks(double share) const {
    return std::max<int64_t>(1, std::llround(share * static_cast<double>(t())));
  }

  void infer() override {
    if (x.shape().rank() != 2 || t() == 0)
      throw Error("`x` is " + x.shape().str() + ", but must be tokens, [batch, t]");
    if (*mask >= *vocabulary || *first >= *vocabulary)
      throw Error("`mask` and `first` must be below `vocabulary`, " + std::to_string(*vocabulary));
    y.shape(x.shape());
    places.shape({x.rows(), blanks(rate.most())});
    label.shape(places.shape());
  }

  void prepare(Pass) override {
    draws_.resize(static_cast<size_t>(t() + 2 * blanks(rate.most())));
    order_.resize(static_cast<size_t>(t()));
  }

  // Chooses the tokens with the smallest draws as blanks: they come first in `order_`, in the order
  // of their positions.
  void choose(const int32_t* tokens, int64_t blanks) {
    const auto at = [](int32_t place) { return static_cast<size_t>(place); };
    std::iota(order_.begin(), order_.end(), 0);
    std::sort(order_.begin(), order_.end(), [&](int32_t a, int32_t b) {
      return std::tuple(tokens[a] < 0, draws_[at(a)], a) <
             std::tuple(tokens[b] < 0, draws_[at(b)], b);
    });
    std::sort(order_.begin(), order_.begin() + blanks, [&](int32_t a, int32_t b) {
      return std::tuple(tokens[a] < 0, a) < std::tuple(tokens[b] < 0, b);
    });
  }

  void forward(const Step& step) override {
    std::copy_n(x.ints(), x.size(), y.ints());
    std::fill_n(places.ints(), places.size(), -1);
    std::fill_n(label.ints(), label.size(), -1);
    const int64_t now = blanks(*rate);
    for (int64_t row = 0; row < x.rows(); ++row) {
      random(step, row).uniform(std::span(draws_).first(static_cast<size_t>(t() + 2 * now)));
      const float *fate = draws_.data() + t(), *other = fate + now;
      int32_t *tokens = y.ints() + row * t(), *where = places.ints() + row * places.row_size(),
              *what = label.ints() + row * label.row_size();
      choose(tokens, now);
      for (int64_t i = 0; i < now; ++i) {
        const int32_t place = order_[static_cast<size_t>(i)];
        if (tokens[place] < 0) continue;
        where[i] = place;
        what[i] = tokens[place];
        if (fate[i] < 0.8F)
          tokens[place] = static_cast<int32_t>(*mask);
        else if (fate[i] < 0.9F)
          tokens[place] = static_cast<int32_t>(
              *first + static_cast<int64_t>(other[i] * static_cast<float>(*vocabulary - *first)));
      }
    }
  }
};

WEFT_NODE(MaskTokens, "mask_tokens",
          "Blanks in a text, to be filled in (BERT's, Devlin et al. 2019).",
          "{x: {shape: [4, 20], below: 9}, vocabulary: 9, rate: 0.3}")

}  // namespace
}  // namespace weft
