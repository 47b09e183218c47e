// The kinds of work that a step consists of.
#pragma once

namespace weft {

// The work of a call. `read` fills the next batch; `check` looks at the loss before anything learns
// from it.
enum class Work {
  observe,
  summarize,
  summarize_gradients,
  join,
  forward,
  seed,
  backward,
  sum,
  learn,
  update,
  check,
  clip,
  read
};
const char* name(Work work);

}  // namespace weft
