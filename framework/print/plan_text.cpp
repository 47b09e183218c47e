#include "framework/print/plan_text.h"

#include <fmt/core.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

namespace weft {

namespace {
constexpr size_t widest_outputs = 42;  // columns; wider ones take a line each

// A number with commas: "1,234,567".
std::string grouped(int64_t number) {
  std::string text = std::to_string(number);
  for (size_t i = text.size(); i > 3 + (number < 0); i -= 3) text.insert(i - 3, ",");
  return text;
}

// A number in millions, to a hundredth: "80.28".
std::string millions(double number) {
  const auto hundredths = static_cast<int64_t>(std::llround(number / 1e4));
  return fmt::format("{}.{:02}", grouped(hundredths / 100), hundredths % 100);
}

std::string mebibytes(size_t bytes) {
  return fmt::format("{:>7.2f} MiB", static_cast<double>(bytes) / (1 << 20));
}

template <class Items, class Text>
std::string joined(const Items& items, Text text) {
  std::string all;
  for (const auto& item : items) all += (all.empty() ? "" : ", ") + text(item);
  return all;
}

// Lines of cells, aligned in columns. UTF-8 counts by code points.
class Table {
 public:
  Table(std::vector<std::string> titles, const std::string& right) : right_(right) {
    add(std::move(titles));
  }
  void add(std::vector<std::string> cells) { lines_.push_back(std::move(cells)); }

  std::string str() const {
    std::vector<size_t> widths(lines_[0].size());
    for (const auto& line : lines_)
      for (size_t i = 0; i < line.size(); ++i) widths[i] = std::max(widths[i], width(line[i]));
    std::string text;
    for (const auto& line : lines_) {
      std::string out = " ";
      for (size_t i = 0; i < line.size(); ++i) {
        const std::string gap(widths[i] - width(line[i]), ' ');
        out += " " + (right_[i] == 'r' ? gap + line[i] : line[i] + gap) + " ";
      }
      text += out.substr(0, out.find_last_not_of(' ') + 1) + "\n";
    }
    return text;
  }

