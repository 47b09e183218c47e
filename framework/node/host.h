// The framework's side of a node: the members that it declared, its setting, and the functions that
// bind members to memory. A node's author needs none of it.
#pragma once

#include <array>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "framework/node/node.h"
#include "framework/node/summary.h"

namespace weft {

class Fit;
class Slot;

// What a source learned of its data before the first step: see Fit.
struct Fitted {
  std::shared_ptr<const std::string> bytes;
  std::vector<std::string> modules;  // the modules that read the output that it is about
  std::string dispute = {};          // why reading it is a mistake: two runs learned it differently
};
using FittedMap = std::map<std::string, Fitted>;  // by the name of the Fit

// What a run keeps in its directory, which no sink may write. They are removed in this order: the
// last is what makes a folder a run.
inline constexpr std::array run_files{"metrics.jsonl", "log.txt",     "status.json",  "run.json",
                                      "run.lock",      "checkpoints", "resolved.yaml"};

// What an instance knows of its surroundings: its section, module, rows and files.
struct Setting {
  Mode mode = Mode::train;
  bool frozen = false;
  uint64_t random_key = 0, module_key = 0;
  int64_t first_row = 0;
  int64_t turns = 1;  // of the innermost loop around it
  std::filesystem::path output_dir = {};
  std::string made_by = {};
  std::shared_ptr<FittedMap> fitted = {};
};

struct WEFT_API Host {
  // The node's members, in the order of their declaration; `ins` also has those of the lists.
  std::vector<ParamBase*> params;
  std::vector<In*> ins;
  std::vector<Ins*> lists;
  std::vector<Out*> outs;
  std::vector<Saved*> saved;
  std::vector<Weight*> weights;
  std::vector<State*> states;
  std::vector<Slot*> slots;
  std::vector<Summary*> summaries;
  std::vector<Fit*> fits;
  Setting setting;

  ParamBase* param(std::string_view name) const;        // null if there is none
  const Fitted* fitted(const std::string& name) const;  // null if nothing is known
  bool summarizes(Pass pass) const;                     // has it a summary before this pass?

  // Throws Error with a sentence when the param's check refuses the value.
  static void set(ParamBase& param, const ParamValue& value);
  // Tells a param the bounds of the values that a schedule will give it.
  static void follow(ParamBase& param, double least, double most);

  static void wire(In& in, const Shape& shape, DType dtype, bool wants_grad);
  static void want_grad(In& in, bool wants) { in.wants_grad_ = wants && in.traits.grad; }
  static void resize(Ins& list, Node& owner, size_t count);  // grows it to so many ports
  static bool kept(const In& in) { return in.kept_; }        // is it not forward_only()?
  static bool kept(const Out& out) { return out.kept_; }
  static bool lasts(const Out& out) { return out.lasts_; }
  static bool shared(const Out& out) { return out.shared_; }
  static bool of_any(const Out& out) { return out.like_ || out.likes_; }  // type
  static void want(Out& out, bool wanted) { out.wanted_ = wanted; }
  static bool shaped(const Out& out) { return out.shaped_; }
  static bool spectral(const Weight& weight) { return weight.spectral_; }
  static bool shaped(const State& state) { return state.shaped_; }
  static const Shape& shape(const Saved& saved) { return saved.value_.shape; }
  static bool present(const Saved& saved) { return saved.present_; }
  static void want_grad(Weight& weight, bool wants, Range block) {
    weight.wants_grad_ = wants, weight.block_ = block;
  }

  static bool present(const Summary& summary) { return summary.present_; }
  static int64_t stride(const Summary& summary) { return summary.stride(); }
  // The numbers that it needs for so many parts.
  static int64_t numbers(const Summary& summary, int64_t parts) {
    return parts * summary.stride() + summary.whole_;
  }
  static void bind(Summary& summary, double* numbers, int64_t parts, int64_t own) {
    summary.numbers_ = numbers, summary.parts_ = parts, summary.own_ = own;
  }

  // An In, Out or Weight has a gradient beside its value, a Saved or State has none.
  template <class Member>
  static void bind(Member& member, Tensor value, Tensor grad) {
    member.value_ = value, member.grad_ = grad;
  }
  template <class Member>
  static void bind(Member& member, Tensor value) {
    member.value_ = value;
  }

  template <class Member>
  static const Tensor& value(const Member& member) {
    return member.value_;
  }
  template <class Member>
  static const Tensor& grad(const Member& member) {
    return member.grad_;
  }

  template <class Port>
  static const Tensor& tangent(const Port& port) {
    return port.tangent_;
  }
  template <class Port>
  static void bind_tangent(Port& port, Tensor tangent) {
    port.tangent_ = tangent;
  }

  static const std::string& complaint(const Fit& fit);  // "" if it has none
};

}  // namespace weft
