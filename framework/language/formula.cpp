#include "framework/language/formula.h"

#include <array>
#include <cctype>
#include <cmath>

#include "framework/language/arithmetic.h"
#include "framework/language/yaml_text.h"
#include "framework/node/error.h"

namespace weft {

namespace {
constexpr int deepest = 64;
constexpr int most_parts = 1000;

// comparison := sum (('>' | '>=' | …) sum)?, sum := product (('+' | '-') product)*,
// product := factor (('*' | '/' | '//' | '%') factor)*, factor := '-' factor | one ('**' factor)?
class Parser {
 public:
  Parser(const std::string& text, About about) : text_(text), about_(about) {}

  Formula whole() {
    Formula result = comparison();
    if (!rest().empty()) unexpected();
    return result;
  }

 private:
  std::string_view rest() {
    while (at_ < text_.size() && text_[at_] == ' ') ++at_;
    return std::string_view(text_).substr(at_);
  }
  bool eat(std::string_view token) {
    if (!rest().starts_with(token)) return false;
    at_ += token.size();
    return true;
  }
  [[noreturn]] void fail(const std::string& why) const { refuse_formula(text_, why); }
  // What stands where an operator or an end should.
  [[noreturn]] void unexpected() {
    const std::string left = shown(rest());
    if (left.starts_with('^')) fail("powers are `**`, not `^`");
    if (left.starts_with('@')) fail("products of matrices are `matmul(a, b)`, not `@`");
    if (left.starts_with('[')) fail("a part of a value is a node, `slice` or `gather`, not `[…]`");
    fail("unexpected `" + left + "`");
  }
  void close() {
    if (eat(")")) return;
    if (rest().empty()) fail("a `)` is missing");
    unexpected();
  }

  Formula call(std::string name, std::vector<Formula> args) {
    if (++parts_ > most_parts) fail("it has more than " + std::to_string(most_parts) + " parts");
    return {.kind = Formula::Kind::call, .text = std::move(name), .args = std::move(args)};
  }
  // A chain of operators of one rank, from the left.
  template <size_t N>
  Formula chain(const std::array<const char*, N>& operators, Formula (Parser::*next)()) {
    Formula left = (this->*next)();
    while (true) {
      const char* found = nullptr;
      for (const char* one : operators)
        if (!found && eat(one)) found = one;
      if (!found) return left;
      Formula right = (this->*next)();
      left = call(found, {std::move(left), std::move(right)});
    }
  }
  Formula comparison() {
    Formula left = sum();
    for (const char* one : {">=", "<=", "==", "!=", ">", "<"})
      if (eat(one)) return call(one, {std::move(left), sum()});
    return left;
  }
  Formula sum() { return chain(std::array{"+", "-"}, &Parser::product); }
  Formula product() { return chain(std::array{"*", "//", "/", "%"}, &Parser::factor); }
  Formula factor() {
    if (++depth_ > deepest) fail("too deeply nested");
    Formula value = eat("-") ? call("neg", {factor()}) : power();
    --depth_;
    return value;
  }
  Formula power() {
    Formula base = one();
    return eat("**") ? call("**", {std::move(base), factor()}) : base;
  }
  Formula inside() {
    Formula inner = comparison();
    close();
    return inner;
  }
  Formula one() {
    if (eat("(")) return inside();
    const std::string_view left = rest();
    if (left.empty() || !starts_variable(left[0])) return number(left);
    const std::string name = this->name(left);
    if (eat("(")) return function(name);
    return {.kind = Formula::Kind::name, .text = name};
  }
  std::string name(std::string_view left) {
    size_t end = 0;
    const auto dot = [&] {
      return about_ == About::values && left[end] == '.' && end + 1 < left.size() &&
             in_variable(left[end + 1]);
    };
    while (end < left.size() && (in_variable(left[end]) || dot())) ++end;
    at_ += end;
    return std::string(left.substr(0, end));
  }
  Formula function(const std::string& name) {
    if (about_ == About::numbers) return call(name, {inside()});
    Formula made = call(name, {});
    do {
      const size_t before = at_;
      const std::string_view left = rest();
      const std::string param = !left.empty() && starts_variable(left[0]) ? this->name(left) : "";
      if (!param.empty() && !rest().starts_with("==") && eat("="))
        made.params.emplace_back(param, value());
      else
        at_ = before, made.args.push_back(comparison());
    } while (eat(","));
    close();
    return made;
  }
  // The text of a param, up to what ends it.
  std::string value() {
    const std::string_view left = rest();
    size_t end = 0;
    for (int open = 0; end < left.size(); ++end) {
      if (open == 0 && (left[end] == ',' || left[end] == ')')) break;
      if (left[end] == '[' || left[end] == '(') ++open;
      if (left[end] == ']' || left[end] == ')') --open;
    }
    at_ += end;
    return std::string(left.substr(0, end));
  }
  Formula number(std::string_view left) {
    const auto digit = [&](size_t i) {
      return std::isdigit(static_cast<unsigned char>(left[i])) != 0;
    };
    size_t end = 0;
    while (end < left.size() &&
           (digit(end) || left[end] == '.' ||
            (end && (left[end] == 'e' || (left[end - 1] == 'e' && left[end] == '-')))))
      ++end;
    if (end == 0)
      fail(left.empty()
               ? "something is missing at the end"
               : "a number, a " + about() + " or `(` is expected before `" + shown(left) + "`");
    at_ += end;
    const std::string text(left.substr(0, end));
    return {.number = Yaml::scalar(text, {}).to_number("`" + text + "`")};
  }
  std::string about() const { return about_ == About::numbers ? "variable" : "value"; }

  const std::string& text_;
  const About about_;
  size_t at_ = 0;
  int depth_ = 0, parts_ = 0;
};
}  // namespace

Formula parse_formula(const std::string& text, About about) {
  return Parser(text, about).whole();
}

std::optional<double> calculate(const std::string& call, const std::vector<double>& args) {
  const auto divisor = [&] {
    if (args[1] == 0) throw Error("division by zero");
    return args[1];
  };
  if (args.size() == 2) {
    if (call == "+") return args[0] + args[1];
    if (call == "-") return args[0] - args[1];
    if (call == "*") return args[0] * args[1];
    if (call == "/") return args[0] / divisor();
    if (call == "//") return std::floor(args[0] / divisor());
    if (call == "%") return std::fmod(args[0], divisor());
    if (call == "**") return std::pow(args[0], args[1]);
    if (call == ">") return args[0] > args[1] ? 1 : 0;
    if (call == "<") return args[0] < args[1] ? 1 : 0;
    if (call == ">=") return args[0] >= args[1] ? 1 : 0;
    if (call == "<=") return args[0] <= args[1] ? 1 : 0;
    if (call == "==") return args[0] == args[1] ? 1 : 0;
    if (call == "!=") return args[0] != args[1] ? 1 : 0;
  }
  if (args.size() == 1) {
    if (call == "neg") return -args[0];
    if (call == "sqrt") return std::sqrt(args[0]);
    if (call == "exp") return std::exp(args[0]);
    if (call == "log") return std::log(args[0]);
    if (call == "log2") return std::log2(args[0]);
  }
  return std::nullopt;
}

void refuse_formula(const std::string& text, const std::string& why) {
  throw Error("cannot compute `" + shown(text) + "`: " + why);
}

}  // namespace weft
