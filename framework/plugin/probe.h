// A trial of code that may misbehave, in a child process.
#pragma once

#include <chrono>
#include <functional>
#include <string>

namespace weft {

// Runs `work` in a child process, so that it can harm no other. `work` calls `stage` with what it
// is about to do ("while it is loaded"). Throws Error(Exit::plugin): if `work` throws an Error,
// with the same sentence; if it throws something else, crashes, exits or is not done after
// `patience`, with a sentence about `subject` and the last stage. The child is a fork, so call it
// before threads start.
using Stage = std::function<void(const std::string&)>;
void probe(const std::string& subject, const std::function<void(const Stage& stage)>& work,
           std::chrono::milliseconds patience);

}  // namespace weft
