#include "framework/plan/build_plan.h"

#include <algorithm>
#include <set>

#include "framework/node/host.h"
#include "framework/node/measure.h"
#include "framework/plan/checks.h"
#include "framework/plan/differentiate.h"
#include "framework/plan/fits.h"
#include "framework/plan/follow.h"
#include "framework/plan/lanes.h"
#include "framework/plan/memory.h"
#include "framework/plan/optimizers.h"
#include "framework/plan/order.h"
#include "framework/plan/wiring.h"

namespace weft {

namespace {
// Rows of a batch: what the data gives, else what the nodes make that have no input wired.
int64_t batch_rows(const Plan& plan) {
  int64_t rows = 1;
  for (const PlanNode& node : plan.nodes) {
    if (std::ranges::any_of(node.inputs, [](ValueId input) { return bool(input); })) continue;
    for (const ValueId value : node.outputs)
      if (!plan.values[value].rows.shared) rows = std::max(rows, plan.values[value].shape.rows());
  }
  return plan.source() ? *plan.source()->batch : rows;
}

void build_phases(Plan& plan, const Pipeline& pipeline, const Registry& registry, Wiring& wiring,
                  Mistakes& mistakes) {
  for (const PhaseDecl& decl : pipeline.train->phases) {
    check_updates(plan, pipeline, decl, mistakes);
    check_metric(decl.minimize, mistakes);
    PlanPhase phase{.decl = decl, .loss = wiring.value(decl.minimize.text, decl.minimize.place)};
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

// Plans a `train` without phases: no weight learns, but nodes write their states, such as a memory
// of samples.
void build_pass(Plan& plan, const SectionDecl& section, Mistakes& mistakes) {
  if (plan.states.empty() && mistakes.empty())
    mistakes.add(section.place,
                 "`train` needs `phases`: what to minimize, and what to update for it");
  plan.phases.emplace_back();
}

// Has `train` the node that `evaluate` reports, and is it of one kind in both?
bool has_node(const SectionDecl& train, const SectionDecl& evaluate, const Mention& mention) {
  const std::string name = mention.text.substr(0, mention.text.find('.'));
  const auto own = std::ranges::find(train.nodes, name, &NodeDecl::name);
  const auto other = std::ranges::find(evaluate.nodes, name, &NodeDecl::name);
  return own != train.nodes.end() && other != evaluate.nodes.end() && own->kind == other->kind &&
         own->module == other->module && !own->formula == !other->formula;
}

// Marks what the values need, and sinks; notes the nodes that nothing needs if all must be used.
void mark_needed(Plan& plan, const SectionDecl& section, const std::vector<ValueId>& wanted,
                 bool all_used, Mistakes& mistakes) {
  plan.needed = ancestors(plan, wanted);
  for (const NodeId n : plan.nodes.ids().backwards()) {
    if (!plan.nodes[n].node->host().outs.empty()) continue;  // only sinks have no outputs
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
  if (!all_used) return;
  std::set<std::string> made, needed;  // by path: "block.2.h" makes "block" and "block.2" needed
  for (const NodeId n : plan.nodes.ids())
    for (size_t dot = 0; dot != std::string::npos;) {
      const std::string name =
          plan.nodes[n].path.substr(0, dot = plan.nodes[n].path.find('.', dot + 1));
      made.insert(name);
      if (plan.needed[n]) needed.insert(name);
    }
  for (const NodeDecl& decl : section.nodes)  // a name for another value makes none
    if (made.contains(decl.name) && !needed.contains(decl.name))
      mistakes.add(decl.place,
                   "node `" + decl.name + "` is unused: no loss, report or sink depends on it");
}

// Tells sources which of their outputs a needed node reads, or a report.
void tell_sources(const Plan& plan, const std::vector<ValueId>& wanted) {
  const auto is_read = [&](ValueId value) {
    return std::ranges::find(wanted, value) != wanted.end() ||
           std::ranges::any_of(plan.values[value].readers,
                               [&](const auto& reader) { return plan.needed[reader.node]; });
  };
  for (const PlanNode& node : plan.nodes)
    if (dynamic_cast<const Source*>(node.node.get()))
      for (Out* out : node.node->host().outs) Host::want(*out, is_read(node.outputs[out->index]));
}

std::unique_ptr<Plan> build_section(const Pipeline& pipeline, const Registry& registry, Mode mode,
                                    const Known& known, Mistakes& mistakes) {
  auto plan = std::make_unique<Plan>();
  plan->mode = mode;
  plan->name = pipeline.name;
  plan->seed = pipeline.seed;
  *plan->fitted = known.fitted;
  check_precision(pipeline, mode, mistakes);
  if (dnn_has_bf16()) plan->precision = pipeline.precision;
  const SectionDecl* section = pipeline.section(mode);
  if (!section)
    throw Error(Place{pipeline.file},
                "the pipeline has no section `" + std::string(weft::name(mode)) + "`");
  Wiring wiring(*plan, pipeline, registry, known.training_steps, mistakes);
  wiring.section(*section);
  if (mode == Mode::train && mistakes.empty()) plan_follows(*plan, pipeline, mistakes);
  plan->rows = batch_rows(*plan);
  plan->rank = known.rank;
  if (pipeline.train && mode != Mode::generate) plan->shards = pipeline.train->shards;
  cut_into_lanes(*plan, section->lanes);
  if (mode == Mode::train) check_shards(*plan, *section, mistakes);
  if (mistakes.empty()) check_rows(*plan, mistakes);
  check_measures(*plan, mistakes);

  std::vector<ValueId> wanted;
  const auto want = [&](const Mention& mention, bool reported) {
    const ValueId value = wiring.value(mention.text, mention.place);
    if (!value) return;
    if (mode == Mode::train && reported) check_metric(mention, mistakes);
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
      for (const Mention& mention : pipeline.evaluate->report)
        if (!pipeline.evaluate->extends || has_node(*section, *pipeline.evaluate, mention))
          want(mention, false);
  } else {
    plan->phases.emplace_back();
  }
  if (mode == Mode::train && mistakes.empty())
    for (const PlanNode& node : plan->nodes) {
      if (!node.writes()) continue;
      wanted.push_back(plan->writes.emplace_back(node.outputs[0]));
      if (const LoopId loop = plan->outermost(node.loop); loop)
        wanted.push_back(plan->writes.emplace_back(plan->nodes[plan->loops[loop].end].outputs[0]));
    }
  const bool all_used = !section->inherits &&
                        !(mode == Mode::train && pipeline.evaluate && pipeline.evaluate->extends);
  if (mistakes.empty()) mark_needed(*plan, *section, wanted, all_used, mistakes);
  for (const NodeId n : plan->needed.ids())  // only `evaluate` runs measures
    if (mode != Mode::evaluate && dynamic_cast<const Measure*>(plan->nodes[n].node.get()))
      plan->needed[n] = false;
  if (mistakes.empty()) {
    tell_sources(*plan, wanted);
    const auto items = program_of(*plan, std::vector<bool>(plan->phases.size(), true));
    for (size_t p = 0; p < items.size(); ++p) plan->phases[p].items = items[p];
    plan_memory(*plan);
    check_memory(plan->bytes(), "`" + std::string(weft::name(mode)) + "`", section->place,
                 mistakes);
  }
  return plan;
}

// What is known once `train` is planned.
Known known_after(const Plan& train) {
  return {*train.fitted, train.steps, train.rank};
}
}  // namespace

std::unique_ptr<const Plan> build_plan(const Pipeline& pipeline, const Registry& registry,
                                       Mode mode, Known known, Mistakes& mistakes) {
  const bool lacks_steps = mode != Mode::train && pipeline.train && !known.training_steps;
  if (lacks_steps && !mistakes.empty()) {
    known.training_steps = 1;  // any number will do: the plan is not going to run
  } else if (lacks_steps && !pipeline.train->steps) {
    Mistakes of_train;
    const auto train = build_plan(pipeline, registry, Mode::train, known, of_train);
    known = known_after(*train);
  }
  auto plan = build_section(pipeline, registry, mode, known, mistakes);
  if (Known agreed = known; mistakes.empty() && agree(*plan, agreed.fitted))
    plan = build_section(pipeline, registry, mode, agreed, mistakes);
  if (mistakes.empty()) keep_fits(*plan, known.fitted, mistakes);
  return plan;
}

Plans build_plans(const Pipeline& pipeline, const Registry& registry, Known known,
                  Mistakes& mistakes) {
  check_modules_used(pipeline, registry, mistakes);
  Plans plans;
  for (const Mode mode : {Mode::train, Mode::evaluate, Mode::generate}) {
    if (!pipeline.section(mode)) continue;
    plans.push_back(build_plan(pipeline, registry, mode, known, mistakes));
    if (mode == Mode::train) known = known_after(*plans.back());
  }
  if (mistakes.empty())
    for (size_t i = 1; i < plans.size(); ++i) check_shared(*plans[0], *plans[i], mistakes);
  if (mistakes.empty() && pipeline.train && pipeline.evaluate)  // a training holds both
    check_memory(plans[0]->bytes() + plans[1]->bytes() - plans[1]->weight_bytes(),
                 "`train` with its `evaluate`", pipeline.train->place, mistakes);
  if (mistakes.empty() && pipeline.train)
    for (const auto& plan : plans) {
      check_best(*plan, pipeline, mistakes);
      check_learned(*plans[0], *plan, pipeline, mistakes);
    }
  return plans;
}

Yaml whole_source(const Pipeline& pipeline, const Plans& plans) {
  Yaml source = pipeline.source;
  for (const auto& plan : plans)
    for (const FragmentDecl& fragment : plan->fragments) {
      if (!source.find("fragments")) source.put("fragments", Yaml::map({}, fragment.text.place()));
      source.find("fragments")->put(fragment.name, fragment.text);
    }
  return source;
}

}  // namespace weft
