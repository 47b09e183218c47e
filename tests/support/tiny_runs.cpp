#include "tests/support/tiny_runs.h"

#include <random>
#include <sstream>

#include "tests/support/tiny_idx.h"

namespace weft::tests {

namespace fs = std::filesystem;

namespace {
// Numbers in words, "two one seven": of 3 to 8 letters each, and of 1 to 3 words.
std::string tiny_lines(int first, int last) {
  constexpr const char* words[] = {"nil",  "one", "two",   "three", "four",
                                   "five", "six", "seven", "eight", "nine"};
  std::string lines;
  for (int i = first; i < last; ++i, lines += "\n")
    for (const char digit : std::to_string(i)) lines += std::string(words[digit - '0']) + " ";
  return lines;
}
}  // namespace

TinyRuns::TinyRuns() {
  write_tiny_idx(folder_ / "data", {.side = 8});
  write_text(folder_ / "data/train.txt", tiny_lines(0, 200));
  write_text(folder_ / "data/test.txt", tiny_lines(200, 240));
}

void TinyRuns::write(const std::string& name, const std::string& pipeline) const {
  write_text(folder_ / (name + ".yaml"), pipeline);
}

Command TinyRuns::command(Words words) const {
  words.insert(words.begin(), program("weft").string());
  return {.words = words,
          .folder = folder_.path(),
          .environment = {{"WEFT_DATA_DIR", folder_ / "data"}}};
}

Command TinyRuns::training(const std::string& name, const std::string& run,
                           const Words& more) const {
  Words words{"train", name + ".yaml", "-o", run, "--log-every", "10"};
  words.insert(words.end(), more.begin(), more.end());
  return command(words);
}

fs::path TinyRuns::checkpoint(const std::string& run, int64_t step) const {
  const std::string digits = std::to_string(step);
  return folder_ / (run + "/checkpoints/step-" + std::string(12 - digits.size(), '0') + digits);
}

fs::path TinyRuns::last(const std::string& run) const {
  const fs::path checkpoints = folder_ / (run + "/checkpoints");
  std::error_code missing;
  return checkpoints / fs::read_symlink(checkpoints / "last", missing);
}

nlohmann::json TinyRuns::status(const std::string& run) const {
  const std::string status = text(run + "/status.json");
  return status.empty() ? nlohmann::json::object() : nlohmann::json::parse(status);
}

std::vector<nlohmann::json> TinyRuns::metrics(const std::string& run) const {
  std::vector<nlohmann::json> lines;
  std::istringstream all(text(run + "/metrics.jsonl"));
  for (std::string line; std::getline(all, line);) lines.push_back(nlohmann::json::parse(line));
  return lines;
}

void TinyRuns::expect_equal_runs(const std::string& a, const std::string& b) const {
  ASSERT_EQ(last(a).filename(), last(b).filename());
  for (const char* file : {"model.safetensors", "optimizer.safetensors", "state.json",
                           "pipeline.yaml", "MANIFEST.json"}) {
    const std::string bytes = read_text(last(a) / file);
    EXPECT_FALSE(bytes.empty()) << file;
    EXPECT_TRUE(bytes == read_text(last(b) / file)) << file << " of " << a << " and " << b;
  }
  EXPECT_EQ(text(a + "/metrics.jsonl"), text(b + "/metrics.jsonl"));
}

void TinyRuns::await_training(Process& process, const std::string& run) const {
  while (process.running() && status(run).value("state", "") != "training") sleep_for(0.0005);
}

int64_t step_of(const fs::path& checkpoint) {
  const std::string name = checkpoint.filename();
  return name.starts_with("step-") ? std::stoll(name.substr(5)) : -1;
}

void damage(const fs::path& file) {
  std::string bytes = read_text(file);
  ASSERT_FALSE(bytes.empty()) << file;
  bytes[bytes.size() / 2] ^= 0x10;
  write_text(file, bytes);
}

double random_seconds(double most) {
  static std::mt19937_64 random(std::random_device{}());
  return std::uniform_real_distribution<>(0, most)(random);
}

}  // namespace weft::tests
