#include "framework/plan/memory.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "framework/plan/differentiate.h"

namespace weft {

namespace {
constexpr size_t alignment = 64;
constexpr int always = std::numeric_limits<int>::max();
constexpr int unused = -1, several = -2;  // in place of the number of a task

// Who uses a tensor: each lane, in order, its own rows; something that waits for the lanes of this
// process, their rows; or something that sees the whole batch, all rows.
enum class Reach { lane, own, batch };

size_t lines(size_t bytes) {  // rounded up to whole cache lines
  return (bytes + alignment - 1) / alignment * alignment;
}

// Lanes run independently within a phase, each through the items in their order; phases run one
// after the other. So within a phase one tensor may take over another's memory only if both are
// laned and cut alike: each lane then reuses its own rows, in its own order. Between phases any
// tensor may. What a lane needs within one task only, such as most gradients, has no place of its
// own: it lies in the workspace of the worker that has taken the lane, and stays in its cache.
class Memory {
 public:
  explicit Memory(Plan& plan) : plan_(plan) {}

  void place() {
    for (const PlanValue& value : plan_.values) {
      const bool laned = plan_.nodes[value.node].laned;
      plan_.value_buffers.push_back(add(value.path, value.shape, value.dtype, laned, value.rows));
    }
    for (const PlanLoop& loop : plan_.loops)
      for (size_t i = 0; i < loop.carried; ++i)
        plan_.value_buffers[plan_.nodes[loop.end].outputs[i]] =
            plan_.value_buffers[plan_.nodes[loop.begin].outputs[i]];
    for (PlanNode& node : plan_.nodes)
      for (const Saved* saved : node.node->host().saved)
        node.saved.push_back((plan_.mode == Mode::train || !node.remembered.empty()) &&
                                     Host::present(*saved)
                                 ? add(node.path + "." + saved->name, Host::shape(*saved),
                                       saved->dtype, node.laned, node.rows)
                                 : BufferId());
    for (const PlanNode& node : plan_.nodes)
      for (size_t i = 0; i < node.remembered.size(); ++i)
        if (node.remembered[i]) plan_.value_buffers[node.remembered[i]] = node.saved[i];
    for (PlanPhase& phase : plan_.phases) walk(phase);
    keep_outputs();
    if (phases_rest())
      keep_forward();
    else
      mark_brief();
    assign();
  }

 private:
  BufferId add(std::string name, const Shape& shape, DType dtype, bool laned, PlanRows rows) {
    tasks_.push_back(unused);
    return plan_.buffers.add({.name = std::move(name),
                              .shape = shape,
                              .dtype = dtype,
                              .first = always,
                              .last = -1,
                              .laned = laned,
                              .rows = rows});
  }

  void use(BufferId buffer, Reach reach) {  // now
    if (!buffer) return;
    PlanBuffer& b = plan_.buffers[buffer];
    int& task = tasks_[buffer];
    task = task == unused || task == task_ ? task_ : several;
    b.laned = b.laned && reach == Reach::lane;
    b.whole = b.whole || reach == Reach::batch;
    b.first = std::min(b.first, now_);
    b.last = std::max(b.last, now_);
  }

  void use_inputs(NodeId n, Reach reach) {
    for (const ValueId input : plan_.nodes[n].inputs)
      if (input) use(plan_.value_buffers[input], reach);
  }

  Reach reach(NodeId n) const { return plan_.nodes[n].laned ? Reach::lane : Reach::batch; }

  // `writes`: does it write the gradients of inputs?
  void use_node(const PlanPhase& phase, NodeId n, bool backward, bool writes = true) {
    const PlanNode& node = plan_.nodes[n];
    const PlanLearn* learn = backward ? phase.learn(n) : nullptr;
    const Reach both = node.laned && learn && !learn->in_lanes ? Reach::own : reach(n);
    const auto use_values = [&](const std::vector<ValueId>& values, const auto& ports) {
      for (size_t i = 0; i < values.size(); ++i)
        if (values[i] && (!backward || Host::kept(*ports[i])))
          use(plan_.value_buffers[values[i]], both);
    };
    use_values(node.outputs, node.node->host().outs);
    use_values(node.inputs, node.node->host().ins);
    for (const BufferId saved : node.saved) use(saved, both);
    if (!backward) return;
    for (const ValueId value : node.outputs) use(phase.grads[value], both);
    for (const BufferId buffer : phase.input_grads[n])
      if (writes) use(buffer, reach(n));
  }

