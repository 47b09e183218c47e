#include "nodes/data/sample_files.h"

#include <algorithm>
#include <set>

#include "framework/formats/tar.h"
#include "framework/node/did_you_mean.h"
#include "nodes/data/folder_files.h"

namespace weft {

namespace {
namespace fs = std::filesystem;

std::string first_line(const FilePart& part) {
  constexpr size_t most = size_t{1} << 16;
  const DiskFile disk(part);
  std::string text(std::min(most, static_cast<size_t>(disk.size())), '\0');
  text.resize(static_cast<size_t>(disk.read(0, text.data(), std::ssize(text))));
  const size_t end = text.find('\n');
  if (end == std::string::npos && text.size() == most)
    throw Error(Exit::data, part.name() + ": the first line is longer than 64 KiB");
  text.resize(std::min(end, text.size()));
  if (text.find('\0') != std::string::npos)
    throw Error(Exit::data, part.name() + ": the first line has a zero byte");
  if (text.ends_with('\r')) text.pop_back();
  return text.starts_with("\xef\xbb\xbf") ? text.substr(3) : text;
}
}  // namespace

bool SampleFiles::holds_samples(const fs::path& where) {
  std::error_code ignored;
  return fs::is_directory(where, ignored) || where.extension() == ".tar";
}

SampleFiles::SampleFiles(const fs::path& where) : name_(where.string()) {
  constexpr FileKind any{"regular", "files", "of any name", [](const fs::path&) { return true; }};
  if (where.extension() == ".tar" && !fs::is_directory(where)) {
    for (FilePart& part : tar_members(where)) parts_[part.member] = part;
    return;
  }
  for (FilePart& part : files_below(where, any)) {
    std::string path = part.file.lexically_relative(where).generic_string();
    parts_.emplace(std::move(path), std::move(part));
  }
}

const FilePart& SampleFiles::part(const std::string& path) const {
  const auto found = parts_.find(path);
  if (found == parts_.end()) throw Error("`" + path + "` is no file in " + name_);
  return found->second;
}

std::string SampleFiles::cell(const std::string& stem, const std::string& column) const {
  const size_t slash = stem.rfind('/');
  const bool inside = slash != std::string::npos;
  if (column == "name") return inside ? stem.substr(slash + 1) : stem;
  if (column == "path") return inside ? stem.substr(0, slash) : "";
  if (column == "folder") return inside ? stem.substr(0, stem.find('/')) : "";
  const auto found = parts_.find(stem + column);
  if (found == parts_.end()) return "";
  const bool text = column.ends_with(".txt") || column.ends_with(".cls");
  return text ? first_line(found->second) : found->first;
}

// What a column can be called, for messages: endings of files with some of the stems, and others.
std::vector<std::string> SampleFiles::endings(const std::vector<std::string>& stems) const {
  constexpr size_t some = 100;
  std::set<std::string> all{"name", "path", "folder"};
  for (size_t i = 0; i < std::min(some, stems.size()); ++i)
    for (auto at = parts_.lower_bound(stems[i]); at != parts_.end(); ++at) {
      if (!at->first.starts_with(stems[i]) || all.size() > some) break;
      all.insert(at->first.substr(stems[i].size()));
    }
  return {all.begin(), all.end()};
}

Table SampleFiles::table(const std::string& key, const std::vector<std::string>& columns) const {
  Table table{.columns = {key}};
  for (const std::string& column : columns)
    if (std::find(table.columns.begin(), table.columns.end(), column) == table.columns.end())
      table.columns.push_back(column);
  std::vector<std::string> stems;
  for (const auto& [path, part] : parts_)
    if (path.ends_with(key)) stems.push_back(path.substr(0, path.size() - key.size()));
  if (stems.empty()) throw Error(Exit::data, name_ + " holds no file that ends in `" + key + "`");

  std::vector<bool> known(table.columns.size());
  for (const std::string& stem : stems) {
    std::vector<std::string>& row = table.rows.emplace_back();
    for (size_t i = 0; i < table.columns.size(); ++i) {
      row.push_back(cell(stem, table.columns[i]));
      known[i] = known[i] || !row.back().empty();
    }
  }
  for (size_t i = 0; i < known.size(); ++i)
    if (!known[i])
      throw Error("no sample of " + name_ + " has a `" + table.columns[i] + "`" +
                  did_you_mean(table.columns[i], endings(stems)));
  return table;
}

}  // namespace weft
