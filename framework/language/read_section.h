// Readers of the sections `train`, `evaluate` and `generate`. Mistakes are noted.
#pragma once

#include <optional>

#include "framework/language/pipeline.h"

namespace weft {

TrainDecl read_train(const Yaml& map, Mistakes& mistakes);
// Without nodes or data of its own it has train's; data without a kind is train's with other
// params.
SectionDecl read_evaluate(const Yaml& map, const std::optional<TrainDecl>& train,
                          Mistakes& mistakes);
// Its data, too, may be train's with other params.
SectionDecl read_generate(const Yaml& map, const std::optional<TrainDecl>& train,
                          Mistakes& mistakes);

}  // namespace weft
