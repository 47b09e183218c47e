#include "framework/node/build.h"

#include "framework/node/plugin.h"

namespace weft {

static_assert(sizeof WEFT_BUILD <= sizeof PluginStamp::build);

const char* build_string() {
  return WEFT_BUILD;
}

}  // namespace weft
