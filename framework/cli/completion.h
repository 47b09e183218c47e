// What a shell offers for a command line that is being typed, found in the tree of commands.
#pragma once

#include <CLI/CLI.hpp>

#include <string>
#include <vector>

namespace weft::cli {

struct Completion {
  struct Word {
    std::string text, about;
  };
  std::vector<Word> words;
  bool files = false;  // file names fit as well
};

// Finds what can stand next. `typed` are the words behind the program's name; the last is the one
// to complete, perhaps empty.
Completion complete(const CLI::App& app, const std::vector<std::string>& typed);

// The values that an option's check allows: {"auto", "bar"}. Empty if it lists none.
std::vector<std::string> choices(const CLI::Option& option);

}  // namespace weft::cli
