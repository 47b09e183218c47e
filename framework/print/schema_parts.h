// Two variations of the schema of pipeline files.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace weft {

// What holds for a file that adds to others: no key is required, and `null` removes any. References
// go to definitions of the name with "part." before it.
nlohmann::ordered_json part_of(const nlohmann::ordered_json& schema);

struct KnownKinds {
  std::vector<std::string> data, optimizers, nodes;  // fragments are among the last
};
// Refuses every other kind: what holds for a file that brings neither fragments nor plugins.
nlohmann::ordered_json of_known_kinds(const KnownKinds& kinds);

}  // namespace weft
