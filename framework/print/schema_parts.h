// Two variations of the schema of pipeline files.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace weft {

// The schema of a file that adds to others by `include`: no key is required, and `null` removes a
// key. Its references go to definitions whose names start with "part.".
nlohmann::ordered_json part_of(const nlohmann::ordered_json& schema);

struct KnownKinds {
  std::vector<std::string> data, optimizers, nodes;  // nodes: also fragments
};
// The schema of a file that has neither fragments nor plugins: it refuses all other kinds.
nlohmann::ordered_json of_known_kinds(const KnownKinds& kinds);

}  // namespace weft
