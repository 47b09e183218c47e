#include "framework/formats/table.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "framework/formats/file_part.h"
#include "framework/node/did_you_mean.h"

namespace weft {

namespace {
using nlohmann::json;
constexpr int64_t most_bytes = int64_t{1} << 30;

Error bad(const std::filesystem::path& file, const std::string& why) {
  return {Exit::data, file.string() + ": " + why};
}

std::string read_text(const std::filesystem::path& file) {
  const DiskFile disk(file);
  if (disk.size() > most_bytes) throw bad(file, "is larger than 1 GiB");
  std::string text(static_cast<size_t>(disk.size()), '\0');
  text.resize(static_cast<size_t>(disk.read(0, text.data(), disk.size())));
  if (const size_t zero = text.find('\0'); zero != std::string::npos)
    throw bad(file, "has a zero byte in line " +
                        std::to_string(std::count(text.begin(), text.begin() + zero, '\n') + 1) +
                        ": it must be text in UTF-8");
  return text.starts_with("\xef\xbb\xbf") ? text.substr(3) : text;
}

// Refuses values that are too deep: walking them would overflow the stack.
bool shallow(int depth, json::parse_event_t, json&) {
  constexpr int most = 64;
  if (depth > most) throw Error("is nested deeper than 64");
  return true;
}

std::string text_of(const json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_null()) return "";
  if (!value.is_array()) return value.dump();
  std::string all;
  for (const json& item : value) all += (all.empty() ? "" : " ") + text_of(item);
  return all;
}

void add_object(Table& table, std::map<std::string, size_t>& columns, const json& object) {
  std::vector<std::string>& row = table.rows.emplace_back(table.columns.size());
  for (const auto& [key, value] : object.items()) {
    const auto [column, fresh] = columns.try_emplace(key, table.columns.size());
    if (fresh) table.columns.push_back(key);
    row.resize(std::max(row.size(), column->second + 1));
    row[column->second] = text_of(value);
    if (key.find('\0') != std::string::npos || row[column->second].find('\0') != std::string::npos)
      throw Error("has a zero byte in a text, in object " + std::to_string(table.rows.size()));
  }
}

Table read_json(const std::filesystem::path& file, bool lines) {
  Table table;
  std::map<std::string, size_t> columns;
  const std::string text = read_text(file);
  try {
    if (!lines) {
      const json list = json::parse(text, shallow);
      if (!list.is_array()) throw bad(file, "must be a list of objects");
      for (const json& object : list) {
        if (!object.is_object())
          throw bad(file, "item " + std::to_string(table.rows.size()) + " is no object");
        add_object(table, columns, object);
      }
    }
    size_t begin = 0;
    for (int64_t line = 1; lines && begin < text.size(); ++line) {
      const size_t end = std::min(text.find('\n', begin), text.size());
      const std::string one = text.substr(begin, end - begin);
      begin = end + 1;
      if (one.find_first_not_of(" \t\r") == std::string::npos) continue;
      const json object = json::parse(one, shallow, false);
      if (!object.is_object())
        throw bad(file, "line " + std::to_string(line) + " is no JSON object");
      add_object(table, columns, object);
    }
  } catch (const json::exception& error) {
    throw bad(file, std::string("is not JSON: ") + error.what());
  } catch (const Error& error) {
    throw error.code() == Exit::data ? error : bad(file, error.sentence());
  }
  for (auto& row : table.rows) row.resize(table.columns.size());
  return table;
}

// Reads records of fields, one after the other; a field in quotes may hold line ends.
class Records {
 public:
  Records(const std::filesystem::path& file, char comma)
      : file_(file), text_(read_text(file)), comma_(comma) {}

  bool done() const { return at_ >= text_.size(); }

  std::vector<std::string> next() {
    std::vector<std::string> fields(1);
    size_t opened = std::string::npos;  // where an open quote begins
    for (; at_ < text_.size(); ++at_) {
      const char c = text_[at_];
      const bool quoted = opened != std::string::npos;
      if (quoted && c == '"' && at_ + 1 < text_.size() && text_[at_ + 1] == '"')
        fields.back() += text_[++at_];
      else if (c == '"' && (quoted || fields.back().empty()))
        opened = quoted ? std::string::npos : at_;
      else if (!quoted && c == comma_)
        fields.emplace_back();
      else if (!quoted && c == '\n')
        break;
      else if (quoted || c != '\r')
        fields.back() += c;
    }
    ++at_;
    if (opened != std::string::npos)
      throw bad(file_,
                "has a quote in line " +
                    std::to_string(std::count(text_.begin(), text_.begin() + opened, '\n') + 1) +
                    " that is never closed: all that follows would be one field");
    return fields;
  }

 private:
  const std::filesystem::path& file_;
  std::string text_;
  char comma_;
  size_t at_ = 0;
};

Table read_separated(const std::filesystem::path& file, char comma) {
  Records records(file, comma);
  Table table{.columns = records.next()};
  for (int64_t number = 2; !records.done(); ++number) {
    std::vector<std::string> row = records.next();
    if (row.size() == 1 && row[0].empty()) continue;
    if (row.size() != table.columns.size())
      throw bad(file, "record " + std::to_string(number) + " has " + std::to_string(row.size()) +
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

bool is_table(const std::filesystem::path& file) {
  const std::string kind = file.extension().string();
  return kind == ".json" || kind == ".jsonl" || kind == ".csv" || kind == ".tsv";
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
