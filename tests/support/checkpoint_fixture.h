// Checkpoints whose numbers tell their step, and a store of them in a directory of its own.
#pragma once

#include <gtest/gtest.h>

#include <cstring>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "framework/run/checkpoint_store.h"
#include "tests/support/temporary_directory.h"

namespace weft {

namespace fs = std::filesystem;
using nlohmann::json;

inline const std::string pipeline = "weft: 1\nname: tiny\n";
inline const char* const file_names[] = {"model.safetensors", "optimizer.safetensors", "state.json",
                                         "pipeline.yaml", "MANIFEST.json"};

inline std::string bytes_of(const fs::path& path) {
  std::stringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

inline void put(const fs::path& path, const std::string& bytes) {
  fs::remove(path);
  std::ofstream(path, std::ios::binary)
      .write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

template <class Act>
Error error_of(Act act) {
  try {
    act();
  } catch (const Error& error) {
    return error;
  }
  return Error(Exit::done, "no error");
}

// What a run has at a step: every number tells the step.
struct Content {
  explicit Content(int64_t step, size_t size = 24) : step(step), weight(size), momentum(size) {
    for (size_t i = 0; i < size; ++i) {
      weight[i] = static_cast<float>(step) + 0.25F * static_cast<float>(i);
      momentum[i] = -weight[i];
    }
    counter = static_cast<int32_t>(step);
    const auto extent = static_cast<int64_t>(size);
    model = {{"decoder.weight", {{extent / 2, 2}, DType::f32, weight.data()}},
             {"decoder.counter", {{}, DType::i32, &counter}}};
    optimizer = {{"decoder.weight.m", {{extent}, DType::f32, momentum.data()}}};
    state = {{"cursor", step * 128}, {"best", 0.1}, {"version", "weft 1.0"}};
  }
  Content(const Content&) = delete;

  fs::path save(CheckpointStore& store) const {
    return store.save(step, model, optimizer, state, pipeline);
  }

  int64_t step;
  std::vector<float> weight, momentum;
  int32_t counter;
  std::vector<NamedTensor> model, optimizer;
  json state;
};

inline void expect_equal(const Checkpoint& checkpoint, const Content& content) {
  EXPECT_EQ(checkpoint.step, content.step);
  EXPECT_EQ(checkpoint.state, content.state);
  EXPECT_EQ(checkpoint.pipeline, pipeline);
  const auto compare = [](const Safetensors& read, const std::vector<NamedTensor>& saved) {
    ASSERT_EQ(read.tensors().size(), saved.size());
    for (const auto& [name, tensor] : saved) {
      const Tensor& found = read.tensors().at(name);
      ASSERT_EQ(found.shape, tensor.shape);
      ASSERT_EQ(found.dtype, tensor.dtype);
      EXPECT_EQ(std::memcmp(found.data, tensor.data, static_cast<size_t>(tensor.size()) * 4), 0);
    }
  };
  compare(checkpoint.model, content.model);
  compare(checkpoint.optimizer, content.optimizer);
}

class CheckpointTest : public testing::Test {
 protected:
  CheckpointStore open(int keep = 3) {
    return CheckpointStore(path_, {.keep = keep, .warn = warn_});
  }
  CheckpointStore open_read_only() {
    return CheckpointStore(path_, {.read_only = true, .warn = warn_});
  }
  static std::string name(int64_t step) {
    const std::string digits = std::to_string(step);
    return "step-" + std::string(12 - digits.size(), '0') + digits;
  }
  std::set<std::string> names() const {
    std::set<std::string> all;
    for (const auto& entry : fs::directory_iterator(path_))
      all.insert(entry.path().filename().string());
    return all;
  }
  std::string last() const { return fs::read_symlink(path_ / "last").string(); }

  TemporaryDirectory directory_;
  fs::path path_ = directory_ / "checkpoints";
  std::vector<std::string> warnings_;
  std::function<void(const std::string&)> warn_ = [this](const std::string& sentence) {
    warnings_.push_back(sentence);
  };
};

}  // namespace weft
