#include "framework/run/checked_call.h"

#include <algorithm>
#include <cstring>
#include <deque>
#include <string>
#include <vector>

#include "framework/node/host.h"
#include "framework/node/measure.h"

namespace weft {

namespace {
constexpr uint32_t untouched = 0x7fd7a5c3;  // a NaN; as an integer, too large for any index
// Around what may be written: a number, as an overrun that reads a NaN writes one.
constexpr uint32_t guard = 0x4d2fa5c3;
constexpr size_t alignment = 64 / sizeof(uint32_t);  // numbers, as in the plan's memory

// A tensor between guard zones. Its first `blank` numbers start untouched, the others as they are.
class Guarded {
 public:
  Guarded(std::string name, const Tensor& from, bool read, int64_t blank)
      : name_(std::move(name)), from_(from), size_(from.size()), guard_(read ? untouched : guard) {
    const int64_t zone = std::clamp<int64_t>(size_, 256, 1 << 20);  // numbers on each side
    memory_.assign(static_cast<size_t>(size_ + 2 * zone) + alignment, guard_);
    const auto address = reinterpret_cast<uintptr_t>(memory_.data() + zone) / sizeof(uint32_t);
    begin_ = memory_.data() + zone + (alignment - address % alignment) % alignment;
    std::memcpy(begin_, from.data, bytes());
    std::fill_n(begin_, blank, untouched);
  }

  Tensor tensor() { return {from_.shape, from_.dtype, begin_}; }
  void write_back() const { std::memcpy(from_.data, begin_, bytes()); }

  void check_zones() const {
    const uint32_t* const first = memory_.data();
    const uint32_t* const last = first + memory_.size();
    const auto touched = [this](uint32_t word) { return word != guard_; };
    if (std::any_of(begin_ + size_, const_cast<uint32_t*>(last), touched))
      refuse("writes beyond the end of ", "");
    if (std::any_of(const_cast<uint32_t*>(first), begin_, touched))
      refuse("writes before the begin of ", "");
  }
  void check_same() const {
    if (std::memcmp(begin_, from_.data, bytes()) != 0)
      refuse("changes ", ", which it may only read");
  }
  // Refuses numbers of the first n that were not written.
  void check_written(int64_t n) const {
    const int64_t left = std::count(begin_, begin_ + n, untouched);
    if (left > 0)
      refuse("leaves " + std::to_string(left) + " of " + std::to_string(n) + " numbers of ",
             " unwritten, or adds to what it has not written");
  }

 private:
  size_t bytes() const { return static_cast<size_t>(size_) * sizeof(uint32_t); }
  [[noreturn]] void refuse(const std::string& before, const std::string& after) const {
    throw Error(Exit::plugin, before + "`" + name_ + "`" + after);
  }

  std::string name_;
  Tensor from_;
  int64_t size_;
  uint32_t guard_;
  std::vector<uint32_t> memory_;
  uint32_t* begin_ = nullptr;
};

// What a call may do with a tensor.
enum class Use { read, write, update, fill };  // fill: it may write, but need not

class Watched {
 public:
  // The place that stands for a tensor during the call; for a tensor without numbers, itself. Of
  // what is to be written, rows behind the first `rows` are padding.
  Tensor take(const std::string& name, const Tensor& from, Use use, int64_t rows = -1) {
    if (!from || from.size() == 0) return from;
    const int64_t owed =
        rows < 0 || from.shape.rank() == 0 ? from.size() : rows * from.shape.row_elements();
    const bool blank = use == Use::write || use == Use::fill;
    Part& part = parts_.emplace_back(
        Part{Guarded(name, from, use == Use::read, blank ? owed : 0), use, owed});
    return part.guarded.tensor();
  }

  void check() const {
    for (const Part& part : parts_) part.guarded.check_zones();
    for (const auto& [guarded, use, owed] : parts_) {
      if (use == Use::read) guarded.check_same();
      if (use == Use::write) guarded.check_written(owed);
    }
    for (const auto& [guarded, use, owed] : parts_)
      if (use != Use::read) guarded.write_back();
  }

