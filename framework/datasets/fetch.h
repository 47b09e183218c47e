// Fetches data sets from packages and checks every byte. Nothing else in weft downloads.
#pragma once

#include <string>

#include "framework/datasets/catalogue.h"
#include "framework/datasets/download.h"

namespace weft::datasets {

// Puts the files of a data set, its LICENSE and its ATTRIBUTION into its folder, over what is
// there. Nothing changes unless every file is right. Throws Error(data) if the package cannot be
// had or differs, Error(resources) if a file cannot be written.
void fetch(const Dataset& set, const Tell& tell);

std::string attribution(const Dataset& set);  // lines: what it is, its source, its licence

}  // namespace weft::datasets
