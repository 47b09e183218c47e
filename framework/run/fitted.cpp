#include "framework/run/fitted.h"

#include <algorithm>

#include "framework/run/checkpoint_store.h"

namespace weft {

using nlohmann::json;

namespace {
// Bytes as text, since JSON holds text only: each byte becomes the character of that number.
std::string as_text(const std::string& bytes) {
  std::string text;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x80) text += static_cast<char>(0xc0 | byte >> 6);
    text += static_cast<char>(byte < 0x80 ? byte : 0x80 | (byte & 0x3f));
  }
  return text;
}

std::string as_bytes(const std::string& text) {
  std::string bytes;
  for (size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte < 0x80) {
      bytes += text[i];
    } else if ((byte & 0xfc) == 0xc0 && i + 1 < text.size()) {
      bytes += static_cast<char>(byte << 6 | (static_cast<unsigned char>(text[++i]) & 0x3f));
    } else {
      throw Error(Exit::checkpoint, "the state has what is no byte under `fitted`");
    }
  }
  return bytes;
}

}  // namespace

FittedMap fitted_from(const json& state) {
  FittedMap all;
  for (const auto& [name, fitted] : state.items())
    all[as_bytes(name)] = {std::make_shared<const std::string>(as_bytes(fitted.at("bytes"))),
                           fitted.at("modules")};
  return all;
}
json to_json(const FittedMap& fitted) {
  json all = json::object();
  for (const auto& [name, its] : fitted)
    all[as_text(name)] = {{"bytes", as_text(*its.bytes)}, {"modules", its.modules}};
  return all;
}

std::optional<FittedMap> fitted_of(const std::filesystem::path& run) {
  const CheckpointStore store(run / "checkpoints", {.read_only = true});
  const auto state = store.newest_state();
  if (!state || !state->contains("fitted")) return std::nullopt;
  try {
    return fitted_from(state->at("fitted"));
  } catch (const json::exception&) {
    throw Error(Exit::checkpoint,
                "what `" + run.string() + "` learned of its data is not what weft writes");
  }
}

void remember_fits(const Plan& plan, const std::function<void(const std::string&)>& warn) {
  for (const PlanNode& node : plan.nodes)
    for (const Fit* fit : node.node->host().fits) try {
        if (fit->keep && !fit->given()) fit->keep();
      } catch (const Error& error) {
        warn(error.what());
      }
}

}  // namespace weft
