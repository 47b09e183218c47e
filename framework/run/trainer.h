// The training of a pipeline: steps, evaluations, checkpoints, and going on where a run stopped.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "framework/language/pipeline.h"
#include "framework/plugin/registry.h"
#include "framework/ranks/ranks.h"
#include "framework/run/progress.h"

namespace weft {

struct TrainOptions {
  std::filesystem::path run;  // the run's directory
  enum class Start { fresh, overwrite, resume } start = Start::fresh;
  std::string resume = "auto";  // auto (the newest; start anew if none), last, best, or a step
  int threads = 0;              // 0: one for each core
  int64_t steps = 0;            // stop after this step of the training; 0: at its end
  double hours = 0;             // stop after so many hours; 0: no limit
  int64_t log_every = 50;       // steps between lines of metrics.jsonl
  double stall = 60;            // seconds without a step before a warning
  double stall_kill = 0;        // seconds without a step that end the process; 0: never
  bool check = false;           // watch every call of a node: see checked_call.h
  bool allow_drift = false;     // go on even where the same bits are not promised
  Progress::Style progress = Progress::Style::automatic;
  std::string command;     // what the user typed
  Ranks* ranks = nullptr;  // the processes that share the training, if there are more than this one
};

// Trains. Returns Exit::done when the training has ended, Exit::stopped when it was asked to stop
// and has saved. Throws Error for everything else.
Exit train(const Pipeline& pipeline, const Registry& registry, const TrainOptions& options);

}  // namespace weft
