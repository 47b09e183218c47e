// Readers of the sections `train`, `evaluate` and `generate`. Mistakes are noted.
#pragma once

#include <optional>

#include "framework/graph/pipeline.h"

namespace weft {

TrainDecl read_train(const Yaml& map, Mistakes& mistakes);
// Takes nodes and data from `train` if it has none.
SectionDecl read_evaluate(const Yaml& map, const std::optional<TrainDecl>& train,
                          Mistakes& mistakes);
SectionDecl read_generate(const Yaml& map, const std::optional<TrainDecl>& train,
                          Mistakes& mistakes);

}  // namespace weft
