// Wires a loop as nodes of their own for each turn, through which gradients pass.
#include "framework/language/fields.h"
#include "framework/plan/item_nodes.h"
#include "framework/plan/looped.h"

namespace weft {

Wiring::Outputs Wiring::unroll(Scope& scope, const Looped& looped) {
  const NodeDecl& decl = looped.decl;
  const LoopDecl& loop = *decl.loop;
  const std::string path = scope.path + decl.name + ".";
  expand(loop.times, loop.place);
  const auto add = [&](const std::string& of, const std::function<std::unique_ptr<Node>()>& make,
                       const std::vector<ValueId>& inputs) {
    return add_items(scope, path + of, loop.place, make, inputs);
  };
  std::vector<Outputs> items;  // of what turns get items of, by turn
  for (size_t i = loop.carry.size(); i < looped.starts.size(); ++i)
    items.push_back(add(looped.ports->items[i - loop.carry.size()].name,
                        [n = loop.times] { return std::make_unique<Apart>(n); },
                        {looped.starts[i]}));
  std::vector<ValueId> carried(looped.starts.begin(),
                               looped.starts.begin() + std::ssize(loop.carry));
  std::vector<std::vector<ValueId>> collected(loop.collect.size());
  for (int64_t turn = 0; turn < loop.times; ++turn) {
    Scope around = within(scope);
    around.path = path + std::to_string(turn) + ".";
    around.weights += decl.name + ".";
    NodeDecl body = decl;
    body.loop.reset();
    body.name = "body";
    const auto give = [&](const std::string& input, ValueId value) {
      around.inputs[looped.name(input)] = value;
      body.keys.put(input, Yaml::scalar(looped.name(input), loop.place));
    };
    for (size_t i = 0; i < carried.size(); ++i) give(loop.carry[i].first, carried[i]);
    for (size_t i = 0; i < items.size(); ++i)
      give(looped.ports->items[i].name, items[i][static_cast<size_t>(turn)].second);
    for (const auto& [input, numbers] : looped.ports->over)
      give(input, add(std::to_string(turn) + "." + input,
                      [number = numbers[static_cast<size_t>(turn)]] {
                        return std::make_unique<Filled>(number);
                      },
                      {carried[0]})
                      .front()
                      .second);
    const std::vector<ValueId> given = given_by(looped, carried, wire_once(around, body));
    carried.assign(given.begin(), given.begin() + std::ssize(carried));
    for (size_t i = 0; i < collected.size(); ++i) collected[i].push_back(given[carried.size() + i]);
  }
  Outputs outputs;
  for (size_t i = 0; i < carried.size(); ++i) outputs.emplace_back(loop.carry[i].first, carried[i]);
  for (size_t i = 0; i < collected.size(); ++i)
    outputs.emplace_back(
        loop.collect[i].first,
        add(
            loop.collect[i].first,
            [n = collected[i].size()] { return std::make_unique<Together>(n); }, collected[i])
            .front()
            .second);
  return outputs;
}

}  // namespace weft
