// The classes of a source's samples: the different texts of them, numbered in their order.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "framework/node/node.h"
#include "nodes/data/shared.h"
#include "nodes/data/words.h"

namespace weft {

class Classes {
 public:
  Classes(Node* owner, const Out& of) : fit_(owner, of) {}

  // `which` names them, such as "`category`". text(i) is of sample i of `count`; "" is no class.
  // The numbers are shared by all who ask for the same of `data`.
  template <class Text>
  void open(const void* data, const std::string& which, size_t count, Text text) {
    const std::string& known = fit_.known("classes", which, [&] {
      std::set<std::string> all;
      for (size_t i = 0; i < count; ++i)
        if (!text(i).empty()) all.insert(text(i));
      return packed(all);
    });
    numbers_ = shared<Numbers>(std::tuple(data, which, fit_.bytes().get()), [&] {
      return std::make_shared<Numbers>(unpacked(known), count, text);
    });
    if (!numbers_->unknown.empty()) fit_.refuse(complaint(unpacked(known)));
  }

  int32_t operator[](size_t sample) const { return numbers_->all[sample]; }

 private:
  struct Numbers {
    std::vector<int32_t> all;       // -1 without a class
    std::set<std::string> unknown;  // of samples, but not learned

    template <class Text>
    Numbers(const std::vector<std::string>& classes, size_t count, Text text) {
      const Vocabulary places(classes, 0);
      for (size_t i = 0; i < count; ++i) {
        all.push_back(text(i).empty() ? -1 : places.place(text(i), -1));
        if (all.back() < 0 && !text(i).empty()) unknown.insert(text(i));
      }
    }
  };

  std::string complaint(const std::vector<std::string>& known) const {
    constexpr size_t named = 8;
    std::string all;
    for (size_t i = 0; i < std::min(named, known.size()); ++i)
      all += (i ? ", `" : "`") + known[i] + "`";
    const size_t others = numbers_->unknown.size() - 1;
    return "`" + *numbers_->unknown.begin() + "`" +
           (others ? " and " + std::to_string(others) + " more are" : " is") + " not among the " +
           std::to_string(known.size()) + " " + fit_.name() + " that were learned: " + all +
           (known.size() > named ? ", …" : "") + "; leave such samples out, or train with them";
  }

  Fit fit_;
  std::shared_ptr<const Numbers> numbers_;
};

}  // namespace weft
