#include "framework/plan/item_nodes.h"

#include <algorithm>
#include <string>
#include <vector>

#include "framework/node/loops.h"
#include "framework/plan/items.h"

namespace weft {

void Regrouped::forward(const Step&) {
  std::copy_n(x.words(), x.size(), y.words());
}
void Regrouped::backward(const Step&) {
  if (x.wants_grad()) std::copy_n(y.grad(), y.size(), x.grad());
}

void Items::infer() {
  if (x.shape().rank() < 2)
    throw Error("`each` is about axis 1, but a value is " + x.shape().str());
  y.shape(x.shape().without(0).with(0, x.rows() * x.shape()[1]));
  x.forward_only(), y.forward_only();
}

void Samples::infer() {
  if (x.shape().rank() == Shape::max_rank) throw Error("an output of `each` has more than 8 axes");
  y.shape(x.shape().with_front(x.rows() / n_).inserted(1, n_));
  x.forward_only(), y.forward_only();
}

Repeated::Repeated(int64_t n) : n_(n) {}

void Repeated::infer() {
  y.shape(x.shape().with_front(x.rows() * n_));
  x.forward_only(), y.forward_only();
}
void Repeated::forward(const Step&) {
  const int64_t size = x.row_size();
  for (int64_t row = 0; row < y.rows(); ++row)
    std::copy_n(x.words() + row / n_ * size, size, y.words() + row * size);
}
void Repeated::backward(const Step&) {
  const int64_t size = x.row_size();
  for (int64_t row = 0; row < x.rows() && x.wants_grad(); ++row)
    sum_rows(y.grad() + row * n_ * size, n_, size, size, x.grad() + row * size);
}

Apart::Apart(int64_t n) {
  names_.reserve(static_cast<size_t>(n));
  for (int64_t i = 0; i < n; ++i) {
    names_.push_back(std::to_string(i));
    ys_.push_back(std::make_unique<Out>(this, names_.back().c_str(), "An item.", x));
  }
}

void Apart::infer() {
  const Shape item = item_of(x.shape(), "a value", std::ssize(ys_));
  for (const auto& y : ys_) y->shape(item), y->forward_only();
  x.forward_only();
}
void Apart::forward(const Step&) {
  for (size_t i = 0; i < ys_.size(); ++i) {
    const int64_t size = ys_[i]->row_size();
    copy_rows(x.words() + static_cast<int64_t>(i) * size, x.row_size(), ys_[i]->words(), size,
              x.rows(), size);
  }
}
void Apart::backward(const Step&) {
  for (size_t i = 0; i < ys_.size() && x.wants_grad(); ++i) {
    const int64_t size = ys_[i]->row_size();
    copy_rows(ys_[i]->grad(), size, x.grad() + static_cast<int64_t>(i) * size, x.row_size(),
              x.rows(), size);
  }
}

Together::Together(size_t n) {
  for (size_t i = 0; i < n; ++i)
    xs_.push_back(std::make_unique<In>(this, "xs", "An item.", PortTraits{.any = true}));
  y_ = std::make_unique<Out>(this, "y", "[batch, n, ...]", *xs_[0]);
}

void Together::infer() {
  const Shape& one = xs_[0]->shape();
  if (one.rank() == 0 || one.rank() == Shape::max_rank)
    throw Error("a loop collects " + one.str() + ", but it must be [batch, ...]");
  y_->shape(one.inserted(1, std::ssize(xs_)));
  y_->forward_only();
  for (const auto& x : xs_) x->forward_only();
}
void Together::forward(const Step&) {
  for (size_t i = 0; i < xs_.size(); ++i) {
    const int64_t size = xs_[i]->row_size();
    copy_rows(xs_[i]->words(), size, y_->words() + static_cast<int64_t>(i) * size, y_->row_size(),
              y_->rows(), size);
  }
}
void Together::backward(const Step&) {
  for (size_t i = 0; i < xs_.size(); ++i) {
    const int64_t size = xs_[i]->row_size();
    if (xs_[i]->wants_grad())
      copy_rows(y_->grad() + static_cast<int64_t>(i) * size, y_->row_size(), xs_[i]->grad(), size,
                y_->rows(), size);
  }
}

void Filled::infer() {
  y.shape({like.rows()});
  like.forward_only();
}
void Filled::forward(const Step&) {
  std::fill_n(y.data(), y.size(), number_);
}

}  // namespace weft
