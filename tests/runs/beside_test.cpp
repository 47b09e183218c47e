// Sources that stand beside `data`: their samples are its samples, in every epoch and lane.
#include <cstdio>
#include <sstream>

#include "tests/support/tiny_runs.h"

namespace weft::tests {
namespace {

class BesideRuns : public TinyRuns {
 protected:
  BesideRuns() {
    std::string a = "n\n", b = "word,m\n";
    for (int i = 0; i < 11; ++i) {
      a += std::to_string(i) + "\n";
      b += "w" + std::to_string(i) + "," + std::to_string(2 * i) + "\n";
    }
    write_text(folder_ / "a.csv", a);
    write_text(folder_ / "b.csv", b);
    write("pair", R"(
weft: 1
name: pair
modules:
  half:
    inputs: [x]
    nodes: {y: {node: linear, x: x, features: 1, bias: false}}
    outputs: {y: y}
train:
  data: {node: table, file: a.csv, numbers: n, batch: 4, shuffle: true}
  nodes:
    second: {node: table, file: b.csv, numbers: m, beside: data}
    half:   {use: half, x: second.numbers}
    half_n: {node: scale, x: second.numbers, by: 0.5}
    apart:  {node: mse, x: half_n, target: data.numbers}
    loss:   {node: mse, x: half, target: data.numbers}
  report: [apart]
  lanes: 2
  phases: [{minimize: loss, update: half, optimizer: {node: sgd, lr: 1e-4}}]
  epochs: 5
evaluate:
  report: [apart]
generate:
  data: {node: table, file: a.csv, numbers: n, batch: 4, shuffle: true}
  nodes:
    second: {node: table, file: b.csv, numbers: m, beside: data}
    file:   {node: csv_file, xs: [data.numbers, second.numbers], names: [n, m], path: out.csv}
)");
  }
};

TEST_F(BesideRuns, AreInItsOrder) {
  const Ended trained = weft({"train", "pair.yaml", "-o", "run", "--log-every", "1"});
  ASSERT_EQ(trained.exit, 0) << trained.err;
  const auto lines = metrics("run");
  ASSERT_GE(lines.size(), 15U);
  for (const auto& line : lines) EXPECT_EQ(line.value("apart", 0.0), 0) << line;
  EXPECT_EQ(lines.back()["evaluate"]["apart"], 0);
  ASSERT_EQ(weft({"generate", "run", "-o", "out"}).exit, 0);
  std::istringstream rows(text("out/out.csv"));
  std::string line;
  std::getline(rows, line);
  int count = 0, in_order = 0;
  for (int n = 0, m = 0; std::getline(rows, line); ++count) {
    ASSERT_EQ(std::sscanf(line.c_str(), "%d,%d", &n, &m), 2) << line;
    EXPECT_EQ(m, 2 * n);
    in_order += n == count;
  }
  EXPECT_EQ(count, 4);
  EXPECT_LT(in_order, 4);  // it is shuffled
}

}  // namespace
}  // namespace weft::tests
