#include "framework/print/plan_dot.h"

#include <fmt/core.h>

#include <algorithm>
#include <cctype>
#include <memory>
#include <string_view>

namespace weft {

namespace {
constexpr const char* node_fill = "#ffffff";
constexpr const char* data_fill = "#dcebf7";
constexpr const char* sink_fill = "#e0f1e0";
constexpr const char* loss_fill = "#fbe3dc";
constexpr const char* loss_line = "#c4573a";
constexpr const char* line = "#8a94a0";
constexpr const char* grey = "#6b7580";
constexpr const char* cluster_fills[]{"#f4f6f8", "#e9edf1"};  // by depth, in turns

// Text escaped for an HTML-like label.
std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '&')
      out += "&amp;";
    else if (c == '<')
      out += "&lt;";
    else if (c == '>')
      out += "&gt;";
    else
      out += c;
  }
  return out;
}

std::string small(std::string_view text) {
  return fmt::format("<FONT POINT-SIZE=\"9\" COLOR=\"{}\">{}</FONT>", grey, escaped(text));
}

// "code.block.2.h" -> "code", "block.2", "h"
std::vector<std::string> parts_of(const std::string& path) {
  std::vector<std::string> parts;
  for (size_t begin = 0; begin <= path.size();) {
    const size_t end = std::min(path.find('.', begin), path.size());
    const std::string part = path.substr(begin, end - begin);
    const bool repeat = !part.empty() && std::isdigit(static_cast<unsigned char>(part[0]));
    if (repeat && !parts.empty())
      parts.back() += "." + part;
    else
      parts.push_back(part);
    begin = end + 1;
  }
  return parts;
}

// A cluster: the use of a module or fragment, with the groups and nodes inside it.
struct Group {
  std::string name, title;
  const std::vector<NodeDecl>* decls = nullptr;  // null for a fragment
  std::vector<std::unique_ptr<Group>> groups;
  std::vector<NodeId> nodes;
};

Group& subgroup(Group& outer, const std::string& name, const Pipeline& pipeline) {
  for (const auto& group : outer.groups)
    if (group->name == name) return *group;
  Group& group = *outer.groups.emplace_back(std::make_unique<Group>());
  group.name = group.title = name;
  if (!outer.decls) return group;
  for (const NodeDecl& decl : *outer.decls) {
    if (decl.name != name) continue;
    group.title = decl.gradient         ? "gradient"
                  : decl.formula        ? decl.formula->text
                  : decl.module.empty() ? decl.kind
                                        : decl.module;
    const auto module = pipeline.modules.find(decl.module);
    if (module != pipeline.modules.end()) group.decls = &module->second.graph.nodes;
  }
  return group;
}

class Drawing {
 public:
  Drawing(const Plan& plan, const Pipeline& pipeline) : plan_(plan), drawn_(plan.needed) {
    if (plan.data) drawn_[plan.data] = true;
    top_.decls = plan.mode == Mode::train      ? &pipeline.train->nodes
                 : plan.mode == Mode::evaluate ? &pipeline.evaluate->nodes
                                               : &pipeline.generate->nodes;
    for (const NodeId n : plan.nodes.ids()) {
      if (!drawn_[n]) continue;
      const auto parts = parts_of(plan.nodes[n].path);
      Group* group = &top_;
      for (size_t i = 0; i + 1 < parts.size(); ++i) group = &subgroup(*group, parts[i], pipeline);
      group->nodes.push_back(n);
    }
  }

  std::string str() {
    text_ = "digraph weft {\n";
    text_ += fmt::format(
        "  graph [fontname=\"Helvetica\", fontsize=12, labelloc=t, labeljust=l, pad=0.3,\n"
        "         nodesep=0.35, ranksep=0.45, label=<{}>]\n",
        legend());
    text_ += fmt::format(
        "  node [shape=box, style=\"rounded,filled\", fontname=\"Helvetica\", fontsize=12,\n"
        "        color=\"{}\", fillcolor=\"{}\", margin=\"0.14,0.06\"]\n",
        line, node_fill);
    text_ += fmt::format(
        "  edge [fontname=\"Helvetica\", fontsize=9, fontcolor=\"{}\", color=\"{}\",\n"
        "        arrowsize=0.7]\n\n",
        grey, line);
    add(top_, 1);
    text_ += "\n";
    add_edges();
    return text_ + "}\n";
  }

