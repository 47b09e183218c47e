// A trial of code that may misbehave, in a child process.
#pragma once

#include <chrono>
#include <functional>
#include <string>

namespace weft {

// Is told what comes next: "while it is loaded".
using Stage = std::function<void(const std::string&)>;

// Runs `work` in a child process, and returns the text that it returns, up to 16 KiB. Throws
// Error(Exit::plugin): the sentence of an Error of `work`; or, if it throws something else,
// crashes, exits or is not done after `patience`, a sentence about `subject` and the last stage.
// The child is a fork: call it before threads start.
std::string probe(const std::string& subject,
                  const std::function<std::string(const Stage& stage)>& work,
                  std::chrono::milliseconds patience);

}  // namespace weft
