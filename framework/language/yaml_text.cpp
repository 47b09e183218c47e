#include "framework/language/yaml_text.h"

#include <algorithm>

namespace weft {

Character first_character(std::string_view text) {  // well-formed UTF-8: Unicode 15, table 3-7
  const auto byte = [&](size_t i) -> uint32_t {
    return i < text.size() ? static_cast<uint8_t>(text[i]) : 0;
  };
  const uint32_t lead = byte(0);
  if (lead < 0x80) return {lead, 1};
  const size_t length = lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 0;
  uint32_t code = lead & (0x7f >> length);
  for (size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return {0, 0};
    code = code << 6 | (byte(i) & 0x3f);
  }
  const bool overlong = (length == 3 && code < 0x800) || (length == 4 && code < 0x10000);
  const bool surrogate = code >= 0xd800 && code < 0xe000;
  if (overlong || surrogate || code > 0x10ffff) return {0, 0};
  return {code, length};
}

bool is_control(uint32_t code) {
  return (code < 0x20 && code != '\t' && code != '\n' && code != '\r') ||
         (code >= 0x7f && code < 0xa0) || code == 0xfeff;
}

std::string shown(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size();) {
    const auto [code, length] = first_character(text.substr(i));
    if (out.size() + length > 60) return out + "…";
    if (length == 0 || code < 0x20 || is_control(code))
      out += '?';
    else
      out += text.substr(i, length);
    i += std::max<size_t>(length, 1);
  }
  return out;
}

bool is_null_word(std::string_view text) {
  return text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL";
}

YamlText::YamlText(std::string_view bytes, std::string file)
    : file_(std::move(file)), bytes_(bytes) {
  if (bytes_.starts_with("\xef\xbb\xbf")) bytes_.remove_prefix(3);
  if (bytes_.size() > max_text_bytes) throw Error(Place{file_}, "the text is larger than 1 MiB");
  for (size_t at = 0; at < bytes_.size();) {
    const size_t length = check(at);
    if (bytes_[at] == '\n') lines_.push_back(at + 1);
    for (size_t i = 1; i < length; ++i) inner_.push_back(at + i);
    at += length;
  }
}

size_t YamlText::check(size_t at) const {
  const auto [code, length] = first_character(bytes_.substr(at));
  const auto refuse = [&](const char* what) { throw Error(place(at), what); };
  if (length == 0) refuse("the text is not UTF-8");
  if (code == 0) refuse("a zero byte; this is not a text file");
  if (code == 0xfeff) refuse("a byte order mark within the text; remove it");
  if (is_control(code)) refuse("a control character; remove it");
  if (code == '\r' && (*this)[at + 1] != '\n')
    refuse("a carriage return without a line feed; end lines with a line feed");
  if (code == '%' && at == lines_.back())
    refuse("a line cannot start with `%`; YAML directives are not supported");
  return length;
}

Place YamlText::place(size_t at) const {
  const auto line = std::prev(std::upper_bound(lines_.begin(), lines_.end(), at));
  const auto inner = std::lower_bound(inner_.begin(), inner_.end(), at) -
                     std::lower_bound(inner_.begin(), inner_.end(), *line);
  return {file_, static_cast<int>(line - lines_.begin()) + 1,
          static_cast<int>(at - *line - inner) + 1};
}

std::string_view YamlText::line(size_t at) const {
  const auto next = std::upper_bound(lines_.begin(), lines_.end(), at);
  const size_t begin = *std::prev(next);
  return bytes_.substr(begin, (next == lines_.end() ? bytes_.size() : *next) - begin);
}

std::string YamlText::word(size_t at) const {
  at = std::min(at, bytes_.size());
  return shown(bytes_.substr(at, bytes_.find_first_of(" \t\r\n,[]{}", at) - at));
}

}  // namespace weft