  // What a loop keeps from turn to turn lives as long as it, and so does what its nodes read.
  void use_loop(NodeId n) {
    for (const LoopId l : plan_.loops.ids()) {
      const PlanLoop& loop = plan_.loops[l];
      if (n != loop.begin && n != loop.end) continue;
      for (const ValueId value : plan_.nodes[loop.end].outputs)
        use(plan_.value_buffers[value], reach(n));
      for (const PlanNode& node : plan_.nodes)
        for (size_t i = 0; i < node.outputs.size(); ++i)
          if (plan_.within(node.loop, l) && Host::lasts(*node.node->host().outs[i]))
            use(plan_.value_buffers[node.outputs[i]], reach(n));
      for (const PlanNode& node : plan_.nodes)
        for (const ValueId value : node.inputs)
          if (value && plan_.within(node.loop, l) &&
              !plan_.within(plan_.nodes[plan_.values[value].node].loop, l))
            use(plan_.value_buffers[value], reach(n));
    }
  }

  // Gives every gradient of the phase a buffer: a value's own, and one for each further reader.
  void add_grads(PlanPhase& phase) {
    phase.grads.resize(plan_.values.size());
    for (const PlanNode& node : plan_.nodes) phase.input_grads.emplace_back(node.inputs.size());
    ByNode<bool> backward(plan_.nodes.size());
    for (const PlanItem& item : phase.items)
      if (item.kind == PlanItem::Kind::backward) backward[item.node] = true;
    for (const ValueId v : plan_.values.ids()) {
      const PlanValue& value = plan_.values[v];
      const auto& outputs = plan_.nodes[value.node].outputs;  // saved values have no gradients
      if (!backward[value.node] || std::ranges::count(outputs, v) == 0) continue;
      const BufferId own = add("grad " + value.path, value.shape, DType::f32, true, value.rows);
      phase.grads[v] = own;
      bool taken = v == phase.loss;
      for (const auto& [reader, input] : value.readers) {
        if (!backward[reader] || !input_wants_grad(plan_, phase, reader, input)) continue;
        phase.input_grads[reader][input] =
            taken ? add("grad " + value.path + " of " + plan_.nodes[reader].path, value.shape,
                        DType::f32, true, value.rows)
                  : own;
        taken = true;
      }
    }
  }

  void use_sum(const PlanPhase& phase, ValueId v) {
    const PlanValue& value = plan_.values[v];
    use(phase.grads[v], reach(value.node));
    for (const auto& [reader, input] : value.readers)
      use(phase.input_grads[reader][input], reach(value.node));
  }

  void walk(PlanPhase& phase) {
    const auto before = std::ssize(plan_.buffers);
    begin_.push_back(now_);
    int group = -1;
    if (phase.loss) add_grads(phase);
    for (const PlanItem& item : phase.items) {
      ++now_;
      if (std::exchange(group, item.group()) != item.group()) ++task_;
      switch (item.kind) {
        case PlanItem::Kind::observe:
          if (plan_.nodes[item.node].node->observes() == Observes::batch)
            use_inputs(item.node, Reach::batch);
          break;
        case PlanItem::Kind::summarize:
          if (item.pass == Pass::forward) use_inputs(item.node, reach(item.node));
          if (item.pass == Pass::backward) use_node(phase, item.node, true, false);
          break;
        case PlanItem::Kind::join: break;
        case PlanItem::Kind::forward: use_node(phase, item.node, false), use_loop(item.node); break;
        case PlanItem::Kind::backward: use_node(phase, item.node, true); break;
        case PlanItem::Kind::seed:
        case PlanItem::Kind::sum: use_sum(phase, item.value);
      }
    }
    ++now_;
    for (auto b = plan_.buffers.begin() + before; b != plan_.buffers.end(); ++b)
      if (b->first == always) b->first = b->last = now_;
    if (phase.loss) use(plan_.value_buffers[phase.loss], Reach::batch);
  }

  // Reports are read after the step; the data of the next batch arrives during it.
  void keep_outputs() {
    ++now_;
    for (const auto& [name, value] : plan_.reports) use(plan_.value_buffers[value], Reach::batch);
    if (!plan_.data) return;
    for (const ValueId value : plan_.nodes[plan_.data].outputs) {
      const BufferId own = plan_.value_buffers[value];
      const PlanValue& v = plan_.values[value];
      const BufferId next = add(v.path + ", read ahead", v.shape, v.dtype, false, v.rows);
      plan_.buffers[next].whole = plan_.buffers[own].whole;
      plan_.next_batch_buffers.push_back(next);
      for (const BufferId buffer : {own, next}) {
        PlanBuffer& b = plan_.buffers[buffer];
        b.first = 0, b.last = always, b.laned = false;
      }
    }
  }

