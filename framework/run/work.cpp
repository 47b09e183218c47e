#include "framework/run/work.h"

namespace weft {

const char* name(Work work) {
  switch (work) {
    case Work::observe: return "observe";
    case Work::summarize:
    case Work::summarize_gradients: return "summarize";
    case Work::join: return "join";
    case Work::forward: return "forward";
    case Work::seed: return "seed";
    case Work::backward: return "backward";
    case Work::sum: return "sum";
    case Work::learn: return "learn";
    case Work::update: return "update";
    case Work::check: return "check";
    case Work::clip: return "clip";
    case Work::read: return "read";
  }
  return "";
}

}  // namespace weft
