// Wires a node that runs many times: a begin, the node itself, and an end.
#include <algorithm>

#include "framework/language/fields.h"
#include "framework/node/did_you_mean.h"
#include "framework/plan/looped.h"

namespace weft {

namespace {
constexpr int64_t most_turns = 1 << 22;  // of loops within loops; random numbers count them

std::vector<float> numbers_of(const Yaml& given, const std::string& input, int64_t times) {
  std::vector<float> numbers(static_cast<size_t>(times));
  if (given.is_map()) {
    const Schedule schedule = Schedule::read(given, times);
    for (int64_t i = 0; i < times; ++i)
      numbers[static_cast<size_t>(i)] = static_cast<float>(schedule.at(i));
  } else if (given.is_list()) {
    if (std::ssize(given.items()) != times)
      throw Error(given.place(), ticked(input) + " has " + std::to_string(given.items().size()) +
                                     " numbers, but the loop has " + std::to_string(times) +
                                     " turns");
    for (size_t i = 0; i < numbers.size(); ++i)
      numbers[i] = static_cast<float>(given.items()[i].to_number("a number of " + ticked(input)));
  } else if (given.is_scalar() && given.text() == "turn") {
    for (size_t i = 0; i < numbers.size(); ++i) numbers[i] = static_cast<float>(i);
  }
  return numbers;
}
}  // namespace

Wiring::Outputs Wiring::wire_loop(Scope& scope, const NodeDecl& decl) {
  Looped looped{decl};
  read_starts(scope, looped);
  if (decl.loop->unroll) return unroll(scope, looped);
  Scope around = within(scope);
  around.loop = plan_.loops.add({.times = decl.loop->times, .outer = scope.loop});
  PlanLoop& loop = plan_.loops[around.loop];
  loop.carried = looped.ports->carried.size();
  const Outputs begin = begin_loop(around, looped);
  NodeDecl body = decl;
  body.loop.reset();
  if (body.module.empty() && registry_.find(body.kind)) body.name += ".body";
  for (const auto& [input, value] : begin) {
    around.inputs[looped.name(input)] = value;
    body.keys.put(input, Yaml::scalar(looped.name(input), decl.loop->place));
  }
  const Outputs given = wire_once(around, body);
  return end_loop(around, looped, begin, given);
}

void Wiring::read_starts(Scope& scope, Looped& looped) {
  const auto& [decl, ports, starts] = looped;
  const LoopDecl& loop = *decl.loop;
  ports->times = loop.times;
  int64_t turns = loop.times;
  for (LoopId outer = scope.loop; outer; outer = plan_.loops[outer].outer)
    turns *= plan_.loops[outer].times;
  if (turns > most_turns)
    throw Error(loop.place, "loops within loops have " + std::to_string(turns) +
                                " turns, but may have " + std::to_string(most_turns));
  if (loop.carry.empty()) throw Skip{};  // reported already
  const auto refuse_given = [&, &decl = decl](const std::string& input) {
    if (const Yaml* given = decl.keys.find(input))
      throw Error(given->place(), ticked(input) + " is given here and by the loop");
  };
  for (const auto& [input, mention] : loop.carry) {
    refuse_given(input);
    looped.starts.push_back(resolve(scope, mention.text, mention.place));
    if (!looped.starts.back())
      throw Error(mention.place, "a loop cannot carry an optional input that is not wired");
    ports->carried.push_back({input, plan_.values[looped.starts.back()].dtype});
  }
  for (const auto& [input, given] : loop.over) {
    refuse_given(input);
    if (std::ranges::any_of(ports->carried,
                            [&, &input = input](const auto& p) { return p.name == input; }))
      throw Error(given.place(), ticked(input) + " is carried already");
    if (given.is_scalar() && given.text() != "turn") {
      const ValueId value = looped.starts.emplace_back(resolve(scope, given.text(), given.place()));
      if (!value) throw Error(given.place(), "a loop has no turns over what is not wired");
      ports->items.push_back({input, plan_.values[value].dtype});
    } else {
      ports->over.emplace_back(input, numbers_of(given, input, loop.times));
    }
  }
}

// Adds a node of the framework's own.
Wiring::Outputs Wiring::add_own(const Scope& around, PlanNode node,
                                const std::vector<ValueId>& inputs) {
  expand(1, node.place);
  node.loop = around.loop;
  std::unique_ptr<Node> made = node.make();
  for (size_t i = 0; i < inputs.size(); ++i)
    connect(node, *made->host().ins[i], inputs[i], node.place);
  infer(node, *made);
  return add(std::move(node), std::move(made));
}

Wiring::Outputs Wiring::begin_loop(Scope& around, const Looped& looped) {
  const std::string path = around.path + looped.decl.name;
  const Place& place = looped.decl.loop->place;
  plan_.loops[around.loop].begin = NodeId(plan_.nodes.size());
  return add_own(around,
                 {.path = path + ".begin",
                  .kind = "loop",
                  .place = place,
                  .make = [ports = looped.ports] { return std::make_unique<LoopBegin>(ports); }},
                 looped.starts);
}

// What a turn gave: what is carried out of it, then what is collected, then whether it is done.
std::vector<ValueId> Wiring::given_by(const Looped& looped, const std::vector<ValueId>& carried,
                                      const Outputs& given) const {
  const LoopDecl& loop = *looped.decl.loop;
  const auto output = [&](const std::string& name, const Place& place) {
    std::vector<std::string> known;
    for (const auto& [output, value] : given) {
      if (output == name) return value;
      known.push_back(output);
    }
    throw Error(place, "the node of the loop has no output " + ticked(name) +
                           did_you_mean(name, known) + "; it has " + listed(known));
  };
  std::vector<ValueId> values;
  for (size_t i = 0; i < loop.carry.size(); ++i) {
    const auto& [name, mention] = loop.carry[i];
    const ValueId value = values.emplace_back(output(name, mention.place));
    const PlanValue &before = plan_.values[carried[i]], &after = plan_.values[value];
    if (before.shape != after.shape || before.dtype != after.dtype)
      throw Error(mention.place, "the loop carries " + ticked(name) + ", which is " +
                                     before.shape.str() + " of " + weft::name(before.dtype) +
                                     " into a turn, but " + after.shape.str() + " of " +
                                     weft::name(after.dtype) + " out of it");
  }
  for (const auto& [name, mention] : loop.collect) {
    values.push_back(output(mention.text, mention.place));
    if (std::ranges::any_of(
            loop.carry, [&, &name = name](const auto& carried) { return carried.first == name; }))
      throw Error(mention.place, ticked(name) +
                                     " is an output that the loop carries: give what it "
                                     "collects another name");
  }
  if (loop.until) values.push_back(output(loop.until->text, loop.until->place));
  return values;
}

Wiring::Outputs Wiring::end_loop(Scope& around, const Looped& looped, const Outputs& begin,
                                 const Outputs& given) {
  const LoopDecl& loop = *looped.decl.loop;
  std::vector<ValueId> carried;
  for (const auto& [name, value] : begin) carried.push_back(value);
  const std::vector<ValueId> inputs = given_by(looped, carried, given);
  for (size_t i = 0; i < loop.collect.size(); ++i)
    looped.ports->collected.push_back(
        {loop.collect[i].first, plan_.values[inputs[loop.carry.size() + i]].dtype});
  looped.ports->until = loop.until.has_value();
  plan_.loops[around.loop].end = NodeId(plan_.nodes.size());
  return add_own(around,
                 {.path = around.path + looped.decl.name,
                  .kind = "loop",
                  .place = loop.place,
                  .make = [ports = looped.ports] { return std::make_unique<LoopEnd>(ports); }},
                 inputs);
}

}  // namespace weft
