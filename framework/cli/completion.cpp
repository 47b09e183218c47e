#include "framework/cli/completion.h"

#include <algorithm>
#include <sstream>

#include "framework/cli/shipped.h"
#include "framework/cli/typed.h"
#include "framework/datasets/catalogue.h"
#include "framework/language/fragment_files.h"
#include "framework/plugin/loader.h"

namespace weft::cli {

namespace {
using Words = std::vector<Completion::Word>;

std::vector<std::string> kinds() {
  const Registry registry = load_plugins(plugin_search());
  auto names = registry.names();
  for (std::string& name : fragment_names(registry)) names.push_back(std::move(name));
  return names;
}

std::vector<std::string> dataset_names() {
  std::vector<std::string> names;
  for (const datasets::Dataset& set : datasets::catalogue()) names.push_back(set.name);
  return names;
}

// Adds the values that an option or an argument of a command can have.
void add_values(const CLI::Option& option, Completion& completion) {
  const std::string& name = option.get_single_name();
  std::vector<std::string> values = choices(option);
  if (name == "PIPELINE" || name == "RUN") values = shipped_names();
  if (name == "NODE") values = kinds();
  if (name == "DATASET") values = dataset_names();
  if (name == "resume") values = {"auto", "last", "best"};
  if (name == "checkpoint") values = {"last", "best"};
  for (const std::string& value : values) completion.words.push_back({value, ""});
  completion.files =
      values.empty() ? option.get_type_name() == "TEXT" : name == "PIPELINE" || name == "RUN";
}

const CLI::Option* positional(const CLI::App& app, size_t index) {
  for (const CLI::Option* option : app.get_options())
    if (option->get_positional() && index-- == 0) return option;
  return nullptr;
}

void add_options(const CLI::App& app, Completion& completion) {
  for (const CLI::Option* option : app.get_options())
    if (const auto names = spellings(*option); !names.empty())
      completion.words.push_back({names.back(), option->get_description()});
}
}  // namespace

std::vector<std::string> choices(const CLI::Option& option) {
  const std::string type = option.get_type_name();  // "TEXT:{auto,bar}"
  const size_t open = type.find('{'), close = type.find('}');
  std::vector<std::string> values;
  if (open == std::string::npos || close == std::string::npos) return values;
  std::istringstream list(type.substr(open + 1, close - open - 1));
  for (std::string value; std::getline(list, value, ',');) values.push_back(value);
  return values;
}

Completion complete(const CLI::App& app, const std::vector<std::string>& typed) {
  Completion completion;
  if (typed.empty()) return completion;
  const CLI::App* command = &app;
  const CLI::Option* waiting = nullptr;  // for a value
  size_t place = 0;                      // among words that are no options
  for (auto word = typed.begin(); word + 1 != typed.end(); ++word) {
    const CLI::App* further = find_command(*command, *word);
    if (waiting)
      waiting = nullptr;
    else if (word->starts_with("-"))
      waiting = find_option(*command, *word);
    else if (further)
      command = further, place = 0;
    else
      ++place;
    if (waiting && !takes_value(*waiting)) waiting = nullptr;
  }
  if (waiting) {
    add_values(*waiting, completion);
  } else if (typed.back().starts_with("-")) {
    add_options(*command, completion);
  } else {
    for (const CLI::App* further : command->get_subcommands({}))
      completion.words.push_back({further->get_name(), further->get_description()});
    if (const CLI::Option* next = positional(*command, place)) add_values(*next, completion);
  }
  std::erase_if(completion.words,
                [&](const auto& word) { return !word.text.starts_with(typed.back()); });
  return completion;
}

}  // namespace weft::cli
