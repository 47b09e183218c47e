// Wires a formula: a node for each of its operators and functions.
#include <algorithm>
#include <map>
#include <numbers>
#include <optional>

#include "framework/language/arithmetic.h"
#include "framework/language/fields.h"
#include "framework/language/formula.h"
#include "framework/node/did_you_mean.h"
#include "framework/node/host.h"
#include "framework/plan/wiring.h"

namespace weft {

namespace {
Yaml placed(const Yaml& value, const Place& place) {
  if (!value.is_list()) return Yaml::scalar(value.to_text("a param"), place);
  std::vector<Yaml> items;
  for (const Yaml& item : value.items()) items.push_back(placed(item, place));
  return Yaml::list(std::move(items), place);
}

std::optional<double> number_of(const Yaml& value) {
  try {
    return value.to_number("a number");
  } catch (const Error&) {
    return std::nullopt;
  }
}

Yaml param_of(const std::string& name, const std::string& text, const Place& place) {
  try {
    return placed(Yaml::parse(text, ticked(name)), place);
  } catch (const Error& error) {
    throw Error(place, "param " + ticked(name) + ": " + error.sentence());
  }
}

Formula parsed(const std::string& text, const Place& place) {
  try {
    return parse_formula(text, About::values);
  } catch (const Error& error) {
    throw Error(place, error.sentence());
  }
}

// What an operator is where one side is a number, or none is; "" if it has no such form.
struct Operator {
  const char *symbol, *node;
  const char* flipped = "";  // of a comparison whose sides change places
};
constexpr Operator operators[] = {{"+", "add"},
                                  {"-", "subtract"},
                                  {"*", "multiply"},
                                  {"/", "divide"},
                                  {"**", "pow"},
                                  {"neg", "negative"},
                                  {">", "greater", "<"},
                                  {"<", "less", ">"},
                                  {"==", "equal", "=="},
                                  {"!=", "not_equal", "!="},
                                  {">=", "greater_equal", "<="},
                                  {"<=", "less_equal", ">="}};
const Operator* operator_of(const std::string& symbol) {
  const auto* const found = std::ranges::find(
      operators, symbol, [](const Operator& one) { return std::string_view(one.symbol); });
  return found == std::end(operators) ? nullptr : found;
}
}  // namespace

// A part of a formula: by · value + plus, of a value of that name in the formula's scope, or a
// number, `plus`, if it has no name. So a chain of numbers is one node.
struct Wiring::Term {
  double plus = 0;
  std::string name = {};
  double by = 1;
  bool is_number() const { return name.empty(); }
  bool is_value() const { return !name.empty() && by == 1 && plus == 0; }
  Term times(double factor) const { return {plus * factor, name, by * factor}; }
  Term add(double number) const { return {plus + number, name, by}; }
};

struct Wiring::Formulated {
  const NodeDecl& decl;
  Scope around;
  std::map<std::string, double> numbers = {};  // keys beside the formula that are none of values
  int made = 0;                                // nodes
  Outputs last = {};                           // of the node that was made last
  const Place& place() const { return decl.formula->place; }
};

Wiring::Outputs Wiring::wire_formula(Scope& scope, const NodeDecl& decl) {
  const auto& [text, place] = *decl.formula;
  if (text.empty()) throw Skip{};  // reported already
  for (const auto& [name, at, ref] : decl.keys.entries())
    if (ref.is_null())
      throw Error(at, "a formula with a comma needs quotes: `formula: \"maximum(a, b)\"`");
  const Formula formula = parsed(text, place);
  Formulated all{decl, within(scope)};
  for (const auto& [name, at, ref] : decl.keys.entries()) {
    if (!is_name(name))
      throw Error(at, "a value's name is letters, digits and `_`, not " + ticked(name));
    if (const auto number = number_of(ref))
      all.numbers[name] = *number;
    else
      all.around.inputs[name] = resolve(scope, ref.to_text("value " + ticked(name)), ref.place());
  }
  const Term made = term(all, formula, true);
  if (made.is_number())
    throw Error(place, "a formula makes something of values, but " + ticked(text) + " does not");
  if (!made.is_value()) (void)value(all, made, true);
  if (all.last.empty()) all.last = {{"y", resolve(all.around, made.name, place)}};  // a name alone
  for (const auto& [name, at, ref] : decl.keys.entries())
    if (!all.around.read.contains(name))
      throw Error(at, ticked(name) + " is not in the formula " + ticked(text));
  return all.last;
}

Wiring::Term Wiring::term(Formulated& all, const Formula& part, bool whole) {
  if (part.kind == Formula::Kind::number) return {.plus = part.number};
  if (part.kind == Formula::Kind::name) {
    if (const auto number = all.numbers.find(part.text); number != all.numbers.end())
      return all.around.read.insert(part.text), Term{.plus = number->second};
    const bool given = all.around.inputs.contains(part.text);
    if (part.text == "pi" && !given && !all.around.outer->nodes.contains("pi"))
      return {.plus = std::numbers::pi};
    if (!resolve(all.around, part.text, all.place()))
      throw Error(all.place(), ticked(part.text) + " is an optional input that is not wired");
    return {.name = part.text};
  }
  std::vector<Term> args;
  for (const Formula& arg : part.args) args.push_back(term(all, arg, false));
  if (part.params.empty() && std::ranges::all_of(args, &Term::is_number)) {
    std::vector<double> numbers;
    for (const Term& arg : args) numbers.push_back(arg.plus);
    if (const auto result = calculate(part.text, numbers)) return {.plus = *result};
  }
  return operator_of(part.text) ? apply(all, part.text, args, whole) : call(all, part, args, whole);
}

// Adds a node of the formula; `whole` if it is the formula itself.
Wiring::Term Wiring::make(Formulated& all, const std::string& kind,
                          const std::vector<std::pair<std::string, Yaml>>& keys, bool whole) {
  expand(1, all.place());
  const bool module = is_module(kind);
  NodeDecl node{.name = all.decl.name + (whole ? "" : "." + std::to_string(++all.made)),
                .place = all.place(),
                .kind = module ? "" : kind,
                .module = module ? kind : "",
                .keys = Yaml::map({}, all.place())};
  for (const auto& [key, value] : keys) node.keys.put(key, value);
  all.last = wire_once(all.around, node);
  if (all.last.size() != 1) {
    std::vector<std::string> names;
    for (const auto& [name, value] : all.last) names.push_back(name);
    throw Error(all.place(), ticked(kind) + " has the outputs " + listed(names) +
                                 ": a formula takes nodes of one output");
  }
  const std::string name = "(" + node.name + ")";
  all.around.inputs[name] = all.last[0].second;
  return {.name = name};
}

// The name of a value that is the term.
std::string Wiring::value(Formulated& all, const Term& term, bool whole) {
  const auto text = [&](const std::string& value) { return Yaml::scalar(value, all.place()); };
  if (term.is_number())
    return make(all, "constant", {{"value", text(number_text(term.plus))}}, whole).name;
  if (term.is_value()) return term.name;
  if (term.by == -1 && term.plus == 0)
    return make(all, "negative", {{"x", text(term.name)}}, whole).name;
  return make(all, "scale",
              {{"x", text(term.name)},
               {"by", text(number_text(term.by))},
               {"plus", text(number_text(term.plus))}},
              whole)
      .name;
}

// An operator; with a number on one side it often needs no node yet.
Wiring::Term Wiring::apply(Formulated& all, const std::string& symbol, std::vector<Term> args,
                           bool whole) {
  const auto text = [&](const std::string& value) { return Yaml::scalar(value, all.place()); };
  const auto of = [&](const Term& term) { return text(value(all, term, false)); };
  if (symbol == "neg") return args[0].times(-1);
  const Term &a = args[0], &b = args[1];
  const Operator& known = *operator_of(symbol);
  if (*known.flipped && a.is_number()) return apply(all, known.flipped, {b, a}, whole);
  if (*known.flipped && b.is_number())
    return make(all, known.node, {{"a", of(a)}, {"value", text(number_text(b.plus))}}, whole);
  if (b.is_number()) {
    if (symbol == "+" || symbol == "-") return a.add(symbol == "+" ? b.plus : -b.plus);
    if (symbol == "*") return a.times(b.plus);
    if (symbol == "/" && b.plus == 0) refuse_formula(all.decl.formula->text, "division by zero");
    if (symbol == "/") return a.times(1 / b.plus);
    if (b.plus == 2) return make(all, "square", {{"x", of(a)}}, whole);
    return make(all, "power", {{"x", of(a)}, {"exponent", text(number_text(b.plus))}}, whole);
  }
  if (a.is_number()) {
    if (symbol == "+") return b.add(a.plus);
    if (symbol == "-") return b.times(-1).add(a.plus);
    if (symbol == "*") return b.times(a.plus);
    if (symbol == "/") {
      const bool last = whole && a.plus == 1;
      return make(all, "reciprocal", {{"x", of(b)}}, last).times(a.plus);
    }
  }
  const Yaml left = of(a), right = of(b);
  return make(all, known.node, {{"a", left}, {"b", right}}, whole);
}

// A module is a function too, where no node kind and no fragment has its name.
bool Wiring::is_module(const std::string& name) {
  return pipeline_.modules.contains(name) && !registry_.find(name) && !fragment(name);
}

// A function: a node kind or a fragment, whose inputs are the arguments in order.
Wiring::Term Wiring::call(Formulated& all, const Formula& part, std::vector<Term> args,
                          bool whole) {
  const auto* const entry = registry_.find(part.text);
  if (part.text == "//" || part.text == "%")
    throw Error(all.place(), ticked(part.text) + " is of numbers, not of values");
  const bool module = is_module(part.text);
  if (!entry && !module && !fragment(part.text))
    throw Error(all.place(),
                "there is no node kind " + ticked(part.text) + did_you_mean(part.text, kinds()));
  const std::vector<std::string> inputs = inputs_of(part.text, module ? part.text : "");
  std::string list;
  if (entry && inputs.empty())
    if (const auto made = registry_.make(part.text); !made->host().lists.empty())
      list = made->host().lists[0]->name;
  if (list.empty() && args.size() > inputs.size())
    throw Error(all.place(), ticked(part.text) + " has " + std::to_string(inputs.size()) +
                                 " inputs, but gets " + std::to_string(args.size()) +
                                 "; params are named: `axes=1`");
  std::vector<std::pair<std::string, Yaml>> keys;
  std::vector<Yaml> items;
  for (size_t i = 0; i < args.size(); ++i) {
    const Yaml name = Yaml::scalar(value(all, args[i], false), all.place());
    if (list.empty())
      keys.emplace_back(inputs[i], name);
    else
      items.push_back(name);
  }
  if (!list.empty()) keys.emplace_back(list, Yaml::list(std::move(items), all.place()));
  for (const auto& [param, value] : part.params)
    keys.emplace_back(param, param_of(param, value, all.place()));
  return make(all, part.text, keys, whole);
}

}  // namespace weft
