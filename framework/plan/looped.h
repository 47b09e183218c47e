// A node that runs many times, as it is wired.
#pragma once

#include "framework/plan/loop_nodes.h"
#include "framework/plan/wiring.h"

namespace weft {

struct Wiring::Looped {
  const NodeDecl& decl;
  std::shared_ptr<LoopPorts> ports = std::make_shared<LoopPorts>();
  std::vector<ValueId> starts = {};  // of what is carried, and values that turns get items of
  std::string name(const std::string& input) const { return input + " (of the loop)"; }
};

}  // namespace weft
