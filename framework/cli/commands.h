// The commands of `weft`, one function each. Results go to stdout, everything else to stderr.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "framework/node/error.h"
#include "framework/plan/plan.h"
#include "framework/plugin/registry.h"
#include "framework/run/trainer.h"

namespace weft::cli {

// The options of `evaluate` and `generate`. Their target is a run's directory, or a pipeline whose
// modules all come from other runs.
struct ModelOptions {
  std::string target;
  std::vector<std::string> sets;
  std::string checkpoint = "last";  // last, best, or a step
  std::string output;               // folder for what sinks write; "": the run's
  int64_t count = 0;                // how many samples to generate ($count); 0: the pipeline's own
  std::string seed;                 // of generate; "": the pipeline's
  int threads = 0;
  bool json = false;
  bool check = false;  // watch every call of a node
};

struct BenchOptions {
  std::string pipeline;
  std::vector<std::string> sets;
  std::vector<int> threads{1, 2};
  int64_t steps = 200;
  bool json = false;
};

struct ProfileOptions {
  std::string pipeline;
  std::vector<std::string> sets;
  std::string section = "train";
  std::string trace;  // a file for Perfetto or chrome://tracing; "": none
  int threads = 0;
  int64_t steps = 50;
  bool json = false;
};

struct PluginTestOptions {
  std::string path;   // of a plugin, or a folder of them
  std::string node;   // one kind; "": all
  std::string trial;  // one trial; "": all of each kind's role
  uint64_t seed = 1;
  bool json = false;
};

// The plugins of the standard places and of a pipeline's `plugins:`.
Registry load_plugins_for(const Pipeline& pipeline);

// A section of a pipeline and its plan, made with what the runs of its modules have learned of
// data. Throws every mistake.
struct Planned {
  Planned(const std::string& file, const std::vector<std::string>& sets, Mode mode);
  Pipeline pipeline;
  Registry registry;
  std::unique_ptr<const Plan> plan;
};

Mode mode_of(const std::string& section);  // train, evaluate or generate

Exit train(const std::string& pipeline, const std::vector<std::string>& sets,
           const TrainOptions& options);
Exit evaluate(const ModelOptions& options);
Exit generate(const ModelOptions& options);
// Prints the names of the pipelines that come with weft, or copies the one of this name here, with
// the files that it includes. Throws Error rather than overwrite a file.
Exit make_new(const std::string& name);
Exit check(const std::string& pipeline, const std::vector<std::string>& sets);
Exit graph(const std::string& pipeline, const std::vector<std::string>& sets,
           const std::string& output, const std::string& section);
Exit nodes(const std::string& name);
Exit schema();
Exit docs(const std::string& page);  // nodes or language
Exit doctor();
// Writes the project of a new plugin to the folder `into`/`name`. Throws Error rather than write
// over anything.
Exit plugin_new(const std::string& name, const std::string& into);
// What was found at the standard places and at `paths`, and what is wrong with it.
Exit plugin_doctor(const std::vector<std::string>& paths);
Exit bench(const BenchOptions& options);
Exit profile(const ProfileOptions& options);
Exit version();
// Runs the trials of framework/trial/; Exit::plugin if one fails.
Exit plugin_test(const PluginTestOptions& options);

}  // namespace weft::cli
