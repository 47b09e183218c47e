// Trials of what a sink leaves in its folder.
#include <signal.h>
#include <sys/resource.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <map>

#include "framework/run/guard_zones.h"
#include "framework/trial/compare.h"
#include "framework/trial/trials.h"

namespace weft::trial {

namespace {
namespace fs = std::filesystem;

using Files = std::map<std::string, std::string>;  // contents by name

Files files_in(const fs::path& folder) {
  Files files;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (!entry.is_regular_file()) continue;
    std::ifstream in(entry.path(), std::ios::binary);
    files[fs::relative(entry.path(), folder).string()] = {std::istreambuf_iterator<char>(in), {}};
  }
  return files;
}

// A pass of two batches, the second one a row short.
void pass(Attempt& attempt, const NodeCase& node, Mode mode, const fs::path& folder) {
  NodeRig rig = attempt.rig(node, {.mode = mode, .folder = folder});
  const int64_t batch = std::max<int64_t>(batch_of(rig), 1);
  for (const Step& step : {Step{0, batch}, Step{1, std::max<int64_t>(batch - 1, 1)}}) {
    rig.step = step;
    rig.forward();
  }
  rig.finish();
}

Files files_of(Attempt& attempt, const NodeCase& node, Mode mode, const std::string& name) {
  fs::create_directories(attempt.folder / name);
  pass(attempt, node, mode, attempt.folder / name);
  return files_in(attempt.folder / name);
}

// Of each of a sink's inputs, the row that a short second batch does not hold.
NodeCase dirty(NodeCase node) {
  for (auto& [name, array] : node.inputs) {
    if (array.shape.rank() == 0 || array.shape.rows() < 2) continue;
    const auto last = static_cast<size_t>(array.shape.elements() - array.shape.row_elements());
    for (size_t i = last; i < array.floats.size(); ++i) array.floats[i] = -array.floats[i];
    for (size_t i = last; i < array.ints.size(); ++i) array.ints[i] = 0;
  }
  return node;
}

std::string difference(const Files& got, const Files& expected) {
  for (const auto& [name, bytes] : expected) {
    const auto other = got.find(name);
    if (other == got.end()) return "there is no `" + name + "`";
    if (other->second != bytes) return "`" + name + "` has other bytes";
  }
  for (const auto& [name, bytes] : got)
    if (!expected.contains(name)) return "there is a `" + name + "`";
  return "";
}

// What a sink threw as it wrote a pass, or "".
std::string refusal(Attempt& attempt, const fs::path& folder) {
  try {
    pass(attempt, attempt.example(), Mode::evaluate, folder);
    return "";
  } catch (const Breach&) {
    throw;
  } catch (const Error& error) {
    return error.sentence();
  }
}

}  // namespace

void files(Attempt& attempt) {
  const NodeCase node = attempt.example();
  const Files first = files_of(attempt, node, Mode::evaluate, "first");
  if (first.empty()) return attempt.fail("writes no file in the run's directory");
  for (const auto& [name, bytes] : first) {
    if (bytes.empty()) attempt.fail("`" + name + "` is empty after finish()");
    if (fs::path(name).filename().string().starts_with("."))
      attempt.fail("`" + name + "` is left behind after finish()");
  }
  attempt.expect("in `generate`",
                 difference(files_of(attempt, node, Mode::generate, "again"), first));

  // The first batch is whole, so it may differ: the files of a short one alone must not.
  const auto short_batch = [&](const NodeCase& given, const std::string& name) {
    fs::create_directories(attempt.folder / name);
    NodeRig rig = attempt.rig(given, {.mode = Mode::evaluate, .folder = attempt.folder / name});
    rig.step.rows = std::max<int64_t>(batch_of(rig) - 1, 1);
    rig.forward();
    rig.finish();
    return files_in(attempt.folder / name);
  };
  const std::string complaint =
      difference(short_batch(dirty(node), "dirty"), short_batch(node, "clean"));
  if (!complaint.empty())
    attempt.fail(complaint + " once the padding behind a short batch holds other numbers");
}

void no_folder(Attempt& attempt) {
  const fs::path file = attempt.folder / "file";
  std::ofstream(file) << "no folder";
  const std::string said = refusal(attempt, file);
  if (said.empty()) attempt.fail("says nothing where its folder cannot be written");
  if (!said.empty() && said.size() <= 10) attempt.fail("says no more than \"" + said + "\"");
}

void full_disk(Attempt& attempt) {
  const Files whole = files_of(attempt, attempt.example(), Mode::evaluate, "whole");
  size_t largest = 0;
  for (const auto& [name, bytes] : whole) largest = std::max(largest, bytes.size());
  const fs::path folder = attempt.folder / "full";
  fs::create_directories(folder);
  signal(SIGXFSZ, SIG_IGN);
  rlimit limit{};
  getrlimit(RLIMIT_FSIZE, &limit);
  limit.rlim_cur = largest / 2;
  setrlimit(RLIMIT_FSIZE, &limit);
  const std::string said = refusal(attempt, folder);
  if (said.empty())
    attempt.fail("says nothing where the disk has room for " + std::to_string(largest / 2) +
                 " of " + std::to_string(largest) + " bytes");
  for (const auto& [name, bytes] : files_in(folder)) {
    const auto other = whole.find(name);
    if (other == whole.end() || other->second != bytes)
      attempt.fail("leaves `" + name + "` with " + std::to_string(bytes.size()) +
                   " bytes where the disk was full");
  }
}

}  // namespace weft::trial
