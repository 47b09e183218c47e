// What sources of folders have in common: the files of one kind below folders, their classes, and
// the choice of those that are samples.
#pragma once

#include <algorithm>
#include <filesystem>
#include <optional>
#include <regex>
#include <string>
#include <vector>

#include "framework/node/source.h"
#include "framework/node/split.h"
#include "nodes/data/bad_files.h"
#include "nodes/data/classes.h"
#include "nodes/data/file_store.h"
#include "nodes/data/limit.h"

namespace weft {

// The files of a kind below a folder, in the order of their paths.
inline std::vector<FilePart> files_below(const std::filesystem::path& folder,
                                         const FileKind& kind) {
  constexpr size_t most_files = 10'000'000;
  std::vector<std::filesystem::path> files;
  std::error_code error;
  std::filesystem::recursive_directory_iterator at(folder, error), end;
  for (; !error && at != end; at.increment(error)) {
    if (!kind.matches(at->path()) || !at->is_regular_file(error)) continue;
    files.push_back(at->path());
    if (files.size() > most_files)
      throw Error(Exit::data,
                  folder.string() + " holds more than 10 million " + kind.name + " files");
  }
  if (error) throw Error(Exit::data, "cannot list " + folder.string() + ": " + error.message());
  if (files.empty())
    throw Error(Exit::data,
                folder.string() + " holds no " + kind.name + " file (" + kind.extensions + ")");
  std::sort(files.begin(), files.end());
  return {files.begin(), files.end()};
}

// A folder that was found, and how the paths of its files begin.
struct Folder {
  std::filesystem::path found, name;
};

// The folders as they are given. Several are read as the folder that holds them all would be: the
// paths of their files begin where the folders' own names differ. Of one they begin in it.
inline std::vector<Folder> find_folders(const std::vector<std::string>& given) {
  std::vector<std::vector<std::string>> names;
  for (const std::string& folder : given) {
    if (folder.empty())
      throw Error("`folder` is empty: write `.` for the folder weft is started in");
    names.emplace_back();
    for (const auto& name : std::filesystem::path(folder).lexically_normal().relative_path())
      if (!name.empty() && name != ".") names.back().push_back(name.string());
  }
  if (names.empty()) throw Error("`folder` is an empty list, but must name a folder");

  auto sorted = names;
  std::sort(sorted.begin(), sorted.end());
  for (size_t i = 1; i < sorted.size(); ++i)  // a folder stands right before those in it
    if (std::equal(sorted[i - 1].begin(), sorted[i - 1].end(), sorted[i].begin(),
                   sorted[i].begin() + std::min(std::ssize(sorted[i - 1]), std::ssize(sorted[i]))))
      throw Error("`folder` has a folder twice, or one that is in another");
  const auto& first = sorted.front();  // what it shares with the last, all share
  const auto shared =
      std::mismatch(first.begin(), first.end(), sorted.back().begin(), sorted.back().end()).first -
      first.begin();

  std::vector<Folder> folders;
  for (size_t i = 0; i < given.size(); ++i) {
    folders.push_back({find_data(given[i]), {}});
    for (auto name = names[i].begin() + shared; name != names[i].end(); ++name)
      folders.back().name /= *name;
  }
  return folders;
}

// The regular expression that a param has.
inline std::regex expression(const Param<std::string>& param) {
  const std::string name = "`" + std::string(param.name) + "`";
  if (param->size() > 1000) throw Error(name + " is longer than 1000 characters");
  try {
    return std::regex(*param);
  } catch (const std::regex_error& error) {
    throw Error(name + " is no regular expression: " + std::string(error.what()));
  }
}

// The samples of a source of folders: a file each, in a store of one form.
template <class Store>
struct FolderSamples {
  Param<std::vector<std::string>> folder;
  SplitParams side;
  Param<std::string> match, label, group;
  Classes classes;
  Limit limit;
  BadFilesParams bad;

  std::optional<Store> store = {};
  std::vector<std::string> paths = {};  // by file
  std::vector<size_t> chosen = {};      // by sample: the number of its file
  std::vector<std::string> notes = {};

  FolderSamples(Node* owner, const Out& of, const char* where)
      : folder(owner, "folder", where, required),
        side(owner),
        match(owner, "match",
              "A regular expression that the paths of files in the folder have to match.", "",
              chooses_samples()),
        label(owner, "label",
              "A regular expression: what it matches of a file's path in the folder is its class, "
              "such as ^[a-z]+ for how its name begins. Else its first sub-folder is, or, of "
              "several folders, the first part of their names in which they differ.",
              ""),
        group(owner, "group",
              "A regular expression: files whose names match it with the same text are one group. "
              "Else each file is.",
              "", chooses_samples()),
        classes(owner, of),
        limit(owner),
        bad(owner) {}

  // Lists, chooses and numbers. Returns the number of samples.
  int64_t open(const typename Store::Form& form) {
    store.emplace(list(), form);
    choose();
    const std::string files = Store::kind.plural;
    classes.open(
        label->empty() ? "folders of " + files : "`" + *label + "` in names of " + files,
        paths.size(), chosen,
        [its = classes_of_files()](size_t file) -> const std::string& { return its[file]; });
    limit.cut(chosen);
    notes = bad.leave_out(
        chosen, [&](size_t file) { return store->complaint(file); },
        [&](size_t file) { store->glance(file); });
    classes.check(chosen);
    return std::ssize(chosen);
  }

  size_t file(int64_t sample) const { return chosen[static_cast<size_t>(sample)]; }

 private:
  std::vector<FilePart> list() {
    const std::regex pattern = expression(match);
    std::vector<FilePart> files;
    std::string where;
    paths.clear();
    for (const auto& [found, name] : find_folders(*folder)) {
      where += (where.empty() ? "" : " or ") + found.string();
      for (FilePart& part : files_below(found, Store::kind)) {
        std::string path = (name / part.file.lexically_relative(found)).generic_string();
        if (!match->empty() && !std::regex_search(path, pattern)) continue;
        files.push_back(std::move(part));
        paths.push_back(std::move(path));
      }
    }
    if (files.empty())
      throw Error(Exit::data, "no " + std::string(Store::kind.name) + " file in " + where +
                                  " matches `" + *match + "`");
    return files;
  }

  void choose() {
    const std::regex pattern = expression(group);
    chosen.clear();
    for (size_t i = 0; i < paths.size(); ++i) {
      std::smatch found;
      const bool named = !group->empty() && std::regex_search(paths[i], found, pattern);
      if (side.wants(named ? found.str() : paths[i])) chosen.push_back(i);
    }
    if (chosen.empty())
      throw Error(Exit::data,
                  "of " + std::to_string(paths.size()) +
                      " files, none falls to `split: " + std::get<std::string>(side.split.value()) +
                      "`: change the shares, or give more files");
  }

  std::vector<std::string> classes_of_files() const {
    const std::regex pattern = expression(label);
    std::vector<std::string> all;
    for (const std::string& path : paths) {
      std::smatch found;
      if (label->empty())
        all.push_back(path.substr(0, path.find('/') == path.npos ? 0 : path.find('/')));
      else
        all.push_back(std::regex_search(path, found, pattern) ? found.str() : "");
    }
    return all;
  }
};

}  // namespace weft