  // Does a phase not run in every step? In such a step values are computed at other times than
  // planned here.
  bool phases_rest() const {
    return std::any_of(plan_.phases.begin(), plan_.phases.end(),
                       [](const PlanPhase& p) { return p.decl && p.decl->every > 1; });
  }

  void keep_forward() {
    const auto keep = [&](BufferId buffer) {
      if (!buffer || plan_.buffers[buffer].last < 0) return;
      PlanBuffer& b = plan_.buffers[buffer];
      b.first = 0, b.last = always, b.laned = false;
    };
    for (const BufferId buffer : plan_.value_buffers) keep(buffer);
    for (const PlanNode& node : plan_.nodes)
      for (const BufferId buffer : node.saved) keep(buffer);
  }

  void mark_brief() {
    for (const BufferId b : plan_.buffers.ids())
      plan_.buffers[b].brief = plan_.buffers[b].laned && tasks_[b] >= 0;
  }

  size_t phase_at(int time) const {
    return static_cast<size_t>(std::upper_bound(begin_.begin(), begin_.end(), time - 1) -
                               begin_.begin());
  }

  struct Slot {
    size_t offset, size;
    int last;
    bool laned;
    Shape rows;  // shape of the tensor that holds it now
  };

  bool passes(const Slot& slot, const PlanBuffer& b) const {
    if (slot.last >= b.first || slot.last == always) return false;
    if (phase_at(slot.last) < phase_at(b.first)) return slot.size >= plan_.size(b);
    return slot.laned && b.laned && slot.rows.rows() == b.shape.rows() &&
           slot.rows.row_elements() == b.shape.row_elements();
  }

  void assign() {
    std::vector<BufferId> order, brief;
    for (const BufferId i : plan_.buffers.ids())
      if (plan_.buffers[i].last >= 0) order.push_back(i);
    std::stable_sort(order.begin(), order.end(), [&](BufferId a, BufferId b) {
      return plan_.buffers[a].first < plan_.buffers[b].first;
    });
    for (const BufferId i : order)
      if (plan_.buffers[i].brief) brief.push_back(i);
    fill_workspace(brief);
    std::vector<Slot> slots;
    for (const BufferId i : order) {
      if (plan_.buffers[i].brief) continue;
      PlanBuffer& b = plan_.buffers[i];
      if (!b.laned) widen(b);
      Slot* best = nullptr;
      for (Slot& slot : slots)
        if (passes(slot, b) && (!best || slot.size < best->size)) best = &slot;
      if (!best) {
        slots.push_back({plan_.arena, plan_.size(b), 0, false, {}});
        plan_.arena += lines(plan_.size(b));
        best = &slots.back();
      }
      b.offset = best->offset;
      best->last = b.last, best->laned = b.laned, best->rows = b.shape;
    }
  }

  // Places tensors in the workspace. A lane is alone there and runs its items in order, so bytes
  // are free after a tensor's last use. Each tensor takes the first gap, where the cache is warm.
  void fill_workspace(const std::vector<BufferId>& order) {
    struct Live {
      size_t begin, end;
      int last;
    };
    std::vector<Live> live;  // by place
    for (const BufferId i : order) {
      PlanBuffer& b = plan_.buffers[i];
      std::erase_if(live, [&](const Live& other) { return other.last < b.first; });
      const int64_t samples = (plan_.rows + plan_.lanes - 1) / plan_.lanes;
      const auto lane = static_cast<size_t>(b.rows.shared ? b.shape.rows() : b.rows.of(samples));
      const size_t size =
          lines(lane * static_cast<size_t>(b.shape.row_elements()) * bytes(b.dtype));
      auto next = live.begin();
      for (b.offset = 0; next != live.end() && next->begin < b.offset + size; ++next)
        b.offset = next->end;
      live.insert(next, {b.offset, b.offset + size, b.last});
      plan_.workspace = std::max(plan_.workspace, b.offset + size);
    }
  }

  // Extends the life of a tensor that is not laned to the whole of its phases, since what waits for
  // all lanes may run early or late within a phase.
  void widen(PlanBuffer& b) const {
    if (b.last == always) return;
    const size_t first = phase_at(b.first), last = phase_at(b.last);
    b.first = first == 0 ? 0 : begin_[first - 1] + 1;
    b.last = last < begin_.size() ? begin_[last] : always;
  }

  Plan& plan_;
  int now_ = 0;
  int task_ = 0;  // the lanes' task at this time
  ById<PlanBuffer, int> tasks_;
  std::vector<int> begin_;  // by phase: the time at which it begins
};
}  // namespace

void plan_memory(Plan& plan) {
  Memory(plan).place();
}

}  // namespace weft
