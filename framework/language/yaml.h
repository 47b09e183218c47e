// YAML values that know their place in the file. This is the only reader of YAML text, and yaml.cpp
// alone includes the YAML library. Hostile text is refused before anything is built from it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "framework/node/error.h"

namespace weft {

// A scalar, a list or a map of a YAML document. Maps keep the order of the file.
class Yaml {
 public:
  enum class Kind { null, scalar, list, map };
  struct Entry;

  Yaml() = default;
  static Yaml null(Place place);
  static Yaml scalar(std::string text, Place place, bool quoted = false);
  static Yaml list(std::vector<Yaml> items, Place place);
  static Yaml map(std::vector<Entry> entries, Place place);

  // Throws Errors with every mistake of the text: not UTF-8, larger than 1 MiB, deeper than 64,
  // more than 100,000 values once aliases are expanded, an alias inside its own anchor, a tag, a
  // merge key, a duplicate key, a second document, or not YAML at all. Also refused: a key that is
  // not text, a directive, and aliases that repeat more than 16 MiB of text.
  static Yaml parse(std::string_view text, const std::string& file);
  static Yaml read(const std::filesystem::path& file);  // throws also if it cannot be read

  Kind kind() const { return kind_; }
  bool is_null() const { return kind_ == Kind::null; }
  bool is_scalar() const { return kind_ == Kind::scalar; }
  bool is_list() const { return kind_ == Kind::list; }
  bool is_map() const { return kind_ == Kind::map; }
  const Place& place() const { return place_; }

  // A scalar's text. Quoted text is never a number, a bool or a variable.
  const std::string& text() const { return text_; }
  bool quoted() const { return quoted_; }
  const std::vector<Yaml>& items() const { return items_; }
  std::vector<Yaml>& items() { return items_; }
  const std::vector<Entry>& entries() const { return entries_; }
  std::vector<Entry>& entries() { return entries_; }
  const Yaml* find(std::string_view key) const;  // null if absent
  Yaml* find(std::string_view key);
  void put(std::string key, Yaml value);  // replaces or appends
  void put(Entry entry);                  // likewise, with the place of its key
  void erase(std::string_view key);

  // Strict conversions, which throw Error with the place and what was expected. Bools are `true`
  // and `false` alone, integers are decimal without leading zeros, numbers are finite decimals.
  bool to_bool(const std::string& what) const;
  int64_t to_int(const std::string& what) const;  // 1e3 is an integer too
  double to_number(const std::string& what) const;
  const std::string& to_text(const std::string& what) const;

  // Compares kinds, texts, quoting and children with their order, but not places.
  bool operator==(const Yaml& other) const;

  // The paths at which two trees differ, such as "train.phases.0.optimizer.lr", in this one's
  // order.
  std::vector<std::string> differences(const Yaml& other) const;

  // The value as YAML text: short maps and lists on one line (flow style), others in block style.
  // parse(str()) == *this.
  std::string str() const;

 private:
  Kind kind_ = Kind::null;
  bool quoted_ = false;
  Place place_;
  std::string text_;
  std::vector<Yaml> items_;
  std::vector<Entry> entries_;
};

struct Yaml::Entry {
  std::string key;
  Place place;  // where the key stands
  Yaml value;
};

}  // namespace weft
