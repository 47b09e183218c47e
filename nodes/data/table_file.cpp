#include "nodes/data/table_file.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

namespace weft {

namespace {
using nlohmann::json;
constexpr int64_t most_bytes = int64_t{1} << 30;

Error bad(const std::filesystem::path& file, const std::string& why) {
  return {Exit::data, file.string() + ": " + why};
}

std::string read_text(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary | std::ios::ate);
  const auto size = in ? static_cast<int64_t>(in.tellg()) : -1;
  if (size < 0) throw bad(file, std::string("cannot be read: ") + std::strerror(errno));
  if (size > most_bytes) throw bad(file, "is larger than 1 GiB");
  std::string text(static_cast<size_t>(size), '\0');
  in.seekg(0);
  if (!in.read(text.data(), size)) throw bad(file, "cannot be read");
  return text.starts_with("\xef\xbb\xbf") ? text.substr(3) : text;
}

std::string text_of(const json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_null()) return "";
  if (!value.is_array()) return value.dump();
  std::string all;
  for (const json& item : value) all += (all.empty() ? "" : " ") + text_of(item);
  return all;
}

void add_object(Table& table, std::map<std::string, size_t>& places, const json& object) {
  std::vector<std::string>& row = table.rows.emplace_back(table.columns.size());
  for (const auto& [key, value] : object.items()) {
    const auto [place, fresh] = places.try_emplace(key, table.columns.size());
    if (fresh) table.columns.push_back(key);
    row.resize(std::max(row.size(), place->second + 1));
    row[place->second] = text_of(value);
  }
}

Table read_json(const std::filesystem::path& file, bool lines) {
  Table table;
  std::map<std::string, size_t> places;
  const std::string text = read_text(file);
  try {
    if (!lines) {
      const json list = json::parse(text);
      if (!list.is_array()) throw bad(file, "must be a list of objects");
      for (const json& object : list) {
        if (!object.is_object())
          throw bad(file, "item " + std::to_string(table.rows.size()) + " is no object");
        add_object(table, places, object);
      }
    }
    size_t begin = 0;
    for (int64_t line = 1; lines && begin < text.size(); ++line) {
      const size_t end = std::min(text.find('\n', begin), text.size());
      const std::string one = text.substr(begin, end - begin);
      begin = end + 1;
      if (one.find_first_not_of(" \t\r") == std::string::npos) continue;
      const json object = json::parse(one, nullptr, false);
      if (!object.is_object())
        throw bad(file, "line " + std::to_string(line) + " is no JSON object");
      add_object(table, places, object);
    }
  } catch (const json::exception& error) {
    throw bad(file, std::string("is not JSON: ") + error.what());
  }
  for (auto& row : table.rows) row.resize(table.columns.size());
  return table;
}

// The fields of one record from `at` on, which is moved behind it; quotes may hold line ends.
std::vector<std::string> read_record(const std::string& text, size_t& at, char comma) {
  std::vector<std::string> fields(1);
  bool quoted = false;
  for (; at < text.size(); ++at) {
    const char c = text[at];
    if (quoted && c == '"' && at + 1 < text.size() && text[at + 1] == '"')
      fields.back() += text[++at];
    else if (c == '"' && (quoted || fields.back().empty()))
      quoted = !quoted;
    else if (!quoted && c == comma)
      fields.emplace_back();
    else if (!quoted && c == '\n')
      break;
    else if (quoted || c != '\r')
      fields.back() += c;
  }
  ++at;
  return fields;
}

Table read_separated(const std::filesystem::path& file, char comma) {
  const std::string text = read_text(file);
  size_t at = 0;
  Table table{.columns = read_record(text, at, comma)};
  for (int64_t line = 2; at < text.size(); ++line) {
    std::vector<std::string> row = read_record(text, at, comma);
    if (row.size() == 1 && row[0].empty()) continue;
    if (row.size() != table.columns.size())
      throw bad(file, "record " + std::to_string(line) + " has " + std::to_string(row.size()) +
                          " fields, but the header has " + std::to_string(table.columns.size()));
    table.rows.push_back(std::move(row));
  }
  return table;
}
}  // namespace

size_t Table::column(const std::string& name) const {
  const auto found = std::find(columns.begin(), columns.end(), name);
  if (found == columns.end())
    throw Error("the table has no column `" + name + "`" + did_you_mean(name, columns));
  return static_cast<size_t>(found - columns.begin());
}

Table read_table(const std::filesystem::path& file) {
  const std::string kind = file.extension().string();
  if (kind == ".json") return read_json(file, false);
  if (kind == ".jsonl") return read_json(file, true);
  if (kind == ".csv") return read_separated(file, ',');
  if (kind == ".tsv") return read_separated(file, '\t');
  throw Error("a table is a .csv, .tsv, .json or .jsonl file, not " + file.string());
}

}  // namespace weft
