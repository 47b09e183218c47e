// What pipelines mean, as data: every `.test` file of this folder holds cases, separated by `====`.
// A case is the text of pipeline.yaml, further files (`>>>> name` and their text), a line `----`
// with what to `--set`, and what must come of it: the whole error text, line by line, or `ok` and
// lines of the printed plans, of their params, weights and states, in their order. A line that ends
// in `…` stands for all that begin so; runs of spaces count as one.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>

#include "framework/plan/build_plan.h"
#include "framework/print/plan_text.h"
#include "tests/support/lone_node.h"
#include "tests/support/temporary_directory.h"
#include "tests/support/text_file.h"
#include "tests/support/tiny_idx.h"

namespace weft::tests {
namespace {

namespace fs = std::filesystem;
const fs::path folder = fs::path(SOURCE_DIR) / "tests/plans";

struct Case {
  std::string title;
  std::vector<std::pair<std::string, std::string>> files{{"pipeline.yaml", ""}};
  std::vector<std::string> sets, expected;
};

std::vector<Case> read_cases(const fs::path& file) {
  std::vector<Case> cases(1);
  bool in_files = true;
  std::istringstream text(read_text(file));
  for (std::string line; std::getline(text, line);) {
    Case& now = cases.back();
    if (now.title.empty()) now.title = line;
    if (line == "====") {
      cases.emplace_back();
      in_files = true;
    } else if (!in_files) {
      now.expected.push_back(line);
    } else if (line.starts_with(">>>> ")) {
      now.files.emplace_back(line.substr(5), "");
    } else if (line.starts_with("----")) {
      constexpr std::string_view set = " --set ";
      for (size_t at = line.find(set), next; at != line.npos; at = next) {
        next = line.find(set, at + 1);
        now.sets.push_back(line.substr(at + set.size(), next - at - set.size()));
      }
      in_files = false;
    } else {
      now.files.back().second += line + "\n";
    }
  }
  return cases;
}

std::string squeezed(const std::string& line) {
  std::istringstream words(line);
  std::string all;
  for (std::string word; words >> word;) all += (all.empty() ? "" : " ") + word;
  return all;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(squeezed(line));
  return lines;
}

bool stands_for(const std::string& expected, const std::string& line) {
  const std::string rest = "…", pattern = squeezed(expected);
  if (!pattern.ends_with(rest)) return pattern == line;
  return line.starts_with(pattern.substr(0, pattern.size() - rest.size()));
}

std::string text_of(const ParamValue& value) {
  if (const auto* flag = std::get_if<bool>(&value)) return *flag ? "true" : "false";
  if (const auto* integer = std::get_if<int64_t>(&value)) return std::to_string(*integer);
  if (const auto* text = std::get_if<std::string>(&value)) return *text;
  std::ostringstream out;
  if (const auto* number = std::get_if<double>(&value)) out << *number;
  return out.str();
}

// All plans of the pipeline, printed, with their params, weights and states; or all that is wrong
// with it.
std::string outcome(const std::vector<std::string>& sets) {
  std::string text = "ok\n";
  try {
    Mistakes mistakes;
    Pipeline pipeline = Pipeline::read("pipeline.yaml", sets, mistakes);
    for (const auto& plan : build_plans(pipeline, standard_nodes(), {}, mistakes)) {
      if (mistakes.empty()) text += plan_text(*plan);
      for (const PlanNode& node : plan->nodes)
        for (const auto& [name, value] : node.params.values)
          text += "param " + node.path + "." + name + " " + text_of(value) + "\n";
      for (const PlanWeight& weight : plan->weights)
        text += "weight " + weight.name + " " + weight.shape.str() + "\n";
      for (const PlanState& state : plan->states)
        text += "state " + state.name + " " + state.shape.str() + "\n";
    }
    mistakes.check();
    return text;
  } catch (const Error& error) {
    return error.what();
  }
}

class Plans : public testing::TestWithParam<std::string> {
 protected:
  Plans() {
    standard_nodes();
    fs::current_path(here_.path());
  }
  ~Plans() override { fs::current_path(before_); }

  void put_files(const Case& one) const {
    for (const auto& entry : fs::directory_iterator(here_.path())) fs::remove_all(entry);
    write_tiny_idx(".", {.train = 20, .test = 8, .side = 4});
    fs::copy(folder / "base.yaml", "base.yaml");
    fs::copy(folder / "fragments", "fragments");
    for (const auto& [name, text] : one.files) {
      if (fs::path(name).has_parent_path()) fs::create_directories(fs::path(name).parent_path());
      write_text(name, text);
    }
  }

  const fs::path before_ = fs::current_path();
  TemporaryDirectory here_;
};

TEST_P(Plans, AreAsExpected) {
  for (const Case& one : read_cases(folder / (GetParam() + ".test"))) {
    SCOPED_TRACE(one.title);
    put_files(one);
    const std::string text = outcome(one.sets);
    const auto lines = lines_of(text);
    ASSERT_FALSE(one.expected.empty());
    const bool good = one.expected[0] == "ok";
    auto line = lines.begin();
    for (const std::string& expected : one.expected) {
      const auto fits = [&](const std::string& l) { return stands_for(expected, l); };
      line = good ? std::find_if(line, lines.end(), fits) : line;
      if (line == lines.end() || !fits(*line)) {
        ADD_FAILURE() << "expected: " << expected << "\nof\n" << text;
        break;
      }
      ++line;
    }
    EXPECT_TRUE(good || line == lines.end() || HasFailure()) << "more than expected:\n" << text;
  }
}

std::vector<std::string> test_files() {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder))
    if (entry.path().extension() == ".test") names.push_back(entry.path().stem());
  std::sort(names.begin(), names.end());
  return names;
}

INSTANTIATE_TEST_SUITE_P(, Plans, testing::ValuesIn(test_files()),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace weft::tests
