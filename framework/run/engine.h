// Runs a plan: one oneTBB flow graph for each phase, which lanes go through while the next batch is
// read. Results have the same bits for any number of threads, because lanes, blocks and the order
// of every sum are part of the plan.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "framework/plan/plan.h"
#include "framework/ranks/ranks.h"
#include "framework/run/trace.h"
#include "framework/run/updates.h"
#include "framework/run/weights.h"

namespace weft {

struct EngineOptions {
  int threads = 0;                         // 0: as many as the machine has cores
  std::filesystem::path output_dir = ".";  // where sinks write
  Trace* trace = nullptr;                  // records every call, if it is not null
  bool check = false;                      // watch every call: see checked_call.h
  Ranks* ranks = nullptr;                  // the processes that share the steps, if there are more
};

class Engine {
 public:
  Engine(const Plan& plan, const Registry& registry, Weights& model, const EngineOptions& options);
  ~Engine();

  // Runs one step. `schedule_step` is the step of the training whose values scheduled params have.
  // Throws the first Error of any node, with its place; no weight changes after a loss that is not
  // finite. The engine must not be used after an error.
  void step(int64_t number, int64_t schedule_step);

  double loss(size_t phase) const;  // its loss when it last ran; NaN if it never has
  // A report's mean over the samples of the last step: one number, or one for each element of a
  // row.
  std::vector<double> report(size_t index) const;

  // Begins a pass over the data, for which measures start anew, and ends it, when sinks finish.
  void begin_pass();
  void end_pass();
  std::vector<std::string> notes() const;  // what sinks say of the pass: "clips: 3 sounds …"
  // The result of a report that is a measure, over the pass; nothing for other reports.
  std::optional<double> measured(size_t index) const;
  int64_t rows() const;              // samples in the last step
  nlohmann::json scheduled() const;  // {param: its value in the last step}

  bool ran(size_t phase) const;  // did the phase run in the last step?

  // For checkpoints: what optimizers keep for each weight, and the number of updates of each phase.
  std::vector<NamedTensor> optimizer_tensors() const;
  nlohmann::json updates() const;
  // Restores both. Throws Error(checkpoint) if they are of other phases or optimizers.
  void load(const std::map<std::string, Tensor>& optimizer, const nlohmann::json& updates);
  void load_updates(const nlohmann::json& updates);  // their numbers alone

  // Brings what optimizers keep from their owners to the first process, or back. All call it.
  void gather_optimizers();
  void spread_optimizers();

  std::vector<std::string> busy() const;  // names of calls that run just now; any thread may ask

 private:
  struct Body;
  std::unique_ptr<Body> body_;
};

}  // namespace weft
