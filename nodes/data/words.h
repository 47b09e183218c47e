// Text as numbers: the bytes of UTF-8, or the words of a vocabulary.
#pragma once

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace weft {

// Runs of letters and digits, in lower case; bytes above ASCII count as letters.
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

// 0 is a word that is not known; then the most frequent, those of equal number by the alphabet.
class Vocabulary {
 public:
  void count(const std::string& text) {
    for (const std::string& word : split_words(text)) ++counts_[word];
  }
  void keep(size_t most) {
    std::vector<std::pair<int64_t, std::string>> all;
    for (const auto& [word, number] : counts_) all.emplace_back(-number, word);
    std::sort(all.begin(), all.end());
    for (size_t i = 0; i + 1 < most && i < all.size(); ++i)
      places_[all[i].second] = static_cast<int32_t>(i + 1);
  }
  std::vector<int32_t> places(const std::string& text) const {
    std::vector<int32_t> all;
    for (const std::string& word : split_words(text)) {
      const auto found = places_.find(word);
      all.push_back(found == places_.end() ? 0 : found->second);
    }
    return all;
  }

 private:
  std::map<std::string, int64_t> counts_;
  std::map<std::string, int32_t> places_;
};

}  // namespace weft
