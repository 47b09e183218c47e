// The directory of one checkpoint: model.safetensors, optimizer.safetensors, state.json,
// pipeline.yaml and, written last, MANIFEST.json.
#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <span>
#include <string>

#include "framework/formats/safetensors.h"
#include "framework/run/manifest.h"

namespace weft {

struct Checkpoint {
  int64_t step = 0;
  nlohmann::json state;          // the trainer's: data cursor, metrics, versions
  Safetensors model, optimizer;  // optimizer: what the optimizer keeps for each weight
  std::string pipeline;          // resolved YAML

  // Reads a directory, or a link to one. Throws Error(Exit::checkpoint) if it does not verify or
  // was written in another format.
  static Checkpoint read(const std::filesystem::path& directory);
  static Checkpoint read(const std::filesystem::path& directory, const Manifest& manifest);
  // The length of the whole training in steps; 0 if an older weft wrote the checkpoint, without it.
  // Throws Error(checkpoint).
  int64_t training_steps() const;
  // Reads the state alone.
  static nlohmann::json read_state(const std::filesystem::path& directory,
                                   const Manifest& manifest);
};

// What is going to be saved as a checkpoint, as views.
struct CheckpointContent {
  int64_t step = 0;
  std::span<const NamedTensor> model, optimizer;
  const nlohmann::json& state;
  const std::string& pipeline;

  // Throws Error(Exit::nonfinite) naming the first NaN or infinity in a tensor or in the state, and
  // Error(Exit::checkpoint) if the state or the pipeline is too large, too deep or not UTF-8.
  void check() const;
  uint64_t bytes() const;  // on disk, rounded up
  // Makes the directory, writes every file durably, reads all again. Throws Error.
  void write(const std::filesystem::path& directory) const;
};

}  // namespace weft
