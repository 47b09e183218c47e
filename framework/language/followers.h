// Modules that follow others: `teacher: {follows: student, decay: 0.996}`.
#pragma once

#include "framework/language/yaml.h"

namespace weft {

// Gives each module of the map that follows another the other's graph. Where that uses a further
// module, the follower uses a follower of it: `teacher_neck` follows `neck`.
void expand_followers(Yaml& modules, Mistakes& mistakes);

}  // namespace weft
