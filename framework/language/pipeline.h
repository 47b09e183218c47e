// A pipeline file as a checked tree: sections, modules, nodes and their keys, each with its place.
// Nothing is loaded, wired or shaped yet: the plan does that.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "framework/language/vars.h"
#include "framework/language/yaml.h"
#include "framework/node/dnn.h"
#include "framework/node/node.h"

namespace weft {

// A word of the file: a reference "node" or "node.port", a path, a module's name.
struct Mention {
  std::string text;
  Place place;
};

// How a node runs many times within a step.
struct LoopDecl {
  Place place;
  int64_t times = 1;
  std::vector<std::pair<std::string, Mention>> carry;    // input, and its first value
  std::vector<std::pair<std::string, Yaml>> over;        // input, and what it is in each turn
  bool unroll = false;                                   // is each turn a node of its own?
  std::optional<Mention> until;                          // an output of the node
  std::vector<std::pair<std::string, Mention>> collect;  // output of the loop, and of the node
};

// A value that is the derivative of another, summed over all its numbers, by a third.
struct GradientDecl {
  Mention of, by;
};

// One entry of `nodes:`. `keys` holds its other keys: ports and params in one flat map.
struct NodeDecl {
  std::string name;
  Place place;
  std::string kind;    // from `node:`, a node kind or a fragment; else ""
  std::string module;  // from `use:`; else ""
  Yaml keys;
  std::vector<Mention> each = {};  // inputs: it runs for each item of their axis 1
  std::optional<LoopDecl> loop = {};
  std::optional<GradientDecl> gradient = {};
  std::optional<Mention> formula = {};  // of values that `keys` name, or that are seen
};

// A sub-graph with named inputs and outputs.
struct GraphDecl {
  Place place;
  std::vector<Mention> inputs;
  std::set<std::string> optional;  // the inputs that may be left out
  std::vector<NodeDecl> nodes;
  std::vector<std::pair<std::string, Mention>> outputs;
};

struct ModuleDecl {
  std::string name;
  GraphDecl graph;
  bool frozen = false;
  std::string from;        // the run whose weights it starts from, or ""
  std::string original;    // the module's name in that run
  std::string checkpoint;  // the run's checkpoint: last, best or a step
  std::string follows;     // the module whose weights its own follow, or ""
  Yaml decay;              // of a module that follows: a number or a schedule
};

// A graph with params of its own. Each use of its name makes another copy, with weights of its own.
struct FragmentDecl {
  std::string name, about;
  Yaml params;  // name -> {default, about}
  Yaml body;    // inputs, nodes, outputs; variables not yet replaced
  Yaml text;    // all of it, as it is written
};

struct PhaseDecl {
  std::string name;
  Place place;
  Mention minimize;
  std::vector<Mention> update;  // names of modules
  Yaml optimizer;               // {node: kind, params…}
  std::vector<Yaml> groups;     // {match: glob, params…}
  double clip = 0;              // the largest global norm of the gradient; 0: no limit
  double clip_weights = 0;      // the largest absolute weight after an update; 0: no limit
  int64_t accumulate = 0;       // steps whose gradients are averaged into one update
  int64_t every = 0;            // the phase runs in every n-th step
};

// A section of the file: `train`, `evaluate` or `generate`.
struct SectionDecl {
  Place place;
  std::optional<NodeDecl> data;
  std::vector<NodeDecl> nodes;
  bool inherits = false;  // `evaluate` has the nodes of `train`, perhaps with other params
  bool extends = false;   // and some beside them
  std::vector<Mention> report;
  int64_t lanes = 0;  // 0: chosen by the plan
  int64_t every = 1;  // of `evaluate`: the epochs of training from one to the next
};

struct TrainDecl : SectionDecl {
  std::vector<PhaseDecl> phases;
  int64_t epochs = 0, steps = 0;  // the length of the training, given by one of them
  int64_t shards = 1;             // parts of a batch, whose gradients are added up in a fixed order
  struct Save {
    int64_t every_steps = 0;  // 0: at the end of each epoch
    int64_t keep = 0;         // how many checkpoints
    std::string best;         // a reported value of `evaluate`, or "" for none
    Place best_place;
    bool highest = false;  // the highest value is best rather than the lowest
    int64_t patience = 0;  // stop after so many evaluations without a better one; 0: never
  } save;
};

class Pipeline {
 public:
  // Reads a file, merges the files that it includes and applies `sets` ("latent=32",
  // "train.epochs=3"). Mistakes are collected; the pipeline is usable for further checks even when
  // there are some.
  static Pipeline read(const std::filesystem::path& file, const std::vector<std::string>& sets,
                       Mistakes& mistakes);
  static Pipeline parse(const std::string& text, const std::string& file,
                        const std::vector<std::string>& sets, Mistakes& mistakes);

  std::string file, name, about;
  uint64_t seed = 0;
  Precision precision = Precision::f32;  // what products and convolutions multiply; never `auto`
  std::vector<Mention> plugins;
  std::map<std::string, ModuleDecl> modules;
  std::map<std::string, FragmentDecl> fragments;
  std::optional<TrainDecl> train;
  std::optional<SectionDecl> evaluate, generate;

  const SectionDecl* section(Mode mode) const;  // null if the file has none

  // The whole file with includes merged and `--set` applied, but variables not yet replaced. A run
  // stores it.
  Yaml source;

  // A copy of a source with its variables replaced and their declarations removed.
  static Yaml with_values(const Yaml& source, Mistakes& mistakes);

  // The graph of a fragment with its variables replaced by `params`.
  static GraphDecl instantiate(const FragmentDecl& fragment, const Vars& params,
                               Mistakes& mistakes);

 private:
  static Pipeline from(Yaml tree, const std::string& file, const std::vector<std::string>& sets,
                       Mistakes& mistakes);
  void build(Mistakes& mistakes);
};

}  // namespace weft
