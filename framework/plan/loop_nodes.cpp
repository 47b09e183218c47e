#include "framework/plan/loop_nodes.h"

#include <algorithm>
#include <cstring>

#include "framework/node/host.h"
#include "framework/plan/items.h"

namespace weft {

namespace {
// Copies a tensor, of any type.
void copy(const Tensor& from, const Tensor& to) {
  if (from.data != to.data)
    std::memcpy(to.data, from.data, static_cast<size_t>(from.size()) * bytes(from.dtype));
}

Tensor row_of(const Tensor& tensor, int64_t row) {
  return tensor.slice(row, row + 1);
}
}  // namespace

LoopBegin::LoopBegin(std::shared_ptr<const LoopPorts> ports) : ports_(std::move(ports)) {
  for (const auto& [name, dtype] : ports_->carried) {
    carried_.push_back(std::make_unique<In>(this, name.c_str(), "Carried into the first turn.",
                                            PortTraits{.dtype = dtype, .grad = false}));
    to_.push_back(std::make_unique<Out>(this, name.c_str(), "Carried into a turn.", dtype));
  }
  for (const auto& [name, numbers] : ports_->over)
    over_.push_back(std::make_unique<Out>(this, name.c_str(), "The turn's number, [batch]."));
  for (const auto& [name, dtype] : ports_->items) {
    all_.push_back(std::make_unique<In>(this, name.c_str(), "[batch, times, ...]",
                                        PortTraits{.dtype = dtype, .grad = false}));
    item_.push_back(std::make_unique<Out>(this, name.c_str(), "The turn's item.", dtype));
  }
}

void LoopBegin::infer() {
  for (const auto& in : carried_)
    if (in->shape().rank() == 0)
      throw Error("a loop carries `" + std::string(in->name) +
                  "`, which is [], but must be "
                  "[batch, ...]");
  for (size_t i = 0; i < to_.size(); ++i) to_[i]->shape(carried_[i]->shape());
  for (const auto& out : over_) out->shape({carried_[0]->rows()});
  for (size_t i = 0; i < item_.size(); ++i)
    item_[i]->shape(
        item_of(all_[i]->shape(), "`" + std::string(all_[i]->name) + "`", ports_->times));
}

void LoopBegin::forward(const Step& step) {
  const int64_t turn = step.turn % ports_->times;
  for (size_t i = 0; turn == 0 && i < to_.size(); ++i)
    copy(Host::value(*carried_[i]), Host::value(*to_[i]));
  for (size_t i = 0; i < over_.size(); ++i)
    std::fill_n(over_[i]->data(), over_[i]->size(),
                ports_->over[i].second[static_cast<size_t>(turn)]);
  for (size_t i = 0; i < item_.size(); ++i) {
    const int64_t size = item_[i]->row_size();
    copy_rows(all_[i]->words() + turn * size, ports_->times * size, item_[i]->words(), size,
              item_[i]->rows(), size);
  }
}

LoopEnd::LoopEnd(std::shared_ptr<const LoopPorts> ports) : ports_(std::move(ports)) {
  const auto in = [&](const char* name, DType dtype) {
    return std::make_unique<In>(this, name, "Of a turn.",
                                PortTraits{.dtype = dtype, .grad = false});
  };
  for (const auto& [name, dtype] : ports_->carried) {
    carried_.push_back(in(name.c_str(), dtype));
    last_.push_back(std::make_unique<Out>(this, name.c_str(), "Of the last turn.", dtype));
  }
  for (const auto& [name, dtype] : ports_->collected) {
    collected_.push_back(in(name.c_str(), dtype));
    all_.push_back(std::make_unique<Out>(this, name.c_str(), "Of all turns.", dtype));
  }
  if (ports_->until) until_ = in("until", DType::f32);
}

void LoopEnd::infer() {
  for (size_t i = 0; i < last_.size(); ++i) last_[i]->shape(carried_[i]->shape());
  for (size_t i = 0; i < all_.size(); ++i) {
    if (collected_[i]->shape().rank() == 0)
      throw Error("a loop collects `" + std::string(all_[i]->name) +
                  "`, which is [], but must be "
                  "[batch, ...]");
    all_[i]->shape(collected_[i]->shape().inserted(1, ports_->times));
  }
  if (until_ && (until_->shape().rank() == 0 || until_->row_size() != 1))
    throw Error("`until` is " + until_->shape().str() + ", but must be [batch]");
}

void LoopEnd::prepare(Pass) {
  done_.resize(static_cast<size_t>(carried_[0]->rows()));
}

void LoopEnd::keep(int64_t row, int64_t turn) {
  for (size_t i = 0; i < last_.size(); ++i)
    copy(row_of(Host::value(*carried_[i]), row), row_of(Host::value(*last_[i]), row));
  for (size_t i = 0; i < all_.size(); ++i) {
    const Tensor from = row_of(Host::value(*collected_[i]), row);
    const auto size = static_cast<size_t>(from.size()) * bytes(from.dtype);
    std::memcpy(static_cast<char*>(Host::value(*all_[i]).data) +
                    static_cast<size_t>(row * ports_->times + turn) * size,
                from.data, size);
  }
}

void LoopEnd::forward(const Step& step) {
  const int64_t turn = step.turn % ports_->times, rows = carried_[0]->rows();
  if (turn == 0) {
    std::ranges::fill(done_, 0);
    for (const auto& out : all_) {
      if (out->dtype() == DType::f32)
        std::fill_n(out->data(), out->size(), 0.0F);
      else
        std::fill_n(out->ints(), out->size(), -1);
    }
  }
  bool all_done = until_ != nullptr;
  for (int64_t row = 0; row < rows; ++row) {
    char& done = done_[static_cast<size_t>(row)];
    if (!done) keep(row, turn);
    if (until_ && until_->data()[row] != 0) done = 1;
    all_done = all_done && (done || first_row() + row >= step.rows);
  }
  finished_ = all_done || turn == ports_->times - 1;
}

}  // namespace weft
