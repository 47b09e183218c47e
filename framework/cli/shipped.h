// The pipelines that come with weft: share/weft/pipelines of the installation.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "framework/language/pipeline.h"

namespace weft::cli {

std::vector<std::string> shipped_names();  // sorted

// The file of a pipeline that comes with weft. Throws Error with the near name.
std::filesystem::path shipped_file(const std::string& name);

// The pipeline file that a command was given: `given` itself if there is such a file or it is
// written as a path, else the pipeline of that name that comes with weft. Throws Error if there is
// neither; `or_a` is what the message says that was expected.
std::filesystem::path pipeline_file(const std::string& given, const char* or_a = "file");

// Reads pipeline_file(given).
Pipeline read_pipeline(const std::string& given, const std::vector<std::string>& sets,
                       Mistakes& mistakes);

}  // namespace weft::cli
