// The text of a YAML file before it is parsed: its characters, their places, and what is refused
// without a parser.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "framework/node/error.h"

namespace weft {

constexpr size_t max_text_bytes = 1 << 20;

struct Character {
  uint32_t code;
  size_t length;  // in bytes; 0: not UTF-8
};

Character first_character(std::string_view text);  // the text must not be empty
bool is_control(uint32_t code);  // tab and line ends are none, a byte order mark is one

// A user's text for use within a sentence: one line, at most 60 bytes.
std::string shown(std::string_view text);

// The words that YAML reads as null: "", ~, null, Null, NULL.
bool is_null_word(std::string_view text);

// A text fit to be parsed. It does not own the bytes; a byte order mark in front is skipped.
class YamlText {
 public:
  // Throws Error: larger than 1 MiB, not UTF-8, a control character, a directive.
  YamlText(std::string_view bytes, std::string file);

  std::string_view bytes() const { return bytes_; }
  char operator[](size_t at) const { return at < bytes_.size() ? bytes_[at] : '\0'; }
  Place place(size_t at) const;            // columns count characters
  std::string_view line(size_t at) const;  // the line that holds byte `at`
  std::string word(size_t at) const;       // from `at` to a space or bracket, shown()

 private:
  size_t check(size_t at) const;  // returns the length of the character

  std::string file_;
  std::string_view bytes_;
  std::vector<size_t> lines_{0};  // where each line starts
  std::vector<size_t> inner_;     // the bytes of characters after their first
};

}  // namespace weft
