// Readers of what pipelines are made of: words, nodes, graphs, modules, fragments. Each notes every
// mistake.
#pragma once

#include <string>
#include <vector>

#include "framework/language/fields.h"
#include "framework/language/pipeline.h"

namespace weft {

// `what` names the word, or the graph, in a sentence: "a reported value".
Mention read_mention(const Yaml& value, const std::string& what, Mistakes& mistakes);
std::vector<Mention> read_mentions(const Fields& fields, const std::string& key,
                                   const std::string& what, Mistakes& mistakes);

NodeDecl read_node(const std::string& name, const Place& place, const Yaml& map,
                   Mistakes& mistakes);
std::vector<NodeDecl> read_nodes(const Yaml* map, const std::string& what, Mistakes& mistakes);
// Reads the graph of a module or a fragment: its inputs, nodes and outputs.
GraphDecl read_graph(Fields& fields, const Yaml& map, const std::string& what, Mistakes& mistakes);
ModuleDecl read_module(const std::string& name, const Place& place, const Yaml& map,
                       Mistakes& mistakes);
FragmentDecl read_fragment(const std::string& name, const Yaml& map, Mistakes& mistakes);

}  // namespace weft
