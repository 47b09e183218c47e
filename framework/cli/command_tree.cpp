// The commands of `weft`: their options, and what each calls
#include "framework/cli/command_tree.h"

#include <fmt/core.h>

#include <iostream>

#include "framework/cli/commands.h"
#include "framework/cli/completion.h"
#include "framework/cli/data.h"
#include "framework/cli/manual.h"
#include "framework/cli/typed.h"

namespace weft::cli {

namespace {
constexpr const char* about_pipeline = "A file, or the name of a pipeline that comes with weft";

void add_sets(CLI::App& command, std::vector<std::string>& sets) {
  command
      .add_option("--set", sets,
                  "Set a variable, latent=32, or a key, train.epochs=3; each its own")
      ->allow_extra_args(false)
      ->type_name("KEY=VALUE");
}

void add_threads(CLI::App& command, int& threads,
                 const char* about = "Threads ($WEFT_THREADS, else one for each core)") {
  command.add_option("--threads", threads, about)->check(thread_count());
}

// Adds `--check`, which the environment variable WEFT_CHECK also sets.
void add_check(CLI::App& command, bool& check) {
  command
      .add_flag("--check", check,
                "Watch what nodes write and read; several times slower ($WEFT_CHECK=1)")
      ->envname("WEFT_CHECK");
}

void add_section(CLI::App& command, std::string& section) {
  command.add_option("--section", section, "train, evaluate or generate")
      ->check(CLI::IsMember({"train", "evaluate", "generate"}));
}

void add_train(CLI::App& app, Exit& exit, const std::string& typed) {
  struct Given {
    std::string pipeline, resume, progress = "auto";
    std::vector<std::string> sets;
    bool overwrite = false;
    TrainOptions options;
  };
  auto given = std::make_shared<Given>();
  CLI::App& command = *app.add_subcommand("train", "Train a pipeline; results go to runs/NAME");
  command.add_option("PIPELINE", given->pipeline, about_pipeline)->required();
  command.add_option("-o,--output", given->options.run, "The run's directory (runs/NAME)")
      ->check(not_empty());
  add_sets(command, given->sets);
  command.add_option("--resume", given->resume,
                     "Go on from auto (anew if there is nothing), last, best, or a step");
  command.add_flag("--overwrite", given->overwrite, "Start anew where a run is already");
  add_threads(command, given->options.threads,
              "Threads ($WEFT_THREADS, else one for each core); results do not depend on it");
  command.add_option("--steps", given->options.steps, "Stop after this step, with a checkpoint")
      ->check(whole(1));
  command
      .add_option("--hours", given->options.hours, "Stop after so many hours, with a checkpoint")
      ->check(span(false));
  command
      .add_option("--log-every", given->options.log_every,
                  "Steps between lines of metrics.jsonl (50)")
      ->check(whole(1));
  command
      .add_option("--stall", given->options.stall, "Seconds without a step before a warning (60)")
      ->check(span(true));
  command
      .add_option("--stall-kill", given->options.stall_kill,
                  "Seconds without a step that end the process (never)")
      ->check(span(true));
  command.add_option("--progress", given->progress, "auto, bar, plain or none")
      ->check(CLI::IsMember({"auto", "bar", "plain", "none"}));
  add_check(command, given->options.check);
  command.add_flag("--allow-drift", given->options.allow_drift,
                   "Resume under other conditions, without the promise of equal bits");
  command.callback([given, &exit, &typed] {
    using Style = Progress::Style;
    TrainOptions& options = given->options;
    if (given->overwrite && !given->resume.empty())
      throw Error("--overwrite and --resume exclude each other");
    if (given->overwrite) options.start = TrainOptions::Start::overwrite;
    if (!given->resume.empty())
      options.start = TrainOptions::Start::resume, options.resume = given->resume;
    options.progress = given->progress == "bar"     ? Style::bar
                       : given->progress == "plain" ? Style::plain
                       : given->progress == "none"  ? Style::none
                                                    : Style::automatic;
    options.command = typed;
    if (options.threads == 0) options.threads = threads_of_environment();
    exit = cli::train(given->pipeline, given->sets, options);
  });
}

void add_model(CLI::App& app, Exit& exit, const std::string& verb, const std::string& about,
               Exit (*run)(const ModelOptions&)) {
  auto given = std::make_shared<ModelOptions>();
  auto count = std::make_shared<int64_t>(0);
  CLI::App& command = *app.add_subcommand(verb, about);
  command
      .add_option("RUN", given->target,
                  "A run's directory, or a pipeline whose modules come from runs")
      ->required();
  add_sets(command, given->sets);
  command.add_option("--checkpoint", given->checkpoint, "last, best, or a step");
  command.add_option("-o,--output", given->output, "Folder for what is written (the run's)")
      ->check(not_empty());
  add_threads(command, given->threads);
  add_check(command, given->check);
  command.add_flag("--json", given->json, "One JSON object on stdout");
  auto seed = std::make_shared<int64_t>(-1);
  if (verb == "generate") {
    command.add_option("-n,--count", *count, "How many samples: the variable $count (64)")
        ->check(whole(1, 1 << 24));
    command.add_option("--seed", *seed, "Of the random numbers (the run's)")->check(whole(0));
  }
  command.callback([given, count, seed, &exit, run] {
    given->count = *count;
    if (*seed >= 0) given->seed = std::to_string(*seed);
    if (given->threads == 0) given->threads = threads_of_environment();
    exit = run(*given);
  });
}

void add_pipeline(CLI::App& app, Exit& exit) {
  struct Given {
    std::string pipeline, output, section = "train";
    std::vector<std::string> sets;
  };
  auto check = std::make_shared<Given>();
  CLI::App& check_command = *app.add_subcommand(
      "check", "Check a pipeline and print its plan: shapes, parameters, FLOPs, memory, lanes");
  check_command.add_option("PIPELINE", check->pipeline, about_pipeline)->required();
  add_sets(check_command, check->sets);
  check_command.callback([check, &exit] { exit = cli::check(check->pipeline, check->sets); });

  auto graph = std::make_shared<Given>();
  CLI::App& graph_command =
      *app.add_subcommand("graph", "Draw a pipeline with the shapes on its edges");
  graph_command.add_option("PIPELINE", graph->pipeline, about_pipeline)->required();
  graph_command.add_option("-o,--output", graph->output, "A .svg or .dot file (DOT on stdout)");
  add_section(graph_command, graph->section);
  add_sets(graph_command, graph->sets);
  graph_command.callback([graph, &exit] {
    exit = cli::graph(graph->pipeline, graph->sets, graph->output, graph->section);
  });

  auto bench = std::make_shared<BenchOptions>();
  CLI::App& bench_command = *app.add_subcommand(
      "bench", "Time the training step of a pipeline against the machine's peak");
  bench_command.add_option("PIPELINE", bench->pipeline, about_pipeline)->required();
  add_sets(bench_command, bench->sets);
  bench_command.add_option("--threads", bench->threads, "Numbers of threads to time (1 2)")
      ->check(thread_count());
  bench_command.add_option("--steps", bench->steps, "Steps to time (200)")
      ->check(whole(1, 1'000'000));
  bench_command.add_flag("--json", bench->json, "One JSON object on stdout");
  bench_command.callback([bench, &exit] { exit = cli::bench(*bench); });
}

void add_profile(CLI::App& app, Exit& exit) {
  auto given = std::make_shared<ProfileOptions>();
  CLI::App& command = *app.add_subcommand(
      "profile", "Where a step's time goes: by node, by phase, by thread, and a trace");
  command.add_option("PIPELINE", given->pipeline, about_pipeline)->required();
  add_sets(command, given->sets);
  add_section(command, given->section);
  add_threads(command, given->threads);
  command.add_option("--steps", given->steps, "Steps to look at (50)")->check(whole(1, 100'000));
  command.add_option("--trace", given->trace,
                     "Write a track for each thread, for Perfetto or chrome://tracing (.json)");
  command.add_flag("--json", given->json, "One JSON object on stdout");
  command.callback([given, &exit] {
    if (given->threads == 0) given->threads = threads_of_environment();
    exit = cli::profile(*given);
  });
}

void add_plugins(CLI::App& app, Exit& exit) {
  auto name = std::make_shared<std::string>();
  CLI::App& nodes = *app.add_subcommand(
      "nodes", "List node kinds, or describe one: ports, params, weights, example");
  nodes.add_option("NODE", *name, "A node kind");
  nodes.callback([name, &exit] { exit = cli::nodes(*name); });
  app.add_subcommand("schema", "Print the JSON schema of pipeline files, for editors")
      ->callback([&exit] { exit = cli::schema(); });
  auto page = std::make_shared<std::string>("nodes");
  CLI::App& docs = *app.add_subcommand(
      "docs", "Print a reference page: of all node kinds, or of the language they are wired in");
  docs.add_option("PAGE", *page, "Which page (nodes)")->check(CLI::IsMember({"nodes", "language"}));
  docs.callback([page, &exit] { exit = cli::docs(*page); });
  app.add_subcommand("doctor", "Look at this machine: CPU, libraries, plugins, data, disk")
      ->callback([&exit] { exit = cli::doctor(); });
  app.add_subcommand("version", "Print versions")->callback([&exit] { exit = cli::version(); });
}

void add_plugin(CLI::App& app, Exit& exit) {
  CLI::App& plugin = *app.add_subcommand("plugin", "Plugins of your own: new, test, doctor");
  plugin.require_subcommand(1);
  struct Given {
    std::string name, into = ".";
  };
  auto given = std::make_shared<Given>();
  CLI::App& make = *plugin.add_subcommand(
      "new", "Write a project: nodes of each kind to start from, a pipeline, tests");
  make.add_option("NAME", given->name, "Of the plugin and its folder: a lower_snake word")
      ->required();
  make.add_option("--into", given->into, "Where that folder is made (.)")->check(not_empty());
  make.callback([given, &exit] { exit = cli::plugin_new(given->name, given->into); });

  auto tested = std::make_shared<PluginTestOptions>();
  CLI::App& test = *plugin.add_subcommand(
      "test", "Run what weft's own nodes are tested with: gradients, lanes, wrong wiring, memory");
  test.add_option("PATH", tested->path, "A plugin, or a folder of them")->required();
  test.add_option("NODE", tested->node, "One of its node kinds (all)");
  test.add_option("--trial", tested->trial, "One trial, by its name (all)");
  test.add_option("--seed", tested->seed, "Of inputs, weights and random numbers (1)")
      ->check(whole(1, 1'000'000));
  test.add_flag("--json", tested->json, "One JSON object on stdout");
  test.callback([tested, &exit] { exit = plugin_test(*tested); });

  auto paths = std::make_shared<std::vector<std::string>>();
  CLI::App& doctor = *plugin.add_subcommand(
      "doctor", "Where plugins are sought, what is found there, and what is wrong with it");
  doctor.add_option("PATH", *paths, "Further plugins, or folders of them");
  doctor.callback([paths, &exit] { exit = cli::plugin_doctor(*paths); });
}

void add_data(CLI::App& app) {
  CLI::App& data =
      *app.add_subcommand("data", "Data sets from packages: list, fetch, info, verify");
  data.require_subcommand(1);
  data.add_subcommand("list", "List the data sets")->callback([] { data::list(std::cout); });
  const auto named = [&](const char* verb, const char* about,
                         void (*run)(const std::string&, std::ostream&)) {
    auto name = std::make_shared<std::string>();
    CLI::App& command = *data.add_subcommand(verb, about);
    command.add_option("DATASET", *name, "A data set")->required();
    command.callback([name, run] { run(*name, std::cout); });
  };
  named("fetch", "Download, check and unpack a data set", data::fetch);
  named("info", "What is known of a data set", data::info);
  named("verify", "Compare a data set's files with their checksums", data::verify);
}

void add_new(CLI::App& app, Exit& exit) {
  auto name = std::make_shared<std::string>();
  CLI::App& command = *app.add_subcommand(
      "new", "List the pipelines that come with weft, or copy one here to start from");
  command.add_option("PIPELINE", *name, "One of those pipelines");
  command.callback([name, &exit] { exit = cli::make_new(*name); });
}

void print_completion(const CLI::App& app, const std::vector<std::string>& typed) {
  const Completion completion = complete(app, typed);
  for (const auto& [text, about] : completion.words) fmt::print("{}\t{}\n", text, about);
  if (completion.files) fmt::print("\n");
}

void add_help(CLI::App& app) {
  app.add_subcommand("man", "Print the manual page, in roff")->callback([&app] {
    fmt::print("{}", manual(app));
  });
  auto typed = std::make_shared<std::vector<std::string>>();
  CLI::App& command = *app.add_subcommand(
      "complete", "Print what can follow, for shells: a word and what it is about on each line");
  command.add_option(
      "WORD", *typed,
      "What is typed behind `weft`, after --; an empty line at the end: files as well");
  command.callback([&app, typed] { print_completion(app, *typed); });
}

}  // namespace

std::unique_ptr<CLI::App> command_tree(Exit& exit, const std::string& typed) {
  auto app = std::make_unique<CLI::App>(
      "weft trains, evaluates and generates with models written as YAML graphs", "weft");
  app->require_subcommand(1);
  app->add_flag_callback(
      "--version",
      [] {
        version();
        throw CLI::Success();
      },
      "Print versions");
  add_train(*app, exit, typed);
  add_model(*app, exit, "evaluate", "Print a trained model's values over its evaluation data",
            evaluate);
  add_model(*app, exit, "generate", "Write what a trained model generates", generate);
  add_pipeline(*app, exit);
  add_profile(*app, exit);
  add_plugins(*app, exit);
  add_plugin(*app, exit);
  add_data(*app);
  add_new(*app, exit);
  add_help(*app);
  return app;
}

}  // namespace weft::cli
