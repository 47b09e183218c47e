#include "framework/run/engine.h"

#include <sys/mman.h>
#include <tbb/global_control.h>
#include <tbb/task_arena.h>
#include <tbb/task_scheduler_observer.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <latch>
#include <limits>
#include <system_error>
#include <thread>

#include "framework/node/dnn.h"
#include "framework/node/measure.h"
#include "framework/node/sink.h"
#include "framework/plan/blame.h"
#include "framework/plan/order.h"
#include "framework/plan/sample_order.h"
#include "framework/run/checked_call.h"
#include "framework/run/last_words.h"
#include "framework/run/nonfinite.h"
#include "framework/run/phase_graph.h"

namespace weft {

namespace {

// Makes every worker, before it runs anything, ask oneDNN for one thread.
class EveryWorker : public tbb::task_scheduler_observer {
 public:
  explicit EveryWorker(tbb::task_arena& arena) : task_scheduler_observer(arena) { observe(true); }
  ~EveryWorker() override { observe(false); }
  void on_scheduler_entry(bool) override {
    single_threaded_dnn();
    Crashes::prepare_thread();
  }
};

int threads_of(const EngineOptions& options) {
  if (options.threads > 0) return options.threads;
  return std::max(1, tbb::this_task_arena::max_concurrency());
}

// Asks the system for as many threads as oneTBB will take: oneTBB would end the process if one was
// refused.
void check_threads(int count) {
  std::latch done(1);
  std::vector<std::jthread> all;
  bool refused = false;
  try {
    while (std::ssize(all) < count - 1) all.emplace_back([&] { done.wait(); });
  } catch (const std::system_error&) {
    refused = true;
  } catch (const std::bad_alloc&) {
    refused = true;
  }
  done.count_down();  // else the threads that were given would wait for ever
  if (refused)
    throw Error(Exit::resources, "the system refuses to give " + std::to_string(count) +
                                     " threads, but gives " + std::to_string(all.size() + 1) +
                                     ": ask for fewer with --threads");
}

// Asks the system for the memory that the run may take: the plan's, and room for kernels and for
// each thread. oneDNN and oneTBB would crash if it was refused.
void check_room(const Plan& plan, int threads) {
  const size_t bytes =
      plan.bytes() + (size_t{96} << 20) + static_cast<size_t>(threads) * (size_t{16} << 20);
  void* const room =
      ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (room == MAP_FAILED)
    throw Error(Exit::resources, "the system refuses " + std::to_string(bytes >> 20) +
                                     " MiB of memory: make `batch` or the layers smaller, ask for "
                                     "fewer --threads, or raise the limit (ulimit -v)");
  ::munmap(room, bytes);
}
}  // namespace

struct Engine::Body {
  const Plan& plan;
  Weights& model;
  Gradients gradients;
  Updates updates;
  int threads;
  tbb::global_control limit;
  tbb::task_arena arena;
  EveryWorker observer;
  Instances instances;
  StepState state;
  int64_t schedule_step = 0;
  std::vector<bool> active;  // phases that run in this step
  int64_t loaded = -1;       // the step whose batch stands in the buffer of this step's parity
  std::atomic<const std::string*> outside = nullptr;  // the node that call() is in, or null
  std::mutex building;  // busy() looks at the graphs from another thread
  std::map<std::vector<bool>, std::vector<std::unique_ptr<PhaseGraph>>> graphs;  // by active phases

  Body(const Plan& plan, const Registry& registry, Weights& model, const EngineOptions& options)
      : plan(plan),
        model(model),
        gradients(plan),
        updates(plan, registry, model, gradients, options.check),
        threads(threads_of(options)),
        limit(tbb::global_control::max_allowed_parallelism, static_cast<size_t>(threads)),
        arena(threads),
        observer(arena),
        instances(plan, registry, model, gradients, options.output_dir, threads) {
    state.trace = options.trace;
    state.check = options.check;
    state.ranks = options.ranks;
    active.resize(plan.phases.size());
    state.losses.assign(plan.phases.size(), std::numeric_limits<double>::quiet_NaN());
  }

  std::vector<std::unique_ptr<PhaseGraph>>& graphs_of_active() {
    const std::scoped_lock lock(building);
    auto& all = graphs[active];
    if (!all.empty()) return all;
    const auto program = program_of(plan, active);
    const auto last = std::find(active.rbegin(), active.rend(), true).base() - active.begin() - 1;
    arena.execute([&] {  // a flow graph runs where it was made
      for (size_t p = 0; p < program.size(); ++p)
        all.push_back(active[p] ? std::make_unique<PhaseGraph>(
                                      plan, p, program[p], instances, gradients, updates, state,
                                      static_cast<std::ptrdiff_t>(p) == last)
                                : nullptr);
    });
    return all;
  }

