// weft new, and the names that stand for pipelines
#include "framework/cli/shipped.h"

#include <fmt/core.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <optional>

#include "framework/cli/commands.h"
#include "framework/language/fields.h"
#include "framework/node/did_you_mean.h"
#include "framework/plugin/loader.h"
#include "framework/print/describe.h"
#include "framework/run/durable_files.h"
#include "framework/run/run_directory.h"

namespace weft::cli {

namespace {
namespace fs = std::filesystem;

fs::path folder() {
  return installation() / "share/weft/pipelines";
}

std::optional<fs::path> find_shipped(const std::string& name) {
  const auto names = shipped_names();
  if (!std::binary_search(names.begin(), names.end(), name)) return std::nullopt;
  return folder() / (name + ".yaml");
}

std::string text_of(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

void list_shipped() {
  size_t width = 0;
  for (const std::string& name : shipped_names()) width = std::max(width, name.size());
  for (const std::string& name : shipped_names()) {
    const Yaml text = Yaml::read(shipped_file(name));
    const Yaml* about = text.find("about");
    fmt::print("{}", line(name, width, about ? about->text() : ""));
  }
}

void add_with_needed(const std::string& file, std::vector<std::string>& files);

// Adds the fragments of the folder beside the shipped pipelines that nodes in `value` are of.
void add_fragments(const Yaml& value, std::vector<std::string>& files) {
  if (const Yaml* kind = value.find("node"); kind && is_name(kind->text())) {
    const std::string file = "fragments/" + kind->text() + ".yaml";
    if (std::error_code missing; fs::is_regular_file(folder() / file, missing))
      add_with_needed(file, files);
  }
  for (const Yaml& item : value.items()) add_fragments(item, files);
  for (const Yaml::Entry& entry : value.entries()) add_fragments(entry.value, files);
}

// Adds a shipped file, the files that it includes, which lie beside it, and the fragments.
void add_with_needed(const std::string& file, std::vector<std::string>& files) {
  if (std::find(files.begin(), files.end(), file) != files.end()) return;
  files.push_back(file);
  const Yaml text = Yaml::read(folder() / file);
  if (const Yaml* include = text.find("include")) {
    if (include->is_scalar()) add_with_needed(include->text(), files);
    for (const Yaml& item : include->items()) add_with_needed(item.text(), files);
  }
  add_fragments(text, files);
}

void copy_here(const std::string& file) {
  fs::create_directories(fs::absolute(file).parent_path());
  write_atomically(file, FileReader(folder() / file).text(1 << 20));
  fmt::print("{}\n", file);
}
}  // namespace

std::vector<std::string> shipped_names() {
  std::vector<std::string> names;
  std::error_code missing;
  for (const auto& entry : fs::directory_iterator(folder(), missing))
    if (entry.path().extension() == ".yaml") names.push_back(entry.path().stem().string());
  std::sort(names.begin(), names.end());
  return names;
}

fs::path shipped_file(const std::string& name) {
  if (const auto file = find_shipped(name)) return *file;
  throw Error("weft has no pipeline `" + name + "`" + did_you_mean(name, shipped_names()) +
              "; `weft new` lists those that it has");
}

fs::path pipeline_file(const std::string& given, const char* or_a) {
  std::error_code missing;
  const auto type = fs::status(given, missing).type();
  if (type == fs::file_type::directory && RunDirectory::exists(given))
    throw Error(
        fmt::format("`{0}` is a run: its pipeline is `{0}/resolved.yaml`, and --resume auto "
                    "with the pipeline that it was trained from goes on with it",
                    given));
  const bool there = type != fs::file_type::not_found && type != fs::file_type::directory;
  if (there || !is_name(given)) return given;
  if (const auto file = find_shipped(given)) return *file;
  if (type == fs::file_type::directory) return given;  // the reader refuses it
  const bool own = fs::exists(given + ".yaml", missing);
  throw Error(fmt::format(
      "there is no {} or pipeline `{}`{}; `weft new` lists the pipelines that come with weft", or_a,
      given, own ? " (did you mean `" + given + ".yaml`?)" : did_you_mean(given, shipped_names())));
}

Pipeline read_pipeline(const std::string& given, const std::vector<std::string>& sets,
                       Mistakes& mistakes) {
  return Pipeline::read(pipeline_file(given), sets, mistakes);
}

Exit make_new(const std::string& name) {
  if (name.empty()) return list_shipped(), Exit::done;
  std::vector<std::string> files;
  add_with_needed(shipped_file(name).filename(), files);
  std::erase_if(files, [&](const std::string& file) {
    std::error_code missing;
    if (!fs::exists(fs::symlink_status(file, missing))) return false;
    if (file == files.front() || text_of(file) != text_of(folder() / file))
      throw Error("`" + file + "` is here already: weft writes over no file of yours");
    return true;
  });
  for (const std::string& file : files) copy_here(file);
  return Exit::done;
}

}  // namespace weft::cli
