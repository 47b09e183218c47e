// The classes of a source's samples: their different texts, numbered in alphabetical order.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "framework/node/source.h"
#include "nodes/data/words.h"

namespace weft {

class Classes {
 public:
  Classes(Node* owner, const Out& of) : fit_(owner, of) {}

  // Numbers the classes. `which` names them, such as "`category`". text(i) is the text of sample i
  // of `count`; "" is no class. The classes of the samples in `chosen` must be known.
  template <class Text>
  void open(const std::string& which, size_t count, const std::vector<size_t>& chosen, Text text) {
    const std::string& known = fit_.known("classes", which, [&] {
      std::set<std::string> all;
      for (size_t i = 0; i < count; ++i)
        if (!text(i).empty()) all.insert(text(i));
      return packed(all);
    });
    const Vocabulary vocabulary(unpacked(known), 0);
    for (size_t i = 0; i < count; ++i)
      numbers_.push_back(text(i).empty() ? -1 : vocabulary.id(text(i), -1));
    std::set<std::string> unknown;
    for (const size_t i : chosen)
      if (numbers_[i] < 0 && !text(i).empty()) unknown.insert(text(i));
    if (!unknown.empty()) fit_.refuse(complaint(unpacked(known), unknown));
  }

  int32_t operator[](size_t sample) const { return numbers_[sample]; }

 private:
  std::string complaint(const std::vector<std::string>& known,
                        const std::set<std::string>& unknown) const {
    constexpr size_t named = 8;
    std::string all;
    for (size_t i = 0; i < std::min(named, known.size()); ++i)
      all += (i ? ", `" : "`") + known[i] + "`";
    const size_t others = unknown.size() - 1;
    return "`" + *unknown.begin() + "`" +
           (others ? " and " + std::to_string(others) + " more are" : " is") + " not among the " +
           std::to_string(known.size()) + " " + fit_.name() + " that were learned: " + all +
           (known.size() > named ? ", …" : "") + "; leave such samples out, or train with them";
  }

  Fit fit_;
  std::vector<int32_t> numbers_;  // by sample; -1 without a class
};

}  // namespace weft
