#include "framework/node/running.h"

namespace weft {

namespace {
thread_local const Running* running = nullptr;
}

Running::Running(const char* node, const char* kind, const char* call, int64_t step)
    : node(node), kind(kind), call(call), step(step), outer_(running) {
  running = this;
}

Running::Running(const Running* helped)
    : Running(helped ? helped->node : nullptr, helped ? helped->kind : nullptr,
              helped ? helped->call : nullptr, helped ? helped->step : -1) {
  if (!helped) running = nullptr;
}

Running::~Running() {
  running = outer_;
}

const Running* Running::here() {
  return running;
}

}  // namespace weft
