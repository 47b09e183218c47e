// Text as numbers, by the words of a vocabulary; and lists of texts as bytes or names, for a Fit.
#pragma once

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <map>
#include <string>
#include <unordered_map>
#include <vector>

namespace weft {

// The words of a text: runs of letters and digits in lower case; bytes above ASCII are letters.
inline std::vector<std::string> split_words(const std::string& text) {
  std::vector<std::string> words(1);
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) || byte >= 0x80)
      words.back() += static_cast<char>(std::tolower(byte));
    else if (!words.back().empty())
      words.emplace_back();
  }
  if (words.back().empty()) words.pop_back();
  return words;
}

// A list of texts as bytes: a zero byte ends each text.
template <class Texts>
std::string packed(const Texts& texts) {
  std::string bytes;
  for (const std::string& text : texts) bytes += text + '\0';
  return bytes;
}

inline std::vector<std::string> unpacked(const std::string& bytes) {
  std::vector<std::string> texts;
  for (size_t begin = 0, end = 0; (end = bytes.find('\0', begin)) != std::string::npos;
       begin = end + 1)
    texts.push_back(bytes.substr(begin, end - begin));
  return texts;
}

// "`name`, `title`", as a Fit names what it is of.
inline std::string quoted(const std::vector<std::string>& columns) {
  std::string all;
  for (const std::string& name : columns) all += (all.empty() ? "`" : ", `") + name + "`";
  return all;
}

// Counts words, and names the most frequent; equally frequent ones are in alphabetical order.
class WordCount {
 public:
  void add(const std::string& text) {
    for (const std::string& word : split_words(text)) ++counts_[word];
  }
  std::vector<std::string> most_frequent(size_t most) const {
    std::vector<std::pair<int64_t, std::string>> all;
    for (const auto& [word, number] : counts_) all.emplace_back(-number, word);
    std::sort(all.begin(), all.end());
    std::vector<std::string> words;
    for (size_t i = 0; i < most && i < all.size(); ++i) words.push_back(all[i].second);
    return words;
  }

 private:
  std::map<std::string, int64_t> counts_;
};

// Texts and their numbers: the order in a list, counted from `first`.
class Vocabulary {
 public:
  Vocabulary(const std::vector<std::string>& texts, int32_t first) {
    for (const std::string& text : texts)
      ids_.emplace(text, first + static_cast<int32_t>(ids_.size()));
  }
  int32_t id(const std::string& text, int32_t unknown) const {
    const auto found = ids_.find(text);
    return found == ids_.end() ? unknown : found->second;
  }

 private:
  std::unordered_map<std::string, int32_t> ids_;
};

}  // namespace weft