 private:
  struct Part {
    Guarded guarded;
    Use use;
    int64_t owed;  // numbers that must be written
  };
  std::deque<Part> parts_;
};

// Binds members to other memory for a call, and as they were before at the end.
class Bindings {
 public:
  Bindings() = default;
  ~Bindings() {
    for (const auto& restore : restore_) restore();
  }
  Bindings(const Bindings&) = delete;

  template <class Member>
  void bind(Member& member, const Tensor& value, const Tensor& grad) {
    restore_.push_back([&member, value = Host::value(member), grad = Host::grad(member)] {
      Host::bind(member, value, grad);
    });
    Host::bind(member, value, grad);
  }
  template <class Member>
  void bind(Member& member, const Tensor& value) {
    restore_.push_back([&member, value = Host::value(member)] { Host::bind(member, value); });
    Host::bind(member, value);
  }

 private:
  std::vector<std::function<void()>> restore_;
};
}  // namespace

void checked_call(Node& node, Work work, int64_t samples, const std::function<void()>& call) {
  Watched watched;
  const bool forward = work == Work::forward || work == Work::read;
  const bool backward = work == Work::backward, learn = work == Work::learn;
  const bool own_states = (forward && node.whole_batch()) || work == Work::observe;
  const bool later = dynamic_cast<const Measure*>(&node);  // it writes no output
  const auto gone = [&](const auto& port) { return !forward && !Host::kept(port); };
  const Host& host = node.host();
  Bindings bindings;
  for (In* in : host.ins) {
    const std::string name = in->name;
    const Tensor& value = Host::value(*in);
    bindings.bind(*in, gone(*in) ? value : watched.take(name, value, Use::read),
                  backward && in->wants_grad()
                      ? watched.take(name + ".grad()", Host::grad(*in), Use::write)
                      : Host::grad(*in));
  }
  for (Out* out : host.outs) {
    const std::string name = out->name;
    const Tensor& value = Host::value(*out);
    const int64_t rows = std::clamp<int64_t>(samples, 0, value.shape.rows());
    bindings.bind(*out,
                  forward      ? watched.take(name, value, later ? Use::fill : Use::write, rows)
                  : gone(*out) ? value
                               : watched.take(name, value, Use::read),
                  backward || learn ? watched.take(name + ".grad()", Host::grad(*out),
                                                   backward ? Use::update : Use::read)
                                    : Host::grad(*out));
  }
  for (Saved* one : host.saved)
    bindings.bind(*one,
                  watched.take(one->name, Host::value(*one), forward ? Use::fill : Use::update,
                               std::clamp<int64_t>(samples, 0, Host::shape(*one).rows())));
  for (Weight* weight : host.weights) {
    const std::string name = weight->name;
    const Tensor& grad = Host::grad(*weight);
    bindings.bind(
        *weight, learn ? Host::value(*weight) : watched.take(name, Host::value(*weight), Use::read),
        learn && weight->wants_grad() ? watched.take(name + ".grad()", grad, Use::write) : grad);
  }
  for (State* state : host.states)
    bindings.bind(*state, watched.take(state->name, Host::value(*state),
                                       own_states ? Use::update : Use::read));
  call();
  watched.check();
}

void checked_update(const Optimizer& optimizer, const Update& update) {
  Watched watched;
  const auto take = [&](const std::string& name, const float* numbers, Use use) {
    const Tensor from{{update.size}, DType::f32, const_cast<float*>(numbers)};
    return watched.take(name, from, use).floats();
  };
  std::vector<float*> slots;
  for (const Slot* slot : optimizer.host().slots)
    slots.push_back(take(slot->name, update[*slot], Use::update));
  float* const weight = take("weight", update.weight, Use::update);
  const float* const grad = take("grad", update.grad, Use::read);
  optimizer.update({update.size, weight, grad, slots, update.number});
  watched.check();
}

}  // namespace weft
