// Typed indices into the lists of a plan: the id of a node fits lists by node, and no others.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace weft {

template <class Of>
class Id {
 public:
  constexpr Id() = default;  // the id of nothing
  constexpr explicit Id(size_t index) : index_(static_cast<int32_t>(index)) {}
  constexpr explicit operator bool() const { return index_ >= 0; }
  constexpr size_t index() const { return static_cast<size_t>(index_); }
  constexpr auto operator<=>(const Id&) const = default;

 private:
  int32_t index_ = -1;
};

// All indices of a list, in order or backwards.
template <class Of>
class Ids {
 public:
  class Iterator {
   public:
    Iterator(ptrdiff_t at, ptrdiff_t step) : at_(at), step_(step) {}
    Id<Of> operator*() const { return Id<Of>(static_cast<size_t>(at_)); }
    Iterator& operator++() { return at_ += step_, *this; }
    bool operator!=(const Iterator& other) const { return at_ != other.at_; }

   private:
    ptrdiff_t at_, step_;
  };

  explicit Ids(size_t count) : end_(static_cast<ptrdiff_t>(count)) {}
  Iterator begin() const { return {begin_, step_}; }
  Iterator end() const { return {end_, step_}; }
  Ids backwards() const {
    Ids all(0);
    all.begin_ = end_ - 1, all.end_ = -1, all.step_ = -1;
    return all;
  }

 private:
  ptrdiff_t begin_ = 0, end_, step_ = 1;
};

// A list that such ids index: of the things themselves, or of something about each of them.
template <class Of, class T = Of>
class ById : public std::vector<T> {
 public:
  using std::vector<T>::vector;
  decltype(auto) operator[](Id<Of> id) { return std::vector<T>::operator[](id.index()); }
  decltype(auto) operator[](Id<Of> id) const { return std::vector<T>::operator[](id.index()); }
  Ids<Of> ids() const { return Ids<Of>(this->size()); }
  Id<Of> add(T one) {
    this->push_back(std::move(one));
    return Id<Of>(this->size() - 1);
  }
};

struct PlanNode;
struct PlanValue;
struct PlanWeight;
struct PlanBuffer;
struct PlanLoop;
using NodeId = Id<PlanNode>;
using ValueId = Id<PlanValue>;
using WeightId = Id<PlanWeight>;
using BufferId = Id<PlanBuffer>;
using LoopId = Id<PlanLoop>;

template <class T>
using ByNode = ById<PlanNode, T>;
template <class T>
using ByValue = ById<PlanValue, T>;
template <class T>
using ByWeight = ById<PlanWeight, T>;

}  // namespace weft
