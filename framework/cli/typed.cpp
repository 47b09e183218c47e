#include "framework/cli/typed.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>

#include "framework/node/did_you_mean.h"
#include "framework/node/error.h"

namespace weft::cli {

namespace {
template <class Number>
bool read(const std::string& text, Number& number) {
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  return error == std::errc() && stop == end;
}

std::string path_of(const CLI::App& command) {
  const CLI::App* const outer = command.get_parent();
  return (outer ? path_of(*outer) + " " : "") + command.get_name();
}

// The commands that have an option of this spelling: "`weft train`, `weft bench`".
std::string owners(const CLI::App& app, const std::string& spelling) {
  std::string all;
  for (const CLI::App* command : app.get_subcommands({})) {
    if (find_option(*command, spelling))
      all += (all.empty() ? "`" : ", `") + path_of(*command) + "`";
    if (const std::string inner = owners(*command, spelling); !inner.empty())
      all += (all.empty() ? "" : ", ") + inner;
  }
  return all;
}

const CLI::App& top_of(const CLI::App& command) {
  return command.get_parent() ? top_of(*command.get_parent()) : command;
}

[[noreturn]] void refuse_option(const CLI::App& command, const std::string& spelling) {
  std::vector<std::string> known;
  for (const CLI::Option* option : command.get_options())
    for (const std::string& name : spellings(*option)) known.push_back(name);
  const std::string near = spelling.size() > 2 ? did_you_mean(spelling, known) : "";
  const std::string elsewhere = near.empty() ? owners(top_of(command), spelling) : "";
  throw Error("`" + path_of(command) + "` has no option `" + spelling + "`" + near +
              (elsewhere.empty() ? "" : ", but " + elsewhere + " has it: write it behind that") +
              "; `" + path_of(command) + " --help` lists them" +
              (find_option(command, "--set")
                   ? ", and `--set key=value` changes what the pipeline's file says"
                   : ""));
}

// The option that a word begins with: `--set` for "--set=a=1", `-o` for "-ofolder".
std::string spelling_of(const std::string& word) {
  return word.starts_with("--") ? word.substr(0, word.find('=')) : word.substr(0, 2);
}

// Checks the words behind a command: options, their values and others. After `--` all are others.
void check_options(const CLI::App& command, char** words) {
  for (; *words && std::string_view(*words) != "--"; ++words) {
    const std::string word = *words;
    if (word.size() < 2 || word[0] != '-') continue;
    const std::string spelling = spelling_of(word);
    const CLI::Option* const option = find_option(command, spelling);
    if (!option) refuse_option(command, spelling);
    if (!takes_value(*option) || word != spelling) continue;
    if (!words[1]) throw Error("`" + spelling + "` needs a value: " + option->get_description());
    ++words;
  }
}
}  // namespace

std::vector<std::string> spellings(const CLI::Option& option) {
  std::vector<std::string> all;
  for (const std::string& name : option.get_snames()) all.push_back("-" + name);
  for (const std::string& name : option.get_lnames()) all.push_back("--" + name);
  return all;
}

const CLI::Option* find_option(const CLI::App& command, const std::string& spelling) {
  for (const CLI::Option* option : command.get_options()) {
    const auto names = spellings(*option);
    if (std::find(names.begin(), names.end(), spelling) != names.end()) return option;
  }
  return nullptr;
}

const CLI::App* find_command(const CLI::App& app, const std::string& word) {
  for (const CLI::App* command : app.get_subcommands({}))
    if (command->get_name() == word) return command;
  return nullptr;
}

bool takes_value(const CLI::Option& option) {
  return option.get_items_expected_max() > 0;
}

// Words that must be commands come first; behind the last command stand its options.
void check_typed(const CLI::App& app, char** words) {
  std::vector<std::string> known;
  for (const CLI::App* command : app.get_subcommands({})) known.push_back(command->get_name());
  if (!*words && app.get_parent() && !known.empty())
    throw Error("`" + path_of(app) +
                "` needs a command behind it: " + fmt::format("{}", fmt::join(known, ", ")) +
                "; `" + path_of(app) + " --help` tells what they do");
  if (!*words) return;
  if (**words == '-') return check_options(app, words);
  if (const CLI::App* command = find_command(app, *words)) return check_typed(*command, words + 1);
  if (known.empty()) return check_options(app, words);
  throw Error("there is no command `" + std::string(*words) + "`" + did_you_mean(*words, known) +
              "; `" + path_of(app) + " --help` lists them");
}

std::string lacking(const CLI::App& app, const std::string& said) {
  if (const auto inner = app.get_subcommands(); !inner.empty()) return lacking(*inner[0], said);
  return "`" + path_of(app) + "` needs " + said.substr(0, said.find(' ')) + "; `" + path_of(app) +
         " --help` tells what that is";
}

CLI::Validator whole(int64_t least, int64_t most) {
  const std::string bounds = most == INT64_MAX
                                 ? "at least " + std::to_string(least)
                                 : std::to_string(least) + " to " + std::to_string(most);
  return CLI::Validator(
      [=](const std::string& text) {
        int64_t number = 0;
        const bool fits = read(text, number) && number >= least && number <= most;
        return fits ? std::string() : "must be a whole number, " + bounds + ", not `" + text + "`";
      },
      "");
}

CLI::Validator thread_count() {
  return whole(1, 4096);
}

CLI::Validator span(bool may_be_zero) {
  return CLI::Validator(
      [=](const std::string& text) {
        double number = 0;
        const bool fits =
            read(text, number) && std::isfinite(number) && (may_be_zero ? number >= 0 : number > 0);
        return fits ? std::string()
                    : std::string("must be a number, ") + (may_be_zero ? "at least" : "above") +
                          " 0, not `" + text + "`";
      },
      "");
}

CLI::Validator not_empty() {
  return CLI::Validator(
      [](const std::string& text) { return text.empty() ? "the name is empty" : ""; }, "");
}

int threads_of_environment() {
  const char* const given = std::getenv("WEFT_THREADS");
  if (!given || !*given) return 0;
  std::string text = given;
  if (const std::string why = thread_count()(text); !why.empty())
    throw Error("$WEFT_THREADS " + why);
  return std::stoi(text);
}

}  // namespace weft::cli
