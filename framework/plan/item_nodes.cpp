#include "framework/plan/item_nodes.h"

#include <algorithm>
#include <span>
#include <string>
#include <vector>

#include "framework/node/loops.h"

namespace weft {

namespace {
void copy(const In& from, const Out& to) {
  std::copy_n(from.words(), from.size(), to.words());
}
void copy_grad(const Out& from, const In& to) {
  if (to.wants_grad()) std::copy_n(from.grad(), from.size(), to.grad());
}
}  // namespace

void Items::infer() {
  if (x.shape().rank() < 2)
    throw Error("`each` is about axis 1, but a value is " + x.shape().str());
  std::vector<int64_t> dims(x.shape().dims().begin() + 1, x.shape().dims().end());
  dims[0] *= x.rows();
  y.shape(Shape(dims));
  x.forward_only(), y.forward_only();
}
void Items::forward(const Step&) {
  copy(x, y);
}
void Items::backward(const Step&) {
  copy_grad(y, x);
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

Samples::Samples(int64_t n) : n_(n) {}

void Samples::infer() {
  std::vector<int64_t> dims(x.shape().dims().begin(), x.shape().dims().end());
  if (dims.size() == Shape::max_rank) throw Error("an output of `each` has more than 8 axes");
  dims[0] /= n_;
  dims.insert(dims.begin() + 1, n_);
  y.shape(Shape(dims));
  x.forward_only(), y.forward_only();
}
void Samples::forward(const Step&) {
  copy(x, y);
}
void Samples::backward(const Step&) {
  copy_grad(y, x);
}

Apart::Apart(int64_t n) {
  names_.reserve(static_cast<size_t>(n));
  for (int64_t i = 0; i < n; ++i) {
    names_.push_back(std::to_string(i));
    ys_.push_back(std::make_unique<Out>(this, names_.back().c_str(), "An item.", x));
  }
}

void Apart::infer() {
  const auto n = std::ssize(ys_);
  if (x.shape().rank() < 2 || x.shape()[1] != n)
    throw Error("a value of `over` is " + x.shape().str() + ", but must be [batch, " +
                std::to_string(n) + ", ...]: an item for each turn");
  std::vector<int64_t> dims(x.shape().dims().begin(), x.shape().dims().end());
  dims.erase(dims.begin() + 1);
  for (const auto& y : ys_) y->shape(Shape(std::span<const int64_t>(dims))), y->forward_only();
  x.forward_only();
}
void Apart::forward(const Step&) {
  for (size_t i = 0; i < ys_.size(); ++i) {
    const int64_t size = ys_[i]->row_size();
    for (int64_t row = 0; row < x.rows(); ++row)
      std::copy_n(x.words() + row * x.row_size() + static_cast<int64_t>(i) * size, size,
                  ys_[i]->words() + row * size);
  }
}
void Apart::backward(const Step&) {
  for (size_t i = 0; i < ys_.size() && x.wants_grad(); ++i) {
    const int64_t size = ys_[i]->row_size();
    for (int64_t row = 0; row < x.rows(); ++row)
      std::copy_n(ys_[i]->grad() + row * size, size,
                  x.grad() + row * x.row_size() + static_cast<int64_t>(i) * size);
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
  std::vector<int64_t> dims(one.dims().begin(), one.dims().end());
  dims.insert(dims.begin() + 1, std::ssize(xs_));
  y_->shape(Shape(std::span<const int64_t>(dims)));
  y_->forward_only();
  for (const auto& x : xs_) x->forward_only();
}
void Together::forward(const Step&) {
  for (size_t i = 0; i < xs_.size(); ++i) {
    const int64_t size = xs_[i]->row_size();
    for (int64_t row = 0; row < y_->rows(); ++row)
      std::copy_n(xs_[i]->words() + row * size, size,
                  y_->words() + row * y_->row_size() + static_cast<int64_t>(i) * size);
  }
}
void Together::backward(const Step&) {
  for (size_t i = 0; i < xs_.size(); ++i) {
    const int64_t size = xs_[i]->row_size();
    for (int64_t row = 0; row < y_->rows() && xs_[i]->wants_grad(); ++row)
      std::copy_n(y_->grad() + row * y_->row_size() + static_cast<int64_t>(i) * size, size,
                  xs_[i]->grad() + row * size);
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
