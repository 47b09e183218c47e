#include "framework/plan/blame.h"

#include <new>

namespace weft {

std::string who(const PlanNode& node) {
  return node.path + " (" + node.kind + ")";
}

std::string wires(const Plan& plan, const PlanNode& node, const Host& ports) {
  std::string all;
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    if (!node.inputs[i]) continue;
    const PlanValue& source = plan.values[node.inputs[i]];
    all += "\n    " + std::string(ports.ins[i]->name) + " <- " + source.path + " " +
           source.shape.str() + "  " + plan.nodes[source.node].place.str();
  }
  for (size_t i = 0; i < node.outputs.size(); ++i)
    all += "\n    " + std::string(ports.outs[i]->name) + " -> " +
           plan.values[node.outputs[i]].shape.str();
  return all;
}

Blamed blame(const Place& place, const std::string& who, const std::string& when,
             const std::string& wires) {
  const std::string head = who + (when.empty() ? "" : ", " + when) + ": ";
  const auto defect = [&](const std::string& why) {
    return Blamed(place, head + why + wires, Exit::plugin);
  };
  try {
    throw;
  } catch (const Blamed& error) {
    return error;
  } catch (const Error& error) {
    const bool own = error.code() == Exit::plugin || error.code() == Exit::usage;
    const bool late = !when.empty() && when != "infer()";  // for the user's mistakes
    const Exit code = late && own ? Exit::plugin : error.code();
    const bool elsewhere = !error.place().file.empty() && error.place().file != place.file;
    return {place, head + (elsewhere ? error.what() : error.sentence()) + (own ? wires : ""), code};
  } catch (const std::bad_alloc&) {
    return {place, head + "there is not enough memory", Exit::resources};
  } catch (const std::exception& error) {
    return defect(error.what());
  } catch (...) {
    return defect("threw what is not an exception");
  }
}

}  // namespace weft
