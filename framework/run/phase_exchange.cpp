// What a phase exchanges with other processes: the rows that nodes of the whole batch read, what
// lanes say of their rows, and gradients and weights.
#include <algorithm>
#include <cstring>
#include <memory>

#include "framework/node/sink.h"
#include "framework/plan/differentiate.h"
#include "framework/run/phase_graph.h"

namespace weft {

// Adds what is exchanged in each run, and the task that follows its arrival.
PhaseGraph::Shared& PhaseGraph::share(Exchange exchange, bool at_once, bool update) {
  Task& arrived = task();
  arrived.arrival = true;
  const auto over = [this] {
    --pending_;
    graph_.release_wait();
  };
  exchange.received = [this, &arrived, over] {
    if (const auto why = ranks_->failure()) state_.fail(*why);
    arrive(arrived);
    over();
  };
  exchange.sent = over;
  shared_.push_back({&ranks_->add(std::move(exchange)), &arrived, at_once, update});
  return shared_.back();
}

bool PhaseGraph::exchanges(const Shared& shared) const {
  const int64_t step = state_.step.number;
  return (!shared.update || updates_.updates(phase_, step)) &&
         (shared.parity < 0 || shared.parity == step % 2);
}

void PhaseGraph::begin_exchanges() {
  open_ = 0;
  for (const auto& task : tasks_) {
    task->waits = static_cast<int>(task->after.size()) + (task->arrival ? 1 : 0);
    if (task->waits == 0) ++open_;
  }
  for (const Shared& shared : shared_)
    if (exchanges(shared)) pending_ += 2, graph_.reserve_wait(), graph_.reserve_wait();
  for (const Shared& shared : shared_)
    if (!exchanges(shared))
      arrive(*shared.arrived);
    else if (shared.at_once)
      ranks_->receive(*shared.exchange);
}

void PhaseGraph::arrive(Task& task) {
  if (--task.waits == 0) ++open_;
  task.join->try_put(tbb::flow::continue_msg());
}

// Counts what the end of a task lets others do. Who finds that all wait for messages waits for them
// here, as a worker that has nothing else to do.
void PhaseGraph::pass_on(Task& task) {
  for (Task* before : task.before)
    if (--before->waits == 0) ++open_;
  --open_;
  while (open_ == 0 && pending_ > 0) ranks_->move();
}

// Other processes' sinks write nothing: the first one does.
bool PhaseGraph::belongs_elsewhere(const PlanItem& item) const {
  return ranks_ && ranks_->rank() > 0 && item.node &&
         dynamic_cast<const Sink*>(plan_.nodes[item.node].node.get());
}

// Lets a task that needs the whole batch wait for rows that lanes of other processes write.
void PhaseGraph::wait_for_rows(const PlanItem& item, Task& task) {
  if (!ranks_) return;
  using Kind = PlanItem::Kind;
  const auto laned = [&](NodeId n) { return plan_.nodes[n].laned; };
  const bool backward =
      item.kind == Kind::backward || (item.kind == Kind::summarize && item.pass == Pass::backward);
  const auto wait_for_gradient = [&](ValueId value) {
    const auto& phase = plan_.phases[phase_];
    for (const auto& [reader, input] : plan_.values[value].readers)
      if (laned(reader) && phase.input_grads[reader][input])
        task.after.push_back(&rows_of(phase.input_grads[reader][input],
                                      {instances_.input_grad(phase_, reader, input)},
                                      index_.backward(reader)));
  };
  if (item.kind == Kind::sum) wait_for_gradient(item.value);
  if (item.kind == Kind::join && laned(item.node)) task.after.push_back(&parts_of(item));
  if (item.kind == Kind::sum || item.kind == Kind::seed || item.kind == Kind::join) return;
  if (backward) {
    for (const ValueId value : plan_.nodes[item.node].outputs)
      if (!summed_.contains(value)) wait_for_gradient(value);
    return;
  }
  if (item.kind == Kind::observe && plan_.nodes[item.node].node->observes() != Observes::batch)
    return;
  for (const ValueId value : plan_.nodes[item.node].inputs)
    if (value && laned(plan_.values[value].node)) task.after.push_back(&rows_of(value));
}

// The task behind which all rows of a value are here. Those of data lie in one of two buffers.
PhaseGraph::Task& PhaseGraph::rows_of(ValueId value) {
  const NodeId node = plan_.values[value].node;
  std::vector<Tensor> whole{instances_.value(value, 0)};
  if (node == plan_.data) whole.push_back(instances_.value(value, 1));
  return rows_of(plan_.value_buffers[value], whole, index_.forward(node));
}

PhaseGraph::Task& PhaseGraph::rows_of(BufferId buffer, const std::vector<Tensor>& whole,
                                      size_t producer) {
  Task*& found = rows_[buffer];
  if (found) return *found;
  const PlanRows& rows = plan_.buffers[buffer].rows;
  std::vector<size_t> before;
  if (producer < where_.size()) before.push_back(producer);
  Task& all = task();
  for (size_t parity = 0; parity < whole.size(); ++parity) {
    Exchange exchange;
    for (int64_t r = 0; r < ranks_->count(); ++r) {
      if (r == ranks_->rank()) continue;
      const auto piece = [&](int64_t of) -> Piece {
        const Range own = plan_.rows_of(rows, plan_.own_lanes(of));
        const Tensor part = whole[parity].slice(own.begin, own.end);
        return {r, part.data, static_cast<size_t>(part.size()) * bytes(part.dtype)};
      };
      if (const Piece mine = piece(ranks_->rank()); mine.bytes) exchange.sends.push_back(mine);
      if (const Piece theirs = piece(r); theirs.bytes) exchange.receives.push_back(theirs);
    }
    Shared& shared = share(std::move(exchange), true, false);
    if (whole.size() > 1) shared.parity = static_cast<int>(parity);
    Task& start = task();
    wait_for(start, before);
    start.then = [this, &shared] {
      if (exchanges(shared)) ranks_->send(*shared.exchange);
    };
    all.after.push_back(&start), all.after.push_back(shared.arrived);
  }
  found = &all;
  return all;
}

// The task behind which all lanes' parts of what a node says of the batch are here.
PhaseGraph::Task& PhaseGraph::parts_of(const PlanItem& item) {
  Exchange exchange;
  for (const Summary* summary : instances_.once(item.node).node->host().summaries) {
    if (summary->pass != item.pass || !Host::present(*summary)) continue;
    const auto piece = [&](int64_t r, int64_t of) -> Piece {
      const Range own = plan_.own_lanes(of);
      return {r, summary->part(own.begin),
              static_cast<size_t>(own.size() * Host::stride(*summary)) * sizeof(double)};
    };
    for (int64_t r = 0; r < ranks_->count(); ++r) {
      if (r == ranks_->rank()) continue;
      exchange.sends.push_back(piece(r, ranks_->rank()));
      exchange.receives.push_back(piece(r, r));
    }
  }
  Shared& shared = share(std::move(exchange), true, false);
  Task& start = task();
  wait_for(start, index_.needs(item));
  start.then = [this, &shared] { ranks_->send(*shared.exchange); };
  Task& all = task();
  all.after = {&start, shared.arrived};
  return all;
}

void PhaseGraph::add_reports() {
  if (!ranks_) return;
  for (const auto& [name, value] : plan_.reports)
    if (plan_.nodes[plan_.values[value].node].laned) rows_of(value);
}

// Gradients go to the owners of blocks, bucket by bucket, and updated weights come from them.
void PhaseGraph::share_learning(const std::vector<Task*>& blocks, Task& guard) {
  const std::vector<Bucket> buckets = buckets_of(plan_, plan_.phases[phase_]);
  std::map<std::pair<size_t, size_t>, size_t> learners;  // by learn and block
  for (const BlockLearner& learner : instances_.learners(phase_))
    learners.emplace(std::pair(learner.learn, learner.block), learners.size());
  std::vector<Task*> own, sends;  // the tasks of blocks of this process, and of buckets
  for (const Bucket& bucket : buckets) {
    Shared& gradients = share(gradients_of(bucket), true, true);
    Shared& weights = share(weights_of(bucket), false, true);
    Task& full = task();
    full.then = [this, &gradients, &weights] {
      if (!exchanges(gradients)) return;
      ranks_->send(*gradients.exchange);
      ranks_->receive(*weights.exchange);  // nothing here reads these weights any more
    };
    Task& send = *sends.emplace_back(&task());
    send.after = {&full};
    send.then = [this, &weights] {
      if (exchanges(weights)) ranks_->send(*weights.exchange);
    };
    for (size_t i = 0; i < bucket.blocks.size(); ++i) {
      const size_t at = learners.at(bucket.blocks[i]);
      const BlockLearner& learner = instances_.learners(phase_)[at];
      full.after.push_back(blocks[at]);
      if (bucket.owners[i] != ranks_->rank()) {
        add_follow(learner, *weights.arrived);
        continue;
      }
      Task& finish = *own.emplace_back(&task());
      finish.after = {&full, gradients.arrived, &guard};
      add_update(learner, finish, true);
      send.after.push_back(&finish);
    }
  }
  if (plan_.phases[phase_].decl->clip == 0) return;
  Task& norm = add_norm({&squares_of(buckets, own)});
  for (size_t b = 0; b < buckets.size(); ++b)
    for (size_t i = 0; i < buckets[b].blocks.size(); ++i) {
      if (buckets[b].owners[i] != ranks_->rank()) continue;
      Task& update = task();
      update.after = {&norm};
      add_update(instances_.learners(phase_)[learners.at(buckets[b].blocks[i])], update, false);
      sends[b]->after.push_back(&update);
    }
}

// Lets what follows a block that another process updates do so.
void PhaseGraph::add_follow(const BlockLearner& learner, Task& to) {
  if (!updates_.followed(phase_, learner.learn, learner.block)) return;
  to.calls.push_back({plan_.phases[phase_].learns[learner.learn].nodes[0], Work::update,
                      static_cast<int64_t>(learner.block),
                      [this, l = learner.learn, b = learner.block](int, int64_t) {
                        if (updates_.updates(phase_, state_.step.number))
                          updates_.follow(phase_, l, b);
                      }});
}

// To each owner the sums of this process, and from each process those of the blocks owned here.
Exchange PhaseGraph::gradients_of(const Bucket& bucket) {
  Exchange exchange;
  const int64_t own = ranks_->rank();
  for (const BlockRun& run : bucket.runs) {
    const auto first = static_cast<size_t>(run.blocks.begin);
    const size_t size = bytes_of(run);
    const auto each_sum = [&](int64_t of, auto f) {
      for (const TreeSum& sum : updates_.sums(phase_, run.learn, first, of))
        if (sum.weight == run.weight) f(sum);
    };
    if (run.owner != own)
      each_sum(own, [&](const TreeSum& sum) {
        exchange.sends.push_back({run.owner, sum.numbers, size});
      });
    for (int64_t r = 0; r < ranks_->count() && run.owner == own; ++r)
      if (r != own)
        each_sum(r, [&](const TreeSum& sum) {
          exchange.receives.push_back({r, updates_.place(phase_, run, sum.tree), size});
        });
  }
  return exchange;
}

Exchange PhaseGraph::weights_of(const Bucket& bucket) {
  Exchange exchange;
  for (const BlockRun& run : bucket.runs) {
    const auto first = static_cast<size_t>(run.blocks.begin);
    float* const rows = updates_.weight(phase_, run.learn, first, run.weight);
    if (run.owner != ranks_->rank()) exchange.receives.push_back({run.owner, rows, bytes_of(run)});
    for (int64_t r = 0; r < ranks_->count() && run.owner == ranks_->rank(); ++r)
      if (r != run.owner) exchange.sends.push_back({r, rows, bytes_of(run)});
  }
  return exchange;
}

size_t PhaseGraph::bytes_of(const BlockRun& run) const {
  const WeightId w = plan_.phases[phase_].learns[run.learn].learned[run.weight];
  return static_cast<size_t>(run.rows.size() * plan_.weights[w].shape.row_elements()) *
         sizeof(float);
}

// The task behind which the squared norms of all blocks are here, to clip gradients by.
PhaseGraph::Task& PhaseGraph::squares_of(const std::vector<Bucket>& buckets,
                                         const std::vector<Task*>& own) {
  std::vector<std::vector<double*>> squares(static_cast<size_t>(ranks_->count()));  // by owner
  for (const Bucket& bucket : buckets)
    for (size_t i = 0; i < bucket.blocks.size(); ++i)
      squares[static_cast<size_t>(bucket.owners[i])].push_back(
          &updates_.square(phase_, bucket.blocks[i].first, bucket.blocks[i].second));
  Exchange exchange;
  std::vector<std::vector<double>*> packed;
  for (int64_t r = 0; r < ranks_->count(); ++r) {
    auto& of = squares_.emplace_back(squares[static_cast<size_t>(r)].size());
    packed.push_back(&of);
    if (r != ranks_->rank() && !of.empty())
      exchange.receives.push_back({r, of.data(), of.size() * sizeof(double)});
  }
  auto& mine = *packed[static_cast<size_t>(ranks_->rank())];
  for (int64_t r = 0; r < ranks_->count(); ++r)
    if (r != ranks_->rank() && !mine.empty())
      exchange.sends.push_back({r, mine.data(), mine.size() * sizeof(double)});
  Shared& shared = share(std::move(exchange), true, true);
  Task& start = task();
  start.after = own;
  start.then = [this, &shared, &mine, from = squares[static_cast<size_t>(ranks_->rank())]] {
    for (size_t i = 0; i < from.size(); ++i) mine[i] = *from[i];
    if (exchanges(shared)) ranks_->send(*shared.exchange);
  };
  Task& all = task();
  all.after = {&start, shared.arrived};
  all.then = [packed, squares] {
    for (size_t r = 0; r < squares.size(); ++r)
      for (size_t i = 0; i < squares[r].size(); ++i) *squares[r][i] = (*packed[r])[i];
  };
  return all;
}

}  // namespace weft
