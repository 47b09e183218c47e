// What sources of folders have in common: the files of one kind below a folder, their classes, and
// the choice of those that are samples.
#pragma once

#include <algorithm>
#include <filesystem>
#include <regex>
#include <string>
#include <vector>

#include "framework/node/source.h"
#include "framework/node/split.h"
#include "nodes/data/file_store.h"

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

inline std::filesystem::path find_folder(const std::string& given) {
  if (given.empty()) throw Error("`folder` is empty: write `.` for the folder weft is started in");
  return find_data(given);
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

// The files below a folder, in a store of one form.
template <class Store>
struct FolderFiles {
  std::filesystem::path folder;
  Store store;

  // `given` is the folder as the user wrote it; the paths of files in it must match.
  FolderFiles(const std::string& given, const typename Store::Form& form,
              const Param<std::string>& match)
      : folder(find_folder(given)), store(matching(match), form) {}

  size_t size() const { return store.files().size(); }
  std::filesystem::path inner(const FilePart& part) const {
    return part.file.lexically_relative(folder);
  }
  std::filesystem::path inner(size_t file) const { return inner(store.files()[file]); }

 private:
  std::vector<FilePart> matching(const Param<std::string>& match) const {
    std::vector<FilePart> files = files_below(folder, Store::kind);
    if (match->empty()) return files;
    const std::regex pattern = expression(match);
    std::erase_if(files, [&](const FilePart& file) {
      return !std::regex_search(inner(file).generic_string(), pattern);
    });
    if (files.empty())
      throw Error(Exit::data, "no " + std::string(Store::kind.name) + " file in " +
                                  folder.string() + " matches `" + *match + "`");
    return files;
  }
};

struct FolderParams {
  SplitParams side;
  Param<std::string> match;
  Param<std::string> label;
  Param<std::string> group;
  Param<int64_t> limit;

  explicit FolderParams(Node* owner)
      : side(owner),
        match(owner, "match",
              "A regular expression that the paths of files in the folder have to match.", ""),
        label(owner, "label",
              "A regular expression: what it matches of a file's path in the folder is its class, "
              "such as ^[a-z]+ for how its name begins. Else its first sub-folder is.",
              ""),
        group(owner, "group",
              "A regular expression: files whose names match it with the same text are one group. "
              "Else each file is.",
              ""),
        limit(owner, "limit", "Only the first files; 0 is all.", 0, at_least(0)) {}

  // The numbers of the files that are samples.
  template <class Store>
  std::vector<size_t> choose(const FolderFiles<Store>& files) const {
    const std::regex pattern = expression(group);
    std::vector<size_t> chosen;
    for (size_t i = 0; i < files.size(); ++i) {
      std::string name = files.inner(i).generic_string();
      if (std::smatch match; !group->empty() && std::regex_search(name, match, pattern))
        name = std::string(match[0]);
      if (side.wants(name)) chosen.push_back(i);
    }
    if (chosen.empty() && files.size() > 0)
      throw Error(Exit::data,
                  "of " + std::to_string(files.size()) +
                      " files, none falls to `split: " + std::get<std::string>(side.split.value()) +
                      "`: change the shares, or give more files");
    if (*limit > 0 && std::ssize(chosen) > *limit) chosen.resize(static_cast<size_t>(*limit));
    return chosen;
  }

  // What has the classes, such as "folders of sounds", for a Fit; and the class of a file, or "".
  std::string classes_of(const std::string& files) const {
    return label->empty() ? "folders of " + files : "`" + *label + "` in names of " + files;
  }
  std::string class_of(const std::filesystem::path& name, const std::regex& pattern) const {
    const std::string text = name.generic_string();
    if (std::smatch match; !label->empty())
      return std::regex_search(text, match, pattern) ? match.str() : "";
    return name.has_parent_path() ? name.begin()->string() : "";
  }
};

}  // namespace weft
