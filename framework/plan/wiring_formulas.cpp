// Wires a formula: a node for each of its operators and functions.
#include <algorithm>
#include <numbers>

#include "framework/language/fields.h"
#include "framework/language/formula.h"
#include "framework/node/did_you_mean.h"
#include "framework/node/host.h"
#include "framework/plan/wiring.h"

namespace weft {

namespace {
std::string text_of(double number) {
  const auto whole = static_cast<int64_t>(number);
  if (static_cast<double>(whole) == number) return std::to_string(whole);
  char text[32];
  return {text, static_cast<size_t>(std::snprintf(text, sizeof text, "%.17g", number))};
}

Yaml placed(const Yaml& value, const Place& place) {
  if (!value.is_list()) return Yaml::scalar(value.to_text("a param"), place);
  std::vector<Yaml> items;
  for (const Yaml& item : value.items()) items.push_back(placed(item, place));
  return Yaml::list(std::move(items), place);
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
}  // namespace

// A part of a formula: a number, or the name of a value in the scope of the formula.
struct Wiring::Term {
  double number = 0;
  std::string name = {};
  bool is_number() const { return name.empty(); }
};

struct Wiring::Formulated {
  const NodeDecl& decl;
  Scope around;
  const Formula formula;
  int made = 0;       // nodes
  Outputs last = {};  // of the node that was made last
  const Place& place() const { return decl.formula->place; }
};

Wiring::Outputs Wiring::wire_formula(Scope& scope, const NodeDecl& decl) {
  const auto& [text, place] = *decl.formula;
  if (text.empty()) throw Skip{};  // reported already
  for (const auto& [name, at, ref] : decl.keys.entries())
    if (ref.is_null())
      throw Error(at, "a formula with a comma needs quotes: `formula: \"maximum(a, b)\"`");
  Formulated all{decl,
                 {.outer = &scope,
                  .what = scope.what,
                  .path = scope.path,
                  .module = scope.module,
                  .weights = scope.weights,
                  .loop = scope.loop,
                  .through = true},
                 parsed(text, place)};
  for (const auto& [name, at, ref] : decl.keys.entries()) {
    if (!is_name(name))
      throw Error(at, "a value's name is letters, digits and `_`, not " + ticked(name));
    all.around.inputs[name] = resolve(scope, ref.to_text("value " + ticked(name)), ref.place());
  }
  if (all.formula.kind != Formula::Kind::call || term(all, all.formula, true).is_number())
    throw Error(place, "a formula makes something of values, but " + ticked(text) + " does not");
  for (const auto& [name, at, ref] : decl.keys.entries())
    if (!all.around.read.contains(name))
      throw Error(at, ticked(name) + " is not in the formula " + ticked(text));
  return all.last;
}

Wiring::Term Wiring::term(Formulated& all, const Formula& part, bool whole) {
  if (part.kind == Formula::Kind::number) return {.number = part.number};
  if (part.kind == Formula::Kind::name) {
    const bool given = all.around.inputs.contains(part.text);
    if (part.text == "pi" && !given && !all.around.outer->nodes.contains("pi"))
      return {.number = std::numbers::pi};
    if (!resolve(all.around, part.text, all.place()))
      throw Error(all.place(), ticked(part.text) + " is an optional input that is not wired");
    return {.name = part.text};
  }
  std::vector<Term> args;
  for (const Formula& arg : part.args) args.push_back(term(all, arg, false));
  if (part.params.empty() && std::ranges::all_of(args, &Term::is_number)) {
    std::vector<double> numbers;
    for (const Term& arg : args) numbers.push_back(arg.number);
    if (const auto result = calculate(part.text, numbers)) return {.number = *result};
  }
  const auto symbol = std::ranges::find(
      operators, part.text, [](const Operator& one) { return std::string_view(one.symbol); });
  return symbol == std::end(operators) ? call(all, part, args, whole)
                                       : apply(all, part.text, args, whole);
}

// Adds a node of the formula; `whole` if it is the formula itself.
Wiring::Term Wiring::make(Formulated& all, const std::string& kind,
                          const std::vector<std::pair<std::string, Yaml>>& keys, bool whole) {
  NodeDecl node{.name = all.decl.name + (whole ? "" : "." + std::to_string(++all.made)),
                .place = all.place(),
                .kind = kind,
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

// An operator, with a node that holds the number where one side is one.
Wiring::Term Wiring::apply(Formulated& all, const std::string& symbol, std::vector<Term> args,
                           bool whole) {
  const auto text = [&](const std::string& value) { return Yaml::scalar(value, all.place()); };
  const auto scale = [&](const Term& x, double by, double plus) {
    return make(all, "scale",
                {{"x", text(x.name)}, {"by", text(text_of(by))}, {"plus", text(text_of(plus))}},
                whole);
  };
  if (symbol == "neg") return make(all, "negative", {{"x", text(args[0].name)}}, whole);
  const Term &a = args[0], &b = args[1];
  const auto& known = *std::ranges::find(
      operators, symbol, [](const Operator& one) { return std::string_view(one.symbol); });
  if (*known.flipped && a.is_number()) return apply(all, known.flipped, {b, a}, whole);
  if (*known.flipped && b.is_number())
    return make(all, known.node, {{"a", text(a.name)}, {"value", text(text_of(b.number))}}, whole);
  if (b.is_number()) {
    if (symbol == "+") return scale(a, 1, b.number);
    if (symbol == "-") return scale(a, 1, -b.number);
    if (symbol == "*") return scale(a, b.number, 0);
    if (symbol == "/" && b.number == 0) refuse_formula(all.decl.formula->text, "division by zero");
    if (symbol == "/") return scale(a, 1 / b.number, 0);
    if (b.number == 2) return make(all, "square", {{"x", text(a.name)}}, whole);
    return make(all, "power", {{"x", text(a.name)}, {"exponent", text(text_of(b.number))}}, whole);
  }
  if (a.is_number()) {
    if (symbol == "+") return scale(b, 1, a.number);
    if (symbol == "-") return scale(b, -1, a.number);
    if (symbol == "*") return scale(b, a.number, 0);
    if (symbol == "/" && a.number == 1)
      return make(all, "reciprocal", {{"x", text(b.name)}}, whole);
    if (symbol == "/")
      return scale(make(all, "reciprocal", {{"x", text(b.name)}}, false), a.number, 0);
    args[0] = make(all, "constant", {{"value", text(text_of(a.number))}}, false);
  }
  return make(all, known.node, {{"a", text(args[0].name)}, {"b", text(b.name)}}, whole);
}

// A function: a node kind or a fragment, whose inputs are the arguments in order.
Wiring::Term Wiring::call(Formulated& all, const Formula& part, std::vector<Term> args,
                          bool whole) {
  const auto* const entry = registry_.find(part.text);
  if (part.text == "//" || part.text == "%")
    throw Error(all.place(), ticked(part.text) + " is of numbers, not of values");
  if (!entry && !fragment(part.text))
    throw Error(all.place(),
                "there is no node kind " + ticked(part.text) + did_you_mean(part.text, kinds()));
  std::vector<std::string> inputs = inputs_of(part.text, "");
  std::string list;
  if (entry && inputs.empty())
    if (const auto made = registry_.make(part.text); !made->host().lists.empty())
      list = made->host().lists[0]->name;
  if (list.empty() && args.size() > inputs.size())
    throw Error(all.place(), ticked(part.text) + " has " + std::to_string(inputs.size()) +
                                 " inputs, but gets " + std::to_string(args.size()));
  std::vector<std::pair<std::string, Yaml>> keys;
  std::vector<Yaml> items;
  for (size_t i = 0; i < args.size(); ++i) {
    Term arg = args[i];
    if (arg.is_number())
      arg =
          make(all, "constant", {{"value", Yaml::scalar(text_of(arg.number), all.place())}}, false);
    const Yaml name = Yaml::scalar(arg.name, all.place());
    if (list.empty())
      keys.emplace_back(inputs[i], name);
    else
      items.push_back(name);
  }
  if (!list.empty()) keys.emplace_back(list, Yaml::list(std::move(items), all.place()));
  for (const auto& [param, value] : part.params)
    keys.emplace_back(param, placed(Yaml::parse(value, ticked(param)), all.place()));
  return make(all, part.text, keys, whole);
}

}  // namespace weft
