// Errors and crashes that name the node in which they happen.
#pragma once

#include <string>

#include "framework/plan/plan.h"

namespace weft {

// An error whose sentence already names a node: code further out adds no other name.
class Blamed final : public Error {
 public:
  using Error::Error;
};

// A node's path and kind: "out.middle (faulty)".
std::string who(const PlanNode& node);
// A line for each input of a node that is wired, "\n    x <- noise [64, 8]  chain.yaml:3:5", and
// one for each output, "\n    y -> [64, 8]".
std::string wires(const Plan& plan, const PlanNode& node, const Host& ports);

// Turns the exception that is being handled, which a node threw, into an error: "WHO, WHEN: why",
// with `wires` behind it unless the cause lies outside the node, such as in a file. An Error keeps
// its code, too little memory is Exit::resources, all else that a node throws is Exit::plugin.
Blamed blame(const Place& place, const std::string& who, const std::string& when,
             const std::string& wires = "");

// A mark that its thread is in this call of this node, for as long as it lives. The texts must
// outlive it.
class Running {
 public:
  Running(const char* node, const char* kind, const char* call, int64_t step = -1);
  ~Running();
  Running(const Running&) = delete;

  // The innermost mark of this thread, or null. A signal handler may call it.
  static const Running* here();

  const char *const node, *const kind, *const call;
  const int64_t step;  // -1: before the first step

 private:
  const Running* const outer_;
};

}  // namespace weft
