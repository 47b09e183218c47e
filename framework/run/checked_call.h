// Calls of nodes and optimizers under watch (`--check`, WEFT_CHECK=1): every tensor stands in a
// place of its own between guard zones, what is to be written starts as numbers that nobody
// computes, and what is to be read is compared afterwards.
#pragma once

#include <cstdint>
#include <functional>

#include "framework/node/node.h"
#include "framework/node/optimizer.h"
#include "framework/run/trace.h"

namespace weft {

// Makes the call with the node's ports bound to such places, then binds them as before. `samples`
// of the rows that the outputs show hold samples. Throws Error(Exit::plugin) with the first thing
// that breaks the contract: an output, a gradient or a saved value that was not written, a write
// beyond a tensor, or to an input, a weight, or a state that is not the call's to write.
void checked_call(Node& node, Work work, int64_t samples, const std::function<void()>& call);

// The same of an optimizer's update.
void checked_update(const Optimizer& optimizer, const Update& update);

}  // namespace weft
