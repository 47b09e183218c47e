// A trial of code that may misbehave, in a child process.
#pragma once

#include <chrono>
#include <functional>
#include <string>

namespace weft {

// Runs `work` in a child process: what it does to its process stays there; returns what it says,
// up to 16 KiB. `work` calls `stage` with what it is about to do ("while it is loaded"). Throws
// Error(Exit::plugin): the sentence of an Error of `work`; or, if it throws something else,
// crashes, exits or is not done after `patience`, a sentence about `subject` and the last stage.
// The child is a fork: call it before threads start.
using Stage = std::function<void(const std::string&)>;
std::string probe(const std::string& subject,
                  const std::function<std::string(const Stage& stage)>& work,
                  std::chrono::milliseconds patience);

}  // namespace weft
