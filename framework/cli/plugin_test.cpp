// weft plugin test: the trials of framework/trial/ on the nodes of a plugin that is being written
#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "framework/cli/commands.h"
#include "framework/language/fields.h"
#include "framework/node/did_you_mean.h"
#include "framework/plugin/loader.h"
#include "framework/trial/trial.h"

namespace weft::cli {

namespace {
namespace fs = std::filesystem;
using nlohmann::json;
using trial::Outcome;
using trial::Trial;

constexpr std::chrono::seconds patience(30);  // with a call that does not return

class PluginTest {
 public:
  explicit PluginTest(const PluginTestOptions& options) : options_(options) {}

  Exit run() {
    for (const fs::path& file : files()) try {
        look_at(file);
      } catch (const Error& error) {
        failed(file.string(), "", "", {error.sentence()}, "weft plugin test " + quoted(file));
      }
    if (!options_.node.empty() && kinds_ == 0 && failures_.empty())
      throw Error("no plugin in " + options_.path + " has a node `" + options_.node + "`" +
                  did_you_mean(options_.node, names_));
    if (!options_.trial.empty() && kinds_ > 0 && trials_ == 0 && failures_.empty())
      throw Error("there is no trial `" + options_.trial + "` of such a node" +
                  did_you_mean(options_.trial, trial_names_));
    options_.json ? print_json() : print_summary();
    return failures_.empty() ? Exit::done : Exit::plugin;
  }

 private:
  std::vector<fs::path> files() const try {
    std::vector<fs::path> all = plugin_files(options_.path);
    if (all.empty()) throw Error(Exit::plugin, "no plugin (*.so) is in " + options_.path);
    return all;
  } catch (const fs::filesystem_error& error) {
    throw Error(Exit::plugin, options_.path + " cannot be read: " + error.code().message());
  }

  void look_at(const fs::path& file) {
    const Registry registry = load_plugins({.standard = {}, .others = {{file}}});
    const Registry weft = load_plugins({.standard = plugin_search().standard});
    for (const std::string& name : registry.names()) {
      if (const auto own = weft.find(name); own && own->kind != registry.find(name)->kind)
        failed(file.string(), "", "",
               {file.string() + " has a node " + ticked(name) +
                ", as weft has itself: no pipeline could load both"},
               "weft plugin test " + quoted(file));
      names_.push_back(name);
      if (options_.node.empty() || options_.node == name) look_at(file, *registry.find(name)->kind);
    }
  }

  // What the first trial of a role, the example, finds says more than all that follow from it.
  void look_at(const fs::path& file, const NodeKind& kind) {
    ++kinds_;
    const auto trials = trials_of(trial::role_of(kind));
    for (const Trial* trial : trials) {
      trial_names_.emplace_back(trial->name);
      if (!options_.trial.empty() && options_.trial != trial->name) continue;
      ++trials_;
      const Outcome outcome = trial::run(*trial, kind, options_.seed, patience);
      if (outcome.end == Outcome::End::skipped)
        skipped(kind.name, trial->name, outcome.sentences.front());
      if (outcome.end != Outcome::End::failed) continue;
      failed(file.string(), kind.name, trial->name, outcome.sentences,
             fmt::format("weft plugin test {} {} --trial {} --seed {}", quoted(file), kind.name,
                         trial->name, options_.seed));
      if (trial == trials.front()) return left_out(kind.name, trials.size() - 1);
    }
    const auto own = [&](const json& skip) { return skip["node"] == kind.name; };
    if (std::ranges::count_if(skips_, own) == std::ssize(trials)) untried_.emplace_back(kind.name);
  }

  // A word of a shell's line.
  static std::string quoted(const fs::path& path) {
    std::string text = path.string();
    if (text.find_first_of(" '\"\\$&;()<>|*?#`") == std::string::npos) return text;
    std::string word = "'";
    for (const char c : text) word += c == '\'' ? std::string("'\\''") : std::string(1, c);
    return word + "'";
  }

  void failed(const std::string& file, const std::string& kind, const std::string& trial,
              const std::vector<std::string>& sentences, const std::string& command) {
    failures_.push_back({{"plugin", file},
                         {"node", kind},
                         {"trial", trial},
                         {"sentences", sentences},
                         {"command", command}});
    if (options_.json) return;
    const std::string who = kind.empty() ? "" : kind + ", " + trial + ": ";
    const size_t more = sentences.size() - 1;
    fmt::print("{}{}{}; again: {}\n", who, sentences.front(),
               more ? fmt::format(" (and {} more)", more) : "", command);
    std::fflush(stdout);
  }

  void skipped(const std::string& kind, const std::string& trial, const std::string& why) {
    if (!options_.json &&
        (skips_.empty() || skips_.back()["node"] != kind || skips_.back()["why"] != why))
      fmt::print("{}, {}: skipped: {}\n", kind, trial, why);
    skips_.push_back({{"node", kind}, {"trial", trial}, {"why", why}});
  }

  void left_out(const std::string& kind, size_t count) {
    left_out_ += options_.trial.empty() ? count : 0;
    if (!options_.json && options_.trial.empty())
      fmt::print("{}: its {} other trials wait for that\n", kind, count);
  }

  size_t passed() const {
    const auto of_nodes =
        std::ranges::count_if(failures_, [](const json& failure) { return failure["node"] != ""; });
    return trials_ - skips_.size() - static_cast<size_t>(of_nodes);
  }

  void print_summary() const {
    fmt::print("{} node{}: {} trials passed, {} failed, {} skipped", kinds_, kinds_ == 1 ? "" : "s",
               passed(), failures_.size(), skips_.size());
    if (left_out_) fmt::print(", {} not tried", left_out_);
    if (!untried_.empty()) fmt::print("; NOTHING was tried of {}", fmt::join(untried_, ", "));
    fmt::print("\n");
  }

  void print_json() const {
    const json all{{"nodes", kinds_},       {"seed", options_.seed}, {"passed", passed()},
                   {"failures", failures_}, {"skipped", skips_},     {"not_tried", left_out_}};
    fmt::print("{}\n", all.dump(2, ' ', false, json::error_handler_t::replace));
  }

  const PluginTestOptions& options_;
  size_t kinds_ = 0, trials_ = 0, left_out_ = 0;
  std::vector<std::string> names_, trial_names_, untried_;
  std::vector<json> failures_, skips_;
};

}  // namespace

Exit plugin_test(const PluginTestOptions& options) {
  return PluginTest(options).run();
}

}  // namespace weft::cli
