// Why a plugin cannot be loaded: all that it lacks, not the first that the loader met.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace weft {

struct MissingSymbol {
  std::string name;     // as it is written in C++
  std::string library;  // of this system, that has it; "" if none has
};

struct Missing {
  std::vector<std::string> libraries;
  std::vector<MissingSymbol> symbols;
};

// The libraries and symbols that the system's loader would look for in vain. None of the file's
// code runs.
Missing lacks(const std::filesystem::path& file);

// The same in words, for after "FILE cannot be loaded: "; "" if nothing is missing.
std::string in_words(const Missing& missing);

}  // namespace weft
