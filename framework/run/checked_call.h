// Calls of nodes and optimizers under watch (`--check`, WEFT_CHECK=1). For such a call every tensor
// has a place of its own between guard zones. What the call must write starts as a number that
// nobody computes; what it may only read is compared afterwards.
#pragma once

#include <cstdint>
#include <functional>

#include "framework/node/node.h"
#include "framework/node/optimizer.h"
#include "framework/run/work.h"

namespace weft {

// Makes the call with the node's ports bound to such places, and binds them as before at the end.
// The first `samples` rows of the batch must be written in the outputs. Throws Breach with the
// first thing that breaks the contract: an output or a gradient that was not written, a write
// beyond a tensor, or to an input, a weight, or a state that this call must not write.
void checked_call(Node& node, Work work, int64_t samples, const std::function<void()>& call);

// The same for an optimizer's update.
void checked_update(const Optimizer& optimizer, const Update& update);

}  // namespace weft
