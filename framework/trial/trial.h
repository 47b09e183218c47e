// What every kind of node is tested with, whichever plugin it comes from: a table of trials.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "framework/node/plugin.h"

namespace weft::trial {

enum class Role { node, measure, sink, source, optimizer };
const char* name(Role role);  // "node"
Role role_of(const NodeKind& kind);

class Attempt;

struct Trial {
  const char* name;   // "gradients", one of its role
  const char* about;  // one sentence: what must hold
  std::vector<Role> roles;
  void (*run)(Attempt& attempt);
};

// The trials of a role. The first one runs the example: what fails there tells nothing elsewhere.
std::vector<const Trial*> trials_of(Role role);

// How a trial of a kind ended. Skipped: the example's data is not here, or it is too small.
struct Outcome {
  enum class End { passed, failed, skipped } end = End::passed;
  std::vector<std::string> sentences;  // what failed, or why it was skipped
};

// Runs a trial in a child process: a throw, a crash, a hang or an exit fails it, with the name of
// the call. The seed is of inputs, weights, states and random numbers. Call it before threads
// start.
Outcome run(const Trial& trial, const NodeKind& kind, uint64_t seed = 1,
            std::chrono::milliseconds patience = std::chrono::minutes(2));

}  // namespace weft::trial