 private:
  static size_t width(const std::string& text) {
    return static_cast<size_t>(
        std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
  }

  std::string right_;  // for each column: 'l' or 'r'
  std::vector<std::vector<std::string>> lines_;
};

std::vector<std::string> output_cells(const Plan& plan, const PlanNode& node) {
  std::vector<std::string> each;
  for (size_t i = 0; i < node.outputs.size(); ++i) {
    const PlanValue& value = plan.values[node.outputs[i]];
    const std::string name = node.outputs.size() > 1
                                 ? node.node->host().outs[i]->name + std::string(" ")
                                 : std::string();
    each.push_back(name + value.shape.str() + (value.dtype == DType::f32 ? "" : " i32"));
  }
  std::string line = joined(each, [](const std::string& output) { return output; });
  return each.empty() || line.size() <= widest_outputs ? std::vector{line} : each;
}

std::string print_nodes(const Plan& plan) {
  ByNode<bool> runs(plan.nodes.size());
  if (plan.data) runs[plan.data] = true;
  for (const PlanPhase& phase : plan.phases)
    for (const PlanItem& item : phase.items)
      if (item.kind == PlanItem::Kind::forward) runs[item.node] = true;

  Table table({"node", "kind", "outputs", "parameters", "MFLOP", "lanes"}, "lllrrr");
  std::set<std::string> counted;
  for (const NodeId n : plan.nodes.ids()) {
    const PlanNode& node = plan.nodes[n];
    int64_t parameters = 0;
    bool shared = false;
    for (const Weight* weight : node.node->host().weights) {
      if (!weight->present()) continue;
      const bool fresh = counted.insert(node.weights + "." + weight->name).second;
      if (fresh) parameters += weight->shape().elements();
      shared = shared || !fresh;
    }
    const double flops = node.node->flops();
    const auto outputs = output_cells(plan, node);
    const bool ends = node.loop && plan.loops[node.loop].end == n;
    table.add({node.path,
               ends ? fmt::format("loop, {} turns", plan.loops[node.loop].times) : node.kind,
               outputs[0],
               shared       ? "shared"
               : parameters ? grouped(parameters)
                            : "",
               flops > 0 ? millions(flops) : "",
               !runs[n]     ? "unused"
               : node.laned ? std::to_string(plan.lanes)
                            : "whole"});
    for (size_t i = 1; i < outputs.size(); ++i) table.add({"", "", outputs[i]});
  }
  return table.str();
}

std::string schedule_text(const Schedule& schedule) {
  static constexpr const char* kinds[]{"constant", "linear", "cosine", "exponential", "piecewise"};
  const std::string kind = kinds[static_cast<size_t>(schedule.kind)];
  if (schedule.kind == Schedule::Kind::piecewise)
    return kind + " " + joined(schedule.points, [](const auto& point) {
             return fmt::format("{} from step {}", point.second, point.first);
           });
  std::string text = schedule.kind == Schedule::Kind::constant
                         ? fmt::format("{}", schedule.from)
                         : fmt::format("{} {} → {}", kind, schedule.from, schedule.to);
  if (schedule.warmup) text += fmt::format(", warm-up {}", grouped(schedule.warmup));
  return text;
}

// An optimizer with its params: "adamw, lr 0.001, weight_decay 0".
std::string optimizer_text(const PlanOptimizer& optimizer) {
  std::string text = (optimizer.match == "*" ? "" : optimizer.match + ": ") + optimizer.kind;
  const auto given = [&](const std::string& name) {
    return std::any_of(optimizer.params.values.begin(), optimizer.params.values.end(),
                       [&](const auto& param) { return param.first == name; });
  };
  for (const ParamBase* param : optimizer.node->host().params) {
    const std::string name = param->name;
    const auto scheduled =
        std::find_if(optimizer.params.schedules.begin(), optimizer.params.schedules.end(),
                     [&](const auto& schedule) { return schedule.first == name; });
    if (scheduled != optimizer.params.schedules.end())
      text += ", " + name + " " + schedule_text(scheduled->second);
    else if (param->kind == ParamKind::number && (name == "lr" || given(name)))
      text += fmt::format(", {} {}", name, std::get<double>(param->value()));
  }
  return text;
}

std::string print_phases(const Plan& plan) {
  Table table({"phase", "minimizes", "updates", "optimizer", "backward", "sums", "blocks"},
              "llllrrr");
  for (const PlanPhase& phase : plan.phases) {
    const auto count = [&](PlanItem::Kind kind) {
      return std::to_string(std::count_if(phase.items.begin(), phase.items.end(),
                                          [&](const PlanItem& item) { return item.kind == kind; }));
    };
    size_t blocks = 0;
    for (const PlanLearn& learn : phase.learns) blocks += learn.blocks.size();
    std::vector<std::string> optimizers;
    for (const PlanOptimizer& optimizer : phase.optimizers)
      optimizers.push_back(optimizer_text(optimizer));
    table.add({phase.decl->name, phase.decl->minimize.text,
               joined(phase.decl->update, [](const Mention& module) { return module.text; }),
               optimizers[0], count(PlanItem::Kind::backward), count(PlanItem::Kind::sum),
               std::to_string(blocks)});
    for (size_t i = 1; i < optimizers.size(); ++i) table.add({"", "", "", optimizers[i]});
    std::string rules;
    if (phase.decl->clip > 0) rules += fmt::format(", gradient norm ≤ {}", phase.decl->clip);
    if (phase.decl->clip_weights > 0)
      rules += fmt::format(", weights within ±{}", phase.decl->clip_weights);
    if (phase.decl->accumulate > 1)
      rules += fmt::format(", an update from {} steps", phase.decl->accumulate);
    if (phase.decl->every > 1) rules += fmt::format(", in one step of {}", phase.decl->every);
    if (!rules.empty()) table.add({"", "", "", rules.substr(2)});
  }
  return table.str();
}

void add_memory(const Plan& plan, Table& table) {
  size_t tensors = 0, sizes = 0, gradients = 0, slots = 0;
  for (const PlanBuffer& buffer : plan.buffers)
    if (buffer.last >= 0 && !buffer.brief) ++tensors, sizes += plan.size(buffer);
  for (const PlanPhase& phase : plan.phases)
    for (const WeightId w : phase.updates) {
      const auto size = static_cast<size_t>(plan.weights[w].shape.elements()) * sizeof(float);
      gradients += size * (phase.decl->accumulate > 1 ? 2 : 1);
      slots += size * plan.optimizer(phase, w).node->host().slots.size();
    }
  table.add({"memory", mebibytes(plan.bytes())});
  table.add(
      {"  arena", mebibytes(plan.arena) + fmt::format(", shared by {} tensor{} of {:.2f} MiB",
                                                      grouped(static_cast<int64_t>(tensors)),
                                                      tensors == 1 ? "" : "s",
                                                      static_cast<double>(sizes) / (1 << 20))});
  if (plan.workspace)
    table.add({"  workspaces", mebibytes(plan.workspace * static_cast<size_t>(plan.lanes)) +
                                   ", if every lane has a thread"});
  table.add({"  weights", mebibytes(plan.weight_bytes())});
  if (gradients) table.add({"  gradients", mebibytes(gradients)});
  if (slots) table.add({"  optimizer slots", mebibytes(slots)});
}

std::string print_totals(const Plan& plan) {
  int64_t parameters = 0;
  for (const PlanWeight& weight : plan.weights) parameters += weight.shape.elements();
  const bool trains = plan.mode == Mode::train;
  Table table({"parameters", grouped(parameters)}, "ll");
  table.add({"work", millions(plan.step_flops()) +
                         (trains ? " MFLOP a step, forward and backward" : " MFLOP a batch")});
  table.add({"batch", fmt::format("{} rows in {} lane{}", grouped(plan.rows), plan.lanes,
                                  plan.lanes == 1 ? "" : "s") +
                          (plan.shards > 1 ? fmt::format(", {} shards", plan.shards) : "")});
  if (trains)
    table.add({"training",
               grouped(plan.steps) + " steps" +
                   (plan.source() ? ", " + grouped(plan.steps_per_epoch()) + " in an epoch" : "")});
  else if (plan.source())
    table.add({"data", fmt::format("{} samples in {} batch{}", grouped(plan.source()->samples()),
                                   grouped(plan.steps_per_epoch()),
                                   plan.steps_per_epoch() == 1 ? "" : "es")});
  for (const PlanFollow& follow : plan.follows)
    table.add({"follows", fmt::format("{}: {}, decay {}", follow.module, follow.leader,
                                      schedule_text(follow.decay))});
  if (plan.precision == Precision::bf16) table.add({"products", "bf16, added up in f32"});
  if (!plan.reports.empty())
    table.add({"reports", joined(plan.reports, [](const auto& report) { return report.first; })});
  add_memory(plan, table);
  for (const std::string& note : plan.notes()) table.add({"note", note});
  return table.str();
}
}  // namespace

std::string plan_text(const Plan& plan) {
  std::string text = fmt::format("{} — pipeline {}\n\n", name(plan.mode), plan.name);
  text += print_nodes(plan) + "\n";
  if (plan.mode == Mode::train && plan.phases[0].decl) text += print_phases(plan) + "\n";
  return text + print_totals(plan) + "\n";
}

}  // namespace weft
