#include "framework/plan/plan.h"

#include <algorithm>
#include <bit>
#include <set>

#include "framework/plan/checks.h"
#include "framework/plan/differentiate.h"
#include "framework/plan/fits.h"
#include "framework/plan/memory.h"
#include "framework/plan/optimizers.h"
#include "framework/plan/order.h"
#include "framework/plan/wiring.h"

namespace weft {

namespace {
// Rows of a lane: fewer starve a matrix product, more starve the threads and outgrow the cache.
constexpr int64_t most_rows = 64, least_rows = 4;
constexpr int64_t cache_elements = 1 << 19;  // of the largest tensor of a lane: 2 MiB
constexpr int64_t most_lanes = 64;

// Rows of a batch: what the data gives, else what the nodes without inputs make.
int64_t batch_rows(const Plan& plan) {
  int64_t rows = 1;
  for (const PlanNode& node : plan.nodes)
    for (const ValueId value : node.outputs)
      if (node.inputs.empty() && plan.values[value].shape.rank() > 0)
        rows = std::max(rows, plan.values[value].shape.rows());
  return plan.source() ? *plan.source()->batch : rows;
}

int64_t choose_lanes(const Plan& plan) {
  int64_t largest = 1;  // elements of a row
  for (const PlanValue& value : plan.values)
    if (value.shape.rank() > 0) largest = std::max(largest, value.shape.row_elements());
  const auto fitting = std::bit_floor(static_cast<uint64_t>(cache_elements / largest));
  const int64_t rows = std::clamp(static_cast<int64_t>(fitting), least_rows, most_rows);
  return std::clamp<int64_t>(plan.rows / rows, 1, most_lanes);
}

// Row i of what it writes depends on row i of what it reads.
bool is_row_wise(const PlanNode& node, const Plan& plan) {
  const auto has_rows = [](const Shape& shape) { return shape.rank() > 0; };
  if (node.node->whole_batch() || node.node->outs.empty()) return false;
  for (const ValueId value : node.inputs)
    if (value && !has_rows(plan.values[value].shape)) return false;
  return std::all_of(node.node->outs.begin(), node.node->outs.end(),
                     [&](const Out* out) { return has_rows(out->shape()); });
}

void build_phases(Plan& plan, const Pipeline& pipeline, const Registry& registry, Wiring& wiring,
                  Mistakes& mistakes) {
  for (const PhaseDecl& decl : pipeline.train->phases) {
    check_updates(plan, pipeline, decl, mistakes);
    PlanPhase phase{.decl = &decl, .loss = wiring.value(decl.minimize.text, decl.minimize.place)};
    if (!phase.loss) continue;
    const PlanValue& loss = plan.values[phase.loss];
    if (loss.shape.rank() > 1 || loss.dtype != DType::f32)
      mistakes.add(decl.minimize.place, "`" + decl.minimize.text + "` is " + loss.shape.str() +
                                            (loss.dtype == DType::i32 ? " of i32 numbers" : "") +
                                            ", but a loss is one number for each sample, [" +
                                            std::to_string(plan.rows) +
                                            "], or one for the batch, []");
    for (const WeightId w : plan.weights.ids())
      for (const Mention& module : decl.update)
        if (plan.weights[w].module == module.text) phase.updates.push_back(w);
    phase.optimizers = read_optimizers(plan, decl, registry, mistakes);
    differentiate(plan, phase, mistakes);
    plan.phases.push_back(std::move(phase));
  }
  check_modules_learn(plan, pipeline, mistakes);
}

// Without phases nothing learns, but nodes with state remember what passes.
void build_pass(Plan& plan, const SectionDecl& section, Mistakes& mistakes) {
  if (plan.states.empty() && mistakes.empty())
    mistakes.add(section.place,
                 "`train` needs `phases`: what to minimize, and what to update for it");
  plan.phases.emplace_back();
}

void mark_needed(Plan& plan, const SectionDecl& section, const std::vector<ValueId>& wanted,
                 Mistakes& mistakes) {
  plan.needed = ancestors(plan, wanted);
  for (const NodeId n : plan.nodes.ids().backwards()) {
    if (!plan.nodes[n].node->outs.empty()) continue;  // a sink, with all it needs
    if (plan.mode == Mode::train)
      mistakes.add(
          plan.nodes[n].place,
          "`" + plan.nodes[n].kind + "` writes files: it belongs under `evaluate` or `generate`");
    plan.needed[n] = true;
    const auto above = ancestors(plan, [&] {
      std::vector<ValueId> inputs;
      for (const ValueId value : plan.nodes[n].inputs)
        if (value) inputs.push_back(value);
      return inputs;
    }());
    for (const NodeId i : above.ids()) plan.needed[i] = plan.needed[i] || above[i];
  }
  if (section.inherits) return;
  std::set<std::string> needed;  // "block.2.h" needs `block`, `block.2`
  for (const NodeId n : plan.nodes.ids())
    for (size_t dot = 0; plan.needed[n] && dot != std::string::npos;)
      needed.insert(plan.nodes[n].path.substr(0, dot = plan.nodes[n].path.find('.', dot + 1)));
  for (const NodeDecl& decl : section.nodes)
    if (!needed.contains(decl.name))
      mistakes.add(decl.place,
                   "node `" + decl.name + "` is unused: no loss, report or sink depends on it");
}

std::unique_ptr<Plan> build_section(Pipeline& pipeline, const Registry& registry, Mode mode,
                                    const FittedMap& given, Mistakes& mistakes) {
  auto plan = std::make_unique<Plan>();
  plan->mode = mode;
  plan->name = pipeline.name;
  plan->seed = pipeline.seed;
  *plan->fitted = given;
  check_precision(pipeline, mode, mistakes);
  if (dnn_has_bf16()) plan->precision = pipeline.precision;
  const SectionDecl* section = pipeline.section(mode);
  if (!section)
    throw Error(Place{pipeline.file},
                "the pipeline has no section `" + std::string(weft::name(mode)) + "`");
  Wiring wiring(*plan, pipeline, registry, mistakes);
  wiring.section(*section);
  plan->rows = batch_rows(*plan);
  plan->lanes = section->lanes ? std::min(section->lanes, plan->rows) : choose_lanes(*plan);
  for (PlanNode& node : plan->nodes) node.laned = is_row_wise(node, *plan);
  if (mistakes.empty()) check_rows(*plan, mistakes);
  check_measures(*plan, mistakes);

  std::vector<ValueId> wanted;
  const auto want = [&](const Mention& mention, bool reported) {
    const ValueId value = wiring.value(mention.text, mention.place);
    if (!value) return;
    wanted.push_back(value);
    if (plan->values[value].dtype != DType::f32)
      mistakes.add(mention.place,
                   "`" + mention.text + "` has i32 numbers, but a report is a mean of f32");
    if (reported) plan->reports.emplace_back(mention.text, value);
    if (reported && mode != Mode::evaluate && plan->measure(plan->reports.size() - 1))
      mistakes.add(mention.place, "`" + mention.text +
                                      "` is one number for the whole set: only `evaluate` can "
                                      "report it");
  };
  for (const Mention& mention : section->report) want(mention, true);
  if (mode == Mode::train) {
    build_phases(*plan, pipeline, registry, wiring, mistakes);
    if (pipeline.train->phases.empty()) build_pass(*plan, *section, mistakes);
    for (const PlanPhase& phase : plan->phases)
      if (phase.loss) wanted.push_back(phase.loss);
    if (pipeline.evaluate && pipeline.evaluate->inherits && mistakes.empty())
      for (const Mention& mention : pipeline.evaluate->report) want(mention, false);
  } else {
    plan->phases.emplace_back();
  }
  if (mistakes.empty()) mark_needed(*plan, *section, wanted, mistakes);
  for (const NodeId n : plan->needed.ids())  // `evaluate` alone runs measures
    if (mode != Mode::evaluate && dynamic_cast<const Measure*>(plan->nodes[n].node.get()))
      plan->needed[n] = false;
  if (mistakes.empty()) {
    const auto items = plan->program(std::vector<bool>(plan->phases.size(), true));
    for (size_t p = 0; p < items.size(); ++p) plan->phases[p].items = items[p];
    plan_memory(*plan);
    check_memory(plan->bytes(), "`" + std::string(weft::name(mode)) + "`", section->place,
                 mistakes);
  }
  return plan;
}
}  // namespace

const char* name(Mode mode) {
  return mode == Mode::train ? "train" : mode == Mode::evaluate ? "evaluate" : "generate";
}

const Source* Plan::source() const {
  return data ? dynamic_cast<const Source*>(nodes[data].node.get()) : nullptr;
}

Range Plan::lane_rows(const Shape& shape, int64_t lane) const {
  return {shape.rows() * lane / lanes, shape.rows() * (lane + 1) / lanes};
}

WeightId Plan::weight(const std::string& name) const {
  for (const WeightId w : weights.ids())
    if (weights[w].name == name) return w;
  return {};
}

std::optional<size_t> PlanLearn::use(NodeId node) const {
  const auto found = std::find(nodes.begin(), nodes.end(), node);
  if (found == nodes.end()) return std::nullopt;
  return static_cast<size_t>(found - nodes.begin());
}

NodeId Plan::measure(size_t report) const {
  const NodeId node = values[reports[report].second].node;
  return dynamic_cast<const Measure*>(nodes[node].node.get()) ? node : NodeId();
}

const PlanLearn* PlanPhase::learn(NodeId node) const {
  const auto found = std::find_if(learns.begin(), learns.end(), [&](const PlanLearn& learn) {
    return learn.use(node).has_value();
  });
  return found == learns.end() ? nullptr : &*found;
}

std::unique_ptr<Plan> Plan::build(Pipeline& pipeline, const Registry& registry, Mode mode,
                                  Mistakes& mistakes) {
  const bool timed = mode != Mode::train && pipeline.train && !pipeline.train->steps;
  if (Mistakes of_train; timed && !pipeline.training_steps)  // for schedules
    build(pipeline, registry, Mode::train, of_train);
  FittedMap given = pipeline.fitted;
  auto plan = build_section(pipeline, registry, mode, given, mistakes);
  if (mistakes.empty() && agree(*plan, given))
    plan = build_section(pipeline, registry, mode, given, mistakes);
  if (mistakes.empty()) keep_fits(*plan, pipeline, mistakes);
  if (mode == Mode::train) pipeline.training_steps = plan->steps;
  return plan;
}

std::vector<std::unique_ptr<Plan>> build_plans(Pipeline& pipeline, const Registry& registry,
                                               Mistakes& mistakes) {
  std::vector<std::unique_ptr<Plan>> plans;
  for (const Mode mode : {Mode::train, Mode::evaluate, Mode::generate})
    if (pipeline.section(mode)) plans.push_back(Plan::build(pipeline, registry, mode, mistakes));
  if (mistakes.empty())
    for (size_t i = 1; i < plans.size(); ++i) check_shared(*plans[0], *plans[i], mistakes);
  if (mistakes.empty() && pipeline.train && pipeline.evaluate)  // a training holds both
    check_memory(plans[0]->bytes() + plans[1]->bytes() - plans[1]->weight_bytes(),
                 "`train` with its `evaluate`", pipeline.train->place, mistakes);
  for (const auto& plan : plans) {
    if (!pipeline.train || !mistakes.empty()) break;
    for (const auto& [name, value] : plan->reports)
      if (plan->mode == Mode::evaluate && name == pipeline.train->save.best &&
          plan->values[value].shape.rank() > 0 && plan->values[value].shape.row_elements() != 1)
        mistakes.add(pipeline.train->save.best_place,
                     "`best` must be one number, but `" + name + "` is " +
                         plan->values[value].shape.without_front().str() + " for each sample");
    for (const PlanWeight& weight : plan->weights) {
      const ModuleDecl& module = pipeline.modules.at(weight.module);
      if (!plans[0]->weight(weight.name) && module.from.empty())
        mistakes.add(module.graph.place, "module `" + module.name + "` learns nothing: `" +
                                             name(plan->mode) + "` uses it, but `train` does not");
    }
  }
  return plans;
}

std::unique_ptr<Node> Plan::instance(const Registry& registry, NodeId n) const {
  const PlanNode& from = nodes[n];
  std::unique_ptr<Node> node = registry.make(from.kind);
  for (size_t i = 0; i < from.lists.size(); ++i) node->lists[i]->resize(node.get(), from.lists[i]);
  from.params.give_to(*node);
  for (size_t i = 0; i < from.inputs.size(); ++i)
    if (from.inputs[i]) node->ins[i]->wire(values[from.inputs[i]].shape, true);
  node->settle(from.setting);
  node->infer();
  return node;
}

const PlanOptimizer& Plan::optimizer(const PlanPhase& phase, WeightId weight) const {
  return *std::find_if(
      phase.optimizers.begin(), phase.optimizers.end(),
      [&](const PlanOptimizer& o) { return matches(o.match, weights[weight].name); });
}

size_t Plan::weight_bytes() const {
  size_t total = 0;
  for (const PlanWeight& weight : weights)
    total += static_cast<size_t>(weight.shape.elements()) * sizeof(float);
  return total;
}

size_t Plan::bytes() const {
  size_t total = arena + static_cast<size_t>(lanes) * workspace + weight_bytes();
  for (const PlanPhase& phase : phases)
    for (const WeightId w : phase.updates) {
      const size_t size = static_cast<size_t>(weights[w].shape.elements()) * sizeof(float);
      total += size *
               (1 + optimizer(phase, w).node->slots.size() + (phase.decl->accumulate > 1 ? 1 : 0));
    }
  for (const PlanPhase& phase : phases)
    for (const PlanLearn& learn : phase.learns)
      for (const WeightId w : learn.learned)
        if (const size_t shares = learn.shares(lanes); shares > 1)
          total += (shares - 1) * static_cast<size_t>(weights[w].shape.elements()) * sizeof(float);
  return total;
}

std::vector<std::vector<PlanItem>> Plan::program(const std::vector<bool>& active) const {
  std::vector<std::vector<PlanItem>> program(phases.size());
  ByNode<bool> computed(nodes.size());
  if (data) computed[data] = true;  // read ahead
  const auto last = std::find(active.rbegin(), active.rend(), true).base() - active.begin() - 1;
  for (size_t p = 0; p < phases.size(); ++p) {
    if (!active[p]) continue;
    std::vector<ValueId> wanted;
    if (phases[p].loss) wanted.push_back(phases[p].loss);
    if (static_cast<std::ptrdiff_t>(p) == last)
      for (const auto& [name, value] : reports) wanted.push_back(value);
    const auto needs = ancestors(*this, wanted);
    for (const NodeId n : nodes.ids()) {
      if ((phases[p].loss ? needs[n] : needed[n]) && !computed[n]) {
        program[p].push_back({.kind = PlanItem::Kind::forward, .node = n});
        computed[n] = true;
      }
    }
    if (phases[p].loss)
      for (const PlanItem& item : backward_items(*this, phases[p])) program[p].push_back(item);
    program[p] = staged(*this, phases[p], std::move(program[p]));
    ByNode<bool> changed(nodes.size());
    for (const NodeId n : nodes.ids()) {
      for (const Weight* weight : nodes[n].node->weights)
        for (const WeightId update : phases[p].updates)
          if (weights[update].name == nodes[n].weights + "." + weight->name) changed[n] = true;
      for (const ValueId input : nodes[n].inputs)
        if (input && changed[values[input].node]) changed[n] = true;
      if (changed[n]) computed[n] = false;
    }
  }
  return program;
}

std::vector<std::string> Plan::notes() const {
  std::vector<std::string> all;
  for (const PlanNode& node : nodes)
    for (const std::string& note : node.node->notes())
      all.push_back(std::string(weft::name(mode)) + "/" + node.path + ": " + note);
  return all;
}

double Plan::backward_flops(const PlanPhase& phase, NodeId node) const {
  bool wants = false;
  for (size_t i = 0; i < nodes[node].inputs.size(); ++i)
    wants = wants || input_wants_grad(*this, phase, node, i);
  const Node& own = *nodes[node].node;
  return wants ? own.flops() * (own.weights.empty() ? 2 : 1) : 0;
}

double Plan::step_flops() const {
  double flops = 0;
  for (const PlanPhase& phase : phases)
    for (const PlanItem& item : phase.items) {
      if (!item.node) continue;
      const double forward = nodes[item.node].node->flops();
      if (item.kind == PlanItem::Kind::forward) flops += forward;
      if (item.kind == PlanItem::Kind::backward)
        flops += backward_flops(phase, item.node) + (phase.learn(item.node) ? forward : 0);
    }
  return flops;
}

}  // namespace weft
