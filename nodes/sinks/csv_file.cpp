#include <algorithm>
#include <cstdio>

#include "framework/node/plugin.h"
#include "framework/node/sink.h"

namespace weft {
namespace {

class CsvFile final : public Sink {
  Ins xs{
      this, "xs", "Numbers, [batch, ...]: a column, or one for each of a row's.", {.grad = false}};
  Param<std::string> path{this, "path", "The file; later batches put their number before `.`.",
                          required};
  Param<std::vector<std::string>> names{
      this, "names", "Of `xs`, for the first line; several columns of one are numbered.", required};

  void infer() override {
    check_output(*path, ".csv");
    if (names->size() != xs.size())
      throw Error("`names` has " + std::to_string(names->size()) + " names for " +
                  std::to_string(xs.size()) + " of `xs`");
    for (const std::string& name : *names)
      if (name.find_first_of(",\"\r\n") != std::string::npos)
        throw Error("`names` has " + name + ", but a name has no comma, quote or line end");
    for (const auto& x : xs)
      if (x->shape().rank() < 1 || x->rows() != xs[0].rows())
        throw Error("`xs` has " + xs[0].shape().str() + " and " + x->shape().str() +
                    ", but must be [batch, ...] each");
  }

  std::string header() const {
    std::string line;
    for (size_t i = 0; i < xs.size(); ++i)
      for (int64_t j = 0; j < xs[i].row_size(); ++j) {
        line += (line.empty() ? "" : ",") + (*names)[i];
        if (xs[i].row_size() > 1) line += "_" + std::to_string(j);
      }
    return line;
  }

  static std::string text(float x) {  // so that it reads back as the same number
    char digits[32];
    std::snprintf(digits, sizeof digits, "%.9g", static_cast<double>(x));
    return digits;
  }

  std::string line(int64_t row) const {
    std::string line;
    for (const auto& x : xs)
      for (int64_t j = 0; j < x->row_size(); ++j)
        line += (line.empty() ? "" : ",") + text(x->data()[row * x->row_size() + j]);
    return line;
  }

  void forward(const Step& step) override {
    std::string table = header() + '\n';
    for (int64_t row = 0; row < std::min(step.rows, xs[0].rows()); ++row) table += line(row) + '\n';
    write(*path, step, table);
  }
};

WEFT_NODE(CsvFile, "csv_file", "Writes numbers as a table, a line for each row.",
          "{xs: [[3], [3, 2]], names: [error, place], path: rows.csv}")

}  // namespace
}  // namespace weft
