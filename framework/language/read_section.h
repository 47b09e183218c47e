// Readers of the sections `train`, `evaluate` and `generate`. Mistakes are noted.
#pragma once

#include <optional>

#include "framework/language/pipeline.h"

namespace weft {

TrainDecl read_train(const Yaml& map, Mistakes& mistakes);
// Reads `evaluate`. It has the nodes and the data of `train` unless it has its own; data without a
// kind are train's with other params.
SectionDecl read_evaluate(const Yaml& map, const std::optional<TrainDecl>& train,
                          Mistakes& mistakes);
// Reads `generate`. Its data, too, may be train's with other params.
SectionDecl read_generate(const Yaml& map, const std::optional<TrainDecl>& train,
                          Mistakes& mistakes);

}  // namespace weft
