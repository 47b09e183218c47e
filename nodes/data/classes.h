// The classes of a source's samples: their different texts, numbered in alphabetical order.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "framework/node/source.h"
#include "nodes/data/class_choice.h"
#include "nodes/data/words.h"

namespace weft {

class Classes {
 public:
  ClassChoice choice;

  Classes(Node* owner, const Out& of) : choice(owner), fit_(owner, of) {}

  // Numbers the classes. `which` names them, such as "`category`". text(i) is the text of sample i
  // of `count`; "" is no class. Leaves out those in `chosen` whose class is not.
  template <class Text>
  void open(const std::string& which, size_t count, std::vector<size_t>& chosen, Text text) {
    const std::string& known = fit_.known("classes", which, [&] {
      std::set<std::string> all;
      for (size_t i = 0; i < count; ++i)
        if (!text(i).empty()) all.insert(text(i));
      return packed(all);
    });
    const Vocabulary vocabulary(unpacked(known), 0);
    numbers_.clear();
    for (size_t i = 0; i < count; ++i) {
      numbers_.push_back(text(i).empty() ? -1 : vocabulary.id(text(i), -1));
      if (numbers_[i] < 0 && !text(i).empty()) unknown_[i] = text(i);
    }
    choice.keep(chosen, count, [this](size_t i) { return numbers_[i]; });
  }

  // The classes of these samples must be known.
  void check(const std::vector<size_t>& samples) {
    std::set<std::string> unknown;
    for (const size_t i : samples)
      if (const auto found = unknown_.find(i); found != unknown_.end())
        unknown.insert(found->second);
    if (!unknown.empty()) fit_.refuse(complaint(unpacked(*fit_.bytes()), unknown));
    unknown_.clear();
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
  std::vector<int32_t> numbers_;           // by sample; -1 without a class
  std::map<size_t, std::string> unknown_;  // the classes of samples whose class is not known
};

}  // namespace weft
