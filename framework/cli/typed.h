// Checks the words of a command line against the tree of commands.
#pragma once

#include <CLI/CLI.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace weft::cli {

std::vector<std::string> spellings(const CLI::Option& option);  // "-o", "--output"
// The option or command of this spelling; null if there is none.
const CLI::Option* find_option(const CLI::App& command, const std::string& spelling);
const CLI::App* find_command(const CLI::App& app, const std::string& name);
bool takes_value(const CLI::Option& option);

// Throws Error, with a similar word, if a word that must be a command or an option is neither.
// `words` are those behind the program's name, with a null at the end.
void check_typed(const CLI::App& app, char** words);

// The sentence about words that a command lacks, from CLI11's own: "PATH is required".
std::string lacking(const CLI::App& app, const std::string& said);

// Validators of an option's value.
CLI::Validator whole(int64_t least, int64_t most = INT64_MAX);
CLI::Validator thread_count();
CLI::Validator span(bool may_be_zero);  // a span of time
CLI::Validator not_empty();

// The value of $WEFT_THREADS, which stands for `--threads` where that is not given; else 0. Throws
// Error if it is no number of threads.
int threads_of_environment();

}  // namespace weft::cli
