// Errors and crashes that name the node in which they happen.
#pragma once

#include <string>

#include "framework/plan/plan.h"

namespace weft {

// An error whose sentence names the node, so that nobody names another.
class Blamed final : public Error {
 public:
  using Error::Error;
};

// "out.middle (faulty)"
std::string who(const PlanNode& node);
// What is wired to a node, a line for each: "\n    x <- noise [64, 8]  chain.yaml:3:5".
// And what it gives: "\n    y -> [64, 8]".
std::string wires(const Plan& plan, const PlanNode& node, const Host& ports);

// The exception that is being handled, as thrown by a node: "WHO, WHEN: why", and `wires` unless
// what is around the node failed, such as a file. An Error keeps its code, too little memory is
// Exit::resources, all else that a node throws is Exit::plugin.
Blamed blame(const Place& place, const std::string& who, const std::string& when,
             const std::string& wires = "");

// While one lives, its thread is in that call of that node. The texts must outlive it.
class Running {
 public:
  Running(const char* node, const char* kind, const char* call, int64_t step = -1);
  ~Running();
  Running(const Running&) = delete;

  // The innermost of this thread, or null. A signal handler may ask.
  static const Running* here();

  const char *const node, *const kind, *const call;
  const int64_t step;  // -1: before the first

 private:
  const Running* const outer_;
};

}  // namespace weft
