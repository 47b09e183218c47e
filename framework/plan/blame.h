// Errors that name the node in which they happen.
#pragma once

#include <string>

#include "framework/node/running.h"
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
// its code, but that the user's mistakes are known by infer(); too little memory is
// Exit::resources, all else that a node throws is Exit::plugin.
Blamed blame(const Place& place, const std::string& who, const std::string& when,
             const std::string& wires = "");

}  // namespace weft
