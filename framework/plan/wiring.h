// Expands the modules and fragments of a section into one list of nodes, in an order in which they
// can run. Each node is made, given its params, wired and shaped.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "framework/language/spelling.h"
#include "framework/plan/plan.h"

namespace weft {

struct DerivativeOf;
struct Formula;

class Wiring {
 public:
  Wiring(Plan& plan, const Pipeline& pipeline, const Registry& registry, int64_t training_steps,
         Mistakes& mistakes)
      : plan_(plan),
        pipeline_(pipeline),
        registry_(registry),
        known_steps_(training_steps),
        mistakes_(mistakes) {}

  // Wires all nodes of the section.
  void section(const SectionDecl& section);
  // The value of a reference at the section's level; none after a mistake.
  ValueId value(const std::string& ref, const Place& place);

 private:
  using Outputs = std::vector<std::pair<std::string, ValueId>>;  // by name
  // One graph that is being wired: the section itself, or a use of a module or a fragment.
  struct Scope {
    Scope* outer = nullptr;
    std::string what;     // "module `encoder`", for messages
    std::string path;     // "code."
    std::string module;   // "encoder"
    std::string weights;  // "encoder."
    std::map<std::string, ValueId> inputs;
    std::map<std::string, const NodeDecl*> nodes;
    std::map<std::string, Outputs> done;
    std::set<std::string> failed, read;  // failed: nodes; read: inputs and nodes
    std::vector<std::string> open;       // nodes, each of which waits for the next one's outputs
    LoopId loop;                         // the loop around it
    bool through = false;                // do names that it lacks stand for those of `outer`?
  };
  // A scope within another, whose names it sees beside inputs of its own.
  static Scope within(Scope& scope);
  struct Skip {};  // thrown when a reference needs something that failed and was reported

  int64_t training_steps() const;
  ValueId resolve(Scope& scope, const std::string& ref, const Place& place);
  const Outputs& wire(Scope& scope, const NodeDecl& decl);
  Outputs wire_once(Scope& scope, const NodeDecl& decl);
  Outputs wire_kind(Scope& scope, const NodeDecl& decl, const NodeKind& kind);
  Outputs wire_module(Scope& scope, const NodeDecl& decl);
  Outputs wire_fragment(Scope& scope, const NodeDecl& decl, const FragmentDecl& fragment);
  Outputs wire_graph(Scope& outer, Scope& inner, const NodeDecl& decl, const GraphDecl& graph,
                     const Spelling& spelling);
  struct Looped;
  Outputs wire_loop(Scope& scope, const NodeDecl& decl);
  void read_starts(Scope& scope, Looped& looped);
  std::vector<ValueId> given_by(const Looped& looped, const std::vector<ValueId>& carried,
                                const Outputs& given) const;
  Outputs unroll(Scope& scope, const Looped& looped);
  Outputs begin_loop(Scope& around, const Looped& looped);
  Outputs end_loop(Scope& around, const Looped& looped, const Outputs& begin, const Outputs& given);
  std::vector<std::string> inputs_of(const std::string& kind, const std::string& module);
  Outputs wire_each(Scope& scope, const NodeDecl& decl);
  struct Term;
  struct Formulated;
  Outputs wire_formula(Scope& scope, const NodeDecl& decl);
  Term term(Formulated& all, const Formula& part, bool whole);
  Term make(Formulated& all, const std::string& kind,
            const std::vector<std::pair<std::string, Yaml>>& keys, bool whole);
  std::string value(Formulated& all, const Term& term, bool whole);
  Term apply(Formulated& all, const std::string& symbol, std::vector<Term> args, bool whole);
  bool is_module(const std::string& name);
  Term call(Formulated& all, const Formula& part, std::vector<Term> args, bool whole);
  Outputs by_sample(const Scope& scope, const NodeDecl& decl, Outputs outputs);
  struct Gradient;
  Outputs wire_gradient(Scope& scope, const NodeDecl& decl);
  void find_path(Gradient& gradient, ValueId score, ValueId x) const;
  void refuse_loops(const Gradient& gradient, ValueId score, ValueId x) const;
  std::vector<bool> inputs_below(const Gradient& gradient, NodeId n) const;
  ValueId add_derived(const Gradient& gradient, const std::string& of, const std::string& kind,
                      const std::function<std::unique_ptr<Node>()>& make,
                      const std::vector<ValueId>& inputs);
  ValueId sum_of(Gradient& gradient, ValueId value);
  void remember(NodeId n);
  std::shared_ptr<DerivativeOf> described(const Gradient& gradient, NodeId n,
                                          std::vector<ValueId>& inputs) const;
  void derive(Gradient& gradient, NodeId n);
  Outputs add_own(const Scope& around, PlanNode node, const std::vector<ValueId>& inputs);
  Outputs add_items(const Scope& around, std::string path, const Place& place,
                    std::function<std::unique_ptr<Node>()> make,
                    const std::vector<ValueId>& inputs);
  std::vector<std::string> kinds() const;  // names of node kinds and fragments
  const FragmentDecl* fragment(const std::string& name);
  bool attempt(Scope& scope, const NodeDecl& decl);
  struct Reading;
  void read_ports(Scope& scope, Reading& reading, PlanNode& node);
  void read_params(Reading& reading, PlanNode& node) const;
  const PlanNode* data_beside(Reading& reading) const;
  void refuse_other_length(const Node& made, const std::string& who, const Place& place) const;
  ValueId source(Scope& scope, Reading& reading, const Yaml& ref, const char* port, bool optional);
  static void refuse_alike(Reading& reading);
  void connect(PlanNode& node, In& port, ValueId value, const Place& place);
  void infer(PlanNode& node, Node& made);
  PlanRows rows_read(const PlanNode& node, const Node& made) const;
  bool rests(const ModuleDecl& module) const;
  void keep_weights(const PlanNode& node, const Node& made);
  Outputs add(PlanNode node, std::unique_ptr<Node> made);  // to the plan
  void expand(int64_t nodes, const Place& place);
  static void refuse_cycle(const Scope& scope, const NodeDecl& decl);
  static void index(Scope& scope, const std::vector<NodeDecl>& nodes);

  Plan& plan_;
  const Pipeline& pipeline_;
  const Registry& registry_;
  const int64_t known_steps_;  // length of the training; 0: not known
  Mistakes& mistakes_;
  Scope top_;
  const NodeDecl* data_ = nullptr;
  int64_t expanded_ = 0;  // the number of nodes of all graphs so far
  int waiting_ = 0;       // how many of them wait for the outputs of others
};

}  // namespace weft
