#include "framework/run/checked_call.h"

#include <algorithm>
#include <string>
#include <vector>

#include "framework/node/host.h"
#include "framework/node/measure.h"
#include "framework/run/guard_zones.h"

namespace weft {

namespace {
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
  const Host& host = node.host();
  const bool forward = work == Work::forward || work == Work::read;
  const bool backward = work == Work::backward, learn = work == Work::learn;
  const bool observe = work == Work::observe, join = work == Work::join;
  const bool after = backward || learn || work == Work::summarize_gradients;
  const bool own_states = (forward && node.whole_batch()) || observe || join;
  const bool later = dynamic_cast<const Measure*>(&node);  // it writes no output
  const auto value_use = [&](const auto& port) {
    return after && !Host::kept(port) ? Use::gone : Use::read;
  };
  const auto written = [&](const Out& out) {
    const bool lasts = Host::lasts(out) && host.setting.turns > 1;
    return lasts ? Use::update : later || !out.wanted() ? Use::fill : Use::write;
  };
  const auto rows = [&](const Shape& shape) {  // that hold samples
    return std::clamp<int64_t>(samples - node.host().setting.first_row, 0, shape.rows());
  };
  GuardZones watched;
  Bindings bindings;
  const auto take = [&](const auto* member, Use use, int64_t rows = -1) {
    return watched.take(member->name, Host::value(*member), use, rows);
  };
  const auto take_grad = [&](const auto* member, Use use) {
    return watched.take(std::string(member->name) + ".grad()", Host::grad(*member), use);
  };
  if (!join && (!observe || node.observes() == Observes::batch))
    for (In* in : host.ins)
      bindings.bind(*in, take(in, value_use(*in)),
                    backward && in->wants_grad() ? take_grad(in, Use::write) : Host::grad(*in));
  if (forward || after) {
    for (Out* out : host.outs)
      bindings.bind(
          *out, forward ? take(out, written(*out), rows(out->shape())) : take(out, value_use(*out)),
          forward ? Host::grad(*out) : take_grad(out, learn ? Use::read : Use::update));
    for (Saved* saved : host.saved)
      bindings.bind(*saved, take(saved,
                                 forward ? Use::fill
                                 : learn ? Use::read
                                         : Use::update,
                                 rows(Host::shape(*saved))));
  }
  for (Weight* weight : host.weights)
    bindings.bind(
        *weight, learn ? Host::value(*weight) : take(weight, Use::read),
        learn && weight->wants_grad() ? take_grad(weight, Use::write) : Host::grad(*weight));
  for (State* state : host.states)
    bindings.bind(*state, take(state, own_states ? Use::update : Use::read));
  call();
  watched.check();
}

void checked_update(const Optimizer& optimizer, const Update& update) {
  GuardZones watched;
  const auto take = [&](const std::string& name, const float* numbers, Use use) {
    const Tensor from{update.shape, DType::f32, const_cast<float*>(numbers)};
    return watched.take(name, from, use).floats();
  };
  std::vector<float*> slots;
  for (const Slot* slot : optimizer.host().slots)
    slots.push_back(take(slot->name, update[*slot], Use::update));
  float* const weight = take("weight", update.weight, Use::update);
  const float* const grad = take("grad", update.grad, Use::read);
  optimizer.update({update.shape, weight, grad, slots, update.number});
  watched.check();
}

}  // namespace weft
