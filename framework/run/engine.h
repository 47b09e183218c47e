// Runs a plan: one oneTBB flow graph for each phase, lanes through it, the next batch read ahead.
// The same bits for any number of threads: lanes, blocks and the order of every sum are the plan's.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "framework/plan/plan.h"
#include "framework/run/trace.h"
#include "framework/run/updates.h"
#include "framework/run/weights.h"

namespace weft {

struct EngineOptions {
  int threads = 0;                         // 0: as many as the machine has cores
  std::filesystem::path output_dir = ".";  // where sinks write
  Trace* trace = nullptr;                  // is told of every call
  bool check = false;                      // watch every call: see checked_call.h
};

class Engine {
 public:
  Engine(const Plan& plan, const Registry& registry, Weights& model, const EngineOptions& options);
  ~Engine();

  // One step. `schedule_step` is the step of the training that scheduled params are taken at.
  // Throws the first Error of any node, its place named; no weight changes after a loss that is not
  // finite. The engine must not be used after an error.
  void step(int64_t number, int64_t schedule_step);

  double loss(size_t phase) const;  // of the last step in which the phase ran; NaN before
  // The mean over the samples of the last step: one number, or one for each element of a row.
  std::vector<double> report(size_t index) const;

  // A pass over the data begins: measures forget. It ends: sinks finish.
  void begin_pass();
  void end_pass();
  // Of a report that is a measure, over the pass; none of another.
  std::optional<double> measured(size_t index) const;
  int64_t rows() const;              // samples in the last step
  nlohmann::json scheduled() const;  // {param: its value in the last step}

  bool ran(size_t phase) const;  // in the last step

  // For checkpoints: what optimizers keep for each weight, and how often each phase has updated.
  std::vector<NamedTensor> optimizer_tensors() const;
  nlohmann::json updates() const;
  // Throws Error(checkpoint) if it is of other phases or optimizers.
  void load(const std::map<std::string, Tensor>& optimizer, const nlohmann::json& updates);

  std::vector<std::string> busy() const;  // what runs just now; any thread may ask

 private:
  struct Body;
  std::unique_ptr<Body> body_;
};

}  // namespace weft