  // Calls all instances of a node, outside of any graph.
  template <class F>
  void call(NodeId n, const char* what, F f) {
    const PlanNode& node = plan.nodes[n];
    outside = &node.path;
    for (Instance& instance : instances.of(n)) try {
        const Running now(node.path.c_str(), node.kind.c_str(), what, state.step.number);
        f(*instance.node);
      } catch (...) {
        throw blame(node.place, who(node), what, wires(plan, node, instance.node->host()));
      }
    outside = nullptr;
  }

  template <class Role, class F>
  void each(const char* what, F f) {
    for (const NodeId n : plan.nodes.ids())
      if (dynamic_cast<const Role*>(plan.nodes[n].node.get()))
        call(n, what, [&](Node& node) { f(static_cast<Role&>(node)); });
  }

  // What processes keep for their blocks and shards goes to the first one, or comes from it.
  void move_optimizers(bool to_first) {
    std::vector<Piece> sends, receives;
    const int64_t own = plan.rank.number;
    const auto move = [&](const Tensor& kept, int64_t owner) {
      if (owner == 0 || (own != 0 && own != owner)) return;
      (to_first == (own == 0) ? receives : sends)
          .push_back(
              {own == 0 ? owner : 0, kept.data, static_cast<size_t>(kept.size()) * sizeof(float)});
    };
    for (size_t p = 0; p < plan.phases.size(); ++p) {
      if (!plan.phases[p].loss) continue;
      for (const Bucket& bucket : buckets_of(plan, plan.phases[p]))
        for (const BlockRun& run : bucket.runs)
          for (const Tensor& slot :
               updates.slots(p, plan.phases[p].learns[run.learn].learned[run.weight]))
            move(slot.slice(run.rows.begin, run.rows.end), run.owner);
      each_sum(p, move);
    }
    state.ranks->exchange(std::move(sends), std::move(receives));
  }

  // Calls f(tensor, the process that has the shard).
  template <class F>
  void each_sum(size_t phase, F f) {
    if (plan.phases[phase].decl->accumulate == 1) return;
    for (const WeightId w : plan.phases[phase].updates)
      for (int64_t rank = 0; rank < plan.rank.count; ++rank)
        for (int64_t s = plan.own_shards(rank).begin; s < plan.own_shards(rank).end; ++s)
          if (const Tensor sum = updates.sum(phase, w, s)) f(sum, rank);
  }

  void load_now(int64_t number) {
    instances.bind_data(static_cast<int>(number % 2));
    call(plan.data, "load()", [&](Node& reader) {
      const auto load = [&] { reader.forward({number, plan.rows}); };
      if (state.check) return checked_call(reader, Work::read, state.step.rows, load);
      load();
    });
    loaded = number;
  }

  void step(int64_t number, int64_t schedule_step) {
    const Source* source = plan.source();
    state.step = {number, source ? SampleOrder(*source).rows(number) : plan.rows};
    this->schedule_step = schedule_step;
    instances.set_schedules(schedule_step);
    updates.set_schedules(schedule_step);
    for (size_t p = 0; p < plan.phases.size(); ++p) active[p] = updates.runs(p, number);
    if (source && loaded != number) load_now(number);
    const int parity = static_cast<int>(number % 2);
    instances.bind_data(1 - parity);
    if (std::find(active.begin(), active.end(), true) == active.end()) {
      loaded = -1;
      return;
    }
    auto& run = graphs_of_active();
    for (size_t p = 0; p < run.size(); ++p) {
      if (!run[p]) continue;
      if (plan.mode == Mode::train)
        instances.norms.divide(std::find(active.begin(), active.end(), true) - active.begin() ==
                               static_cast<std::ptrdiff_t>(p));
      instances.bind(p, parity);
      state.losses[p] = std::numeric_limits<double>::quiet_NaN();
      arena.execute([&] { run[p]->run(); });
      if (state.failure) explain(p);
      if (plan.phases[p].loss && updates.updates(p, number)) updates.end_update(p, model);
    }
    loaded = number + 1;
  }

