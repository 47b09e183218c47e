#include <algorithm>

#include "framework/node/plugin.h"
#include "framework/node/sink.h"
#include "nodes/text/pieces.h"

namespace weft {
namespace {

class TextFile final : public Sink {
  In x{this,
       "x",
       "Tokens, [batch, t]; what is below 0 is left out.",
       {.dtype = DType::i32, .grad = false}};
  In blanks{
      this,
      "blanks",
      "Tokens shaped as `x`, if `x` fills their `[MASK]`: elsewhere they are what is written.",
      {.dtype = DType::i32, .grad = false, .optional = true}};
  Param<std::string> vocabulary{this, "vocabulary", "The name of the vocabulary.", required};
  Param<std::string> path{this, "path",
                          "The file, a line for each row; later batches put their number before "
                          "`.`.",
                          required};
  std::shared_ptr<const Pieces> pieces_;

  void infer() override {
    check_output(*path, ".txt");
    if (x.shape().rank() != 2)
      throw Error("`x` is " + x.shape().str() + ", but must be tokens, [batch, t]");
    if (blanks.wired() && blanks.shape() != x.shape())
      throw Error("`x` is " + x.shape().str() + ", but `blanks` is " + blanks.shape().str());
    const auto known = fitted("pieces of `" + *vocabulary + "`");
    pieces_ =
        Pieces::of(known ? known : std::make_shared<const std::string>(Pieces::kept(*vocabulary)));
  }

  std::string line(int64_t row) const {
    const int64_t t = x.shape()[1];
    std::vector<int32_t> tokens(x.ints() + row * t, x.ints() + (row + 1) * t);
    for (size_t i = 0; blanks.wired() && i < tokens.size(); ++i)
      if (const int32_t given = blanks.ints()[row * t + static_cast<int64_t>(i)];
          given != Pieces::mask)
        tokens[i] = given;
    return pieces_->text(tokens);
  }

  void forward(const Step& step) override {
    std::string text;
    for (int64_t row = 0; row < std::min(step.rows, x.rows()); ++row) text += line(row) + '\n';
    write(*path, step, text);
  }
};

WEFT_NODE(TextFile, "text_file", "Writes tokens as text, a line for each row.",
          "{x: {shape: [3, 5], below: 9}, vocabulary: readme, path: rows.txt}")

}  // namespace
}  // namespace weft