 private:
  // The label of the whole graph: its title, and for each phase its loss and the modules it
  // updates.
  std::string legend() const {
    std::string rows = fmt::format("<TR><TD ALIGN=\"LEFT\" COLSPAN=\"3\"><B>{}</B> · {}</TD></TR>",
                                   escaped(plan_.name), name(plan_.mode));
    const auto row = [&](const std::string& a, const std::string& b, const std::string& c) {
      rows += fmt::format(
          "<TR><TD ALIGN=\"LEFT\">{}</TD><TD ALIGN=\"LEFT\">{}</TD><TD ALIGN=\"LEFT\">{}</TD></TR>",
          a, b, c);
    };
    if (plan_.mode == Mode::train) row(small("phase"), small("minimizes"), small("updates"));
    for (const PlanPhase& phase : plan_.phases) {
      if (!phase.decl) continue;
      std::string modules;
      for (const Mention& module : phase.decl->update)
        modules += (modules.empty() ? "" : ", ") + module.text;
      row(escaped(phase.decl->name), escaped(phase.decl->minimize.text), escaped(modules));
    }
    return "<TABLE BORDER=\"0\" CELLSPACING=\"0\" CELLPADDING=\"4\">" + rows + "</TABLE>";
  }

  void add(const Group& group, int depth) {
    const std::string indent(static_cast<size_t>(depth) * 2, ' ');
    for (const NodeId n : group.nodes) add_node(n, indent);
    for (const auto& inner : group.groups) {
      std::string use;
      if (inner->title != inner->name) use.append(" ").append(small(inner->name));
      text_ += fmt::format("{}subgraph cluster_{} {{\n", indent, clusters_++);
      text_ += fmt::format(
          "{}  label=<<B>{}</B>{}>; style=\"rounded,filled\"; color=\"{}\"; fillcolor=\"{}\"\n",
          indent, escaped(inner->title), use, "#d3d9df", cluster_fills[(depth + 1) % 2]);
      add(*inner, depth + 1);
      text_ += indent + "}\n";
    }
  }

  void add_node(NodeId n, const std::string& indent) {
    const PlanNode& node = plan_.nodes[n];
    std::string look;
    if (n == plan_.data) look = fmt::format(", fillcolor=\"{}\"", data_fill);
    if (node.node->host().outs.empty()) look = fmt::format(", fillcolor=\"{}\"", sink_fill);
    for (const PlanPhase& phase : plan_.phases)
      if (phase.loss && plan_.values[phase.loss].node == n)
        look = fmt::format(", fillcolor=\"{}\", color=\"{}\", penwidth=2", loss_fill, loss_line);
    text_ += fmt::format("{}n{} [label=<{}<BR/>{}>{}]\n", indent, n.index(),
                         escaped(parts_of(node.path).back()), small(node.kind), look);
  }

  void add_edges() {
    for (const PlanValue& value : plan_.values) {
      if (!drawn_[value.node]) continue;
      const Node& source = *plan_.nodes[value.node].node;
      std::string label = source.host().outs.size() > 1 ? source.host().outs[value.port]->name : "";
      label += (label.empty() ? "" : " ") + value.shape.str();
      for (const auto& [reader, input] : value.readers)
        if (drawn_[reader])
          text_ += fmt::format("  n{} -> n{} [label=< {}>]\n", value.node.index(), reader.index(),
                               escaped(label));
    }
  }

  const Plan& plan_;
  ByNode<bool> drawn_;
  Group top_;
  std::string text_;
  int clusters_ = 0;
};
}  // namespace

std::string plan_dot(const Plan& plan, const Pipeline& pipeline) {
  return Drawing(plan, pipeline).str();
}

}  // namespace weft
