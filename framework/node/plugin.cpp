#include "framework/node/plugin.h"

#include "framework/node/build.h"

namespace weft {

static_assert(sizeof WEFT_BUILD <= sizeof PluginStamp::build);

const char* build_string() {
  return WEFT_BUILD;
}

}  // namespace weft
