// Which call of which node a thread is in, for reports of a crash. It is the framework's, no author
// needs it.
#pragma once

#include <cstdint>

#include "framework/node/error.h"

namespace weft {

// A mark that its thread is in this call of this node, for as long as it lives. The texts must
// outlive it.
class WEFT_API Running {
 public:
  Running(const char* node, const char* kind, const char* call, int64_t step = -1);
  // A thread that helps another marks itself as that one is; null: with nothing.
  explicit Running(const Running* helped);
  ~Running();
  Running(const Running&) = delete;

  // The innermost mark of this thread, or null. A signal handler may call it, if the thread has
  // called it before.
  static const Running* here();

  const char *const node, *const kind, *const call;
  const int64_t step;  // -1: before the first step

 private:
  const Running* const outer_;
};

}  // namespace weft
