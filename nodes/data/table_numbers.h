// The numbers of a table's rows, as an output.
#pragma once

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <sstream>
#include <string>
#include <vector>

#include "framework/node/source.h"
#include "nodes/data/table_rows.h"
#include "nodes/data/words.h"

namespace weft {

struct TableNumbers {
  Source* owner;
  Out numbers{owner, "numbers", "[batch, columns]: of each column; [batch, 0] without `numbers`."};
  Param<Columns> columns{owner, "numbers", "The columns that hold numbers.", Columns{}};
  Param<bool> standardise{
      owner, "standardise",
      "Less the mean of the column, divided by its standard deviation (or 1 if that is 0), both of "
      "the rows that are trained with.",
      false};
  Fit fit{owner, numbers};

  std::vector<std::vector<float>> values{};  // by row of the table: its numbers

  void open(const TableRows& rows, const std::vector<size_t>& chosen) {
    numbers.shape({*owner->batch, std::ssize(*columns)});
    if (columns->empty()) return;
    std::vector<size_t> at;
    for (const std::string& name : *columns) at.push_back(rows.column(name));
    values.resize(rows.size());
    for (size_t i = 0; i < rows.size(); ++i)
      for (const size_t column : at) values[i].push_back(number(rows, i, column));
    if (*standardise) apply(known(chosen));
  }

  void load(size_t from, const Row& row) const {
    if (!columns->empty()) std::copy(values[from].begin(), values[from].end(), row[numbers]);
  }

 private:
  struct Spread {
    double mean, deviation;
  };

  static float number(const TableRows& rows, size_t row, size_t column) {
    std::string text = rows.cell(row, column);
    text.erase(text.find_last_not_of(" \t") + 1);
    text.erase(0, text.find_first_not_of(" \t"));
    float value = 0;
    const char* const end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data() + text.starts_with('+'), end, value);
    if (error != std::errc() || stop != end || !std::isfinite(value))
      throw Error(Exit::data, rows.query.table.string() + ": " + rows.call(row) + " has `" + text +
                                  "` as its `" + rows.name(column) + "`, which is no number");
    return value;
  }

  // The spread of each column as text, `mean deviation` a line, so that it reads back the same.
  std::string learned(const std::vector<size_t>& chosen) const {
    std::string text;
    for (size_t j = 0; j < columns->size(); ++j) {
      double sum = 0, squares = 0;
      const auto n = static_cast<double>(std::max<size_t>(chosen.size(), 1));
      for (const size_t row : chosen) sum += values[row][j];
      for (const size_t row : chosen)
        squares += (values[row][j] - sum / n) * (values[row][j] - sum / n);
      char line[64];
      std::snprintf(line, sizeof line, "%.17g %.17g\n", sum / n, std::sqrt(squares / n));
      text += line;
    }
    return text;
  }

  std::vector<Spread> known(const std::vector<size_t>& chosen) {
    std::istringstream text(fit.known("means", quoted(*columns), [&] { return learned(chosen); }));
    std::vector<Spread> all(columns->size());
    for (Spread& its : all)
      if (!(text >> its.mean >> its.deviation) || !(its.deviation >= 0))
        throw Error(Exit::data, "the " + fit.name() + " that were learned are none");
    if (text >> std::ws; !text.eof())
      throw Error(Exit::data, "the " + fit.name() + " that were learned are of other columns");
    return all;
  }

  void apply(const std::vector<Spread>& spreads) {
    for (auto& row : values)
      for (size_t j = 0; j < row.size(); ++j) {
        const auto& [mean, deviation] = spreads[j];
        row[j] = static_cast<float>((row[j] - mean) / (deviation > 0 ? deviation : 1));
      }
  }
};

}  // namespace weft