  [[noreturn]] void explain(size_t p) {
    const Error error = *state.failure;
    if (error.code() != Exit::nonfinite || !plan.phases[p].decl) throw error;
    std::string why;
    arena.execute([&] { why = explain_nonfinite(plan, instances, model, state, active, p); });
    throw Error(Exit::nonfinite, "step " + std::to_string(state.step.number) + ", phase `" +
                                     plan.phases[p].decl->name + "`: " + error.sentence() + why);
  }
};

Engine::Engine(const Plan& plan, const Registry& registry, Weights& model,
               const EngineOptions& options) {
  single_threaded_dnn();
  check_threads(threads_of(options));
  check_room(plan, threads_of(options));
  body_ = std::make_unique<Body>(plan, registry, model, options);
}

Engine::~Engine() = default;

void Engine::step(int64_t number, int64_t schedule_step) {
  body_->step(number, schedule_step);
}

double Engine::loss(size_t phase) const {
  return body_->state.losses[phase];
}

int64_t Engine::rows() const {
  return body_->state.step.rows;
}

std::vector<double> Engine::report(size_t index) const {
  const int parity = static_cast<int>(body_->state.step.number % 2);
  const ValueId value = body_->plan.reports[index].second;
  const Tensor tensor = body_->instances.value(value, parity);
  const int64_t width = tensor.shape.row_elements();
  const int64_t rows = body_->plan.values[value].rows.of(this->rows());
  std::vector<double> mean(static_cast<size_t>(width));
  for (int64_t i = 0; i < rows * width; ++i)
    mean[static_cast<size_t>(i % width)] += static_cast<double>(tensor.floats()[i]);
  for (double& m : mean) m /= static_cast<double>(rows);
  return mean;
}

// The names are "h.rate" for a node's param, "lr" or "*.bias.lr" for an optimizer's, after the
// phase's name if there are several phases.
nlohmann::json Engine::scheduled() const {
  const Plan& plan = body_->plan;
  nlohmann::json values = nlohmann::json::object();
  for (const NodeId n : plan.nodes.ids())
    for (const auto& [param, schedule] : plan.nodes[n].params.schedules)
      if (plan.needed[n])
        values[plan.nodes[n].path + "." + param] = schedule.at(body_->schedule_step);
  for (const PlanPhase& phase : plan.phases)
    for (const PlanOptimizer& optimizer : phase.optimizers)
      for (const auto& [param, schedule] : optimizer.params.schedules)
        values[(plan.phases.size() > 1 ? phase.decl->name + "." : "") +
               (optimizer.match == "*" ? "" : optimizer.match + ".") + param] =
            schedule.at(body_->schedule_step);
  return values;
}

bool Engine::ran(size_t phase) const {
  return body_->active[phase];
}

std::vector<NamedTensor> Engine::optimizer_tensors() const {
  return body_->updates.tensors();
}

nlohmann::json Engine::updates() const {
  return body_->updates.state();
}

void Engine::gather_optimizers() {
  if (body_->state.ranks) body_->move_optimizers(true);
}

void Engine::spread_optimizers() {
  if (body_->state.ranks) body_->move_optimizers(false);
}

void Engine::load(const std::map<std::string, Tensor>& optimizer, const nlohmann::json& updates) {
  body_->updates.load(optimizer, updates);
}

void Engine::load_updates(const nlohmann::json& updates) {
  body_->updates.load(updates);
}

void Engine::begin_pass() {
  body_->instances.norms.divide(false);
  body_->each<Measure>("begin()", [](Measure& measure) { measure.begin(); });
}

void Engine::end_pass() {
  if (body_->plan.rank.number > 0) return;  // sinks of others write nothing
  body_->each<Sink>("finish()", [](Sink& sink) { sink.finish(); });
}

std::vector<std::string> Engine::notes() const {
  std::vector<std::string> all;
  for (const NodeId n : body_->plan.nodes.ids())
    if (dynamic_cast<const Sink*>(body_->plan.nodes[n].node.get()))
      for (const std::string& note : body_->instances.of(n).front().node->notes())
        all.push_back(body_->plan.nodes[n].path + ": " + note);
  return all;
}

std::optional<double> Engine::measured(size_t index) const {
  const NodeId node = body_->plan.measure(index);
  if (!node) return std::nullopt;
  double result = 0;
  body_->call(node, "result()", [&](Node& made) { result = static_cast<Measure&>(made).result(); });
  return result;
}

std::vector<std::string> Engine::busy() const {
  const std::scoped_lock lock(body_->building);
  std::vector<std::string> names;
  if (const std::string* const path = body_->outside) names.push_back(*path);
  for (const auto& [active, graphs] : body_->graphs)
    for (const auto& graph : graphs)
      if (graph) graph->busy(names);
  return names;
}

}  // namespace weft
