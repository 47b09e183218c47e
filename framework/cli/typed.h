// The words of a command line, against the tree of commands.
#pragma once

#include <CLI/CLI.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace weft::cli {

std::vector<std::string> spellings(const CLI::Option& option);  // "-o", "--output"
// Null if the command has none of this spelling.
const CLI::Option* find_option(const CLI::App& command, const std::string& spelling);
const CLI::App* find_command(const CLI::App& app, const std::string& name);
bool takes_value(const CLI::Option& option);

// Throws Error, with the near one, if a word where a command or an option must stand is none of
// them. `words`, behind the program's name, end with a null.
void check_typed(const CLI::App& app, char** words);

// Checks of an option's value.
CLI::Validator whole(int64_t least, int64_t most = INT64_MAX);
CLI::Validator thread_count();
CLI::Validator span(bool may_be_zero);  // of time
CLI::Validator not_empty();

// The value of $WEFT_THREADS, which stands for `--threads` where that is not given; else 0. Throws
// Error if it is no number of threads.
int threads_of_environment();

}  // namespace weft::cli
