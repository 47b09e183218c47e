#include "framework/run/trainer.h"

#include <fmt/core.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <cmath>
#include <set>
#include <utility>

#include "framework/plan/build_plan.h"
#include "framework/ranks/border.h"
#include "framework/run/alike.h"
#include "framework/run/best.h"
#include "framework/run/checkpoint_store.h"
#include "framework/run/fitted.h"
#include "framework/run/last_words.h"
#include "framework/run/means.h"
#include "framework/run/pass.h"
#include "framework/run/resume_rules.h"
#include "framework/run/run_directory.h"
#include "framework/run/signals.h"
#include "framework/run/tell.h"
#include "framework/run/transfer.h"
#include "framework/run/watchdog.h"

namespace weft {

namespace {
using Json = nlohmann::json;

class Trainer {
 public:
  Trainer(const Pipeline& pipeline, const Registry& registry, const TrainOptions& options)
      : pipeline_(pipeline),
        registry_(registry),
        options_(options),
        ranks_(options.ranks),
        first_(!ranks_ || ranks_->rank() == 0),
        decl_(*pipeline.train),
        best_(decl_.save) {
    Mistakes mistakes;
    Known known{.fitted = fitted()};
    if (ranks_) known.rank = {ranks_->rank(), ranks_->count()};
    auto plans = build_plans(pipeline, registry, known, mistakes);
    mistakes.check();
    source_ = whole_source(pipeline, plans);
    resolved_ = source_.str();
    plan_ = std::move(plans[0]);
    if (pipeline.evaluate) evaluation_ = std::move(plans[1]);
    if (pipeline.generate)
      model_.add(*plans.back());  // modules that only it uses are saved as well
    last_ = plan_->steps;
    if (options.steps > 0) last_ = std::min(last_, options.steps);
    if (ranks_) check_alike(*ranks_, data_print(*plan_)), border_.emplace(*ranks_);
  }

  Exit run() {
    open();
    const auto style = first_ ? options_.progress : Progress::Style::none;
    progress_ = std::make_unique<Progress>("train", step_, plan_->steps, style);
    if (first_)
      watchdog_ = std::make_unique<Watchdog>(
          Watchdog::Patience{options_.stall, options_.stall_kill}, [this] { return busy(); },
          [this](const std::string& s) { say(s); },
          [this](const std::string& s, bool runs) { give_up(s, runs); });
    write_status("training", reached_ = step_, "");
    const LastWords last([this](const std::string& sentence) {
      if (directory_) directory_->log(sentence);
      write_status("failed", reached_, sentence);
      if (ranks_) ranks_->fail(Error(Exit::plugin, sentence));
    });
    if (ranks_) ranks_->doing([this] { return doing(); });
    try {
      uint64_t asked = ranks_ ? 0 : asked_for();
      while (step_ < last_ && !done_) {
        if (asked & asked_to_stop) return stop();
        if (ranks_) border_->say(asked_for());
        engine_->step(step_, step_);
        reached_ = ++step_;
        beat();
        after_step();
        asked = ranks_ ? border_->hear() : asked_for();
        if (asked & asked_to_save) save();
      }
      if (saved_ != step_) save();
      if (saved_ != step_)
        throw Error(Exit::resources, "the last checkpoint could not be written: " + save_error_);
    } catch (const std::exception& error) {
      if (directory_) directory_->log(error.what());
      write_status("failed", step_, error.what());
      throw;
    }
    if (step_ < plan_->steps && !done_) return stop();
    return end(Exit::done, done_ ? "no better evaluation for a while" : "",
               fmt::format("done: {} steps, in {}{}", step_, options_.run.string(),
                           done_ ? fmt::format(": {} evaluations without a better `{}`",
                                               decl_.save.patience, decl_.save.best)
                                 : ""));
  }

 private:
  static constexpr uint64_t asked_to_stop = 1, asked_to_save = 2;

  // What was learned of data before: by the run that goes on, or by those that modules come from.
  FittedMap fitted() const {
    FittedMap known;
    if (first_) {
      const bool resumes = options_.start == TrainOptions::Start::resume;
      const auto own = resumes ? fitted_of(options_.run) : std::nullopt;
      known = own ? *own : fitted_of_modules(pipeline_, true);
    }
    if (!ranks_) return known;
    return fitted_from(Json::parse(ranks_->first(to_json(known).dump())));
  }

  // Makes the engines, and takes up the run or starts one: the first process does, the others get
  // from it what it has.
  void open() {
    model_.add(*plan_);
    if (evaluation_) model_.add(*evaluation_);
    if (first_) check_start();
    const EngineOptions options{options_.threads, options_.run, nullptr, options_.check, ranks_};
    engine_ = std::make_unique<Engine>(*plan_, registry_, model_, options);
    if (evaluation_)
      evaluator_ = std::make_unique<Engine>(*evaluation_, registry_, model_, options);
    std::vector<std::string> names;
    for (const PlanPhase& phase : plan_->phases)
      names.push_back(phase.decl ? phase.decl->minimize.text : "");
    for (const auto& [name, value] : plan_->reports) names.push_back(name);
    means_ = std::make_unique<Means>(names);
    if (first_) open_directory();
    if (ranks_) share();
  }

  bool resumes() const {
    return options_.start == TrainOptions::Start::resume && RunDirectory::exists(options_.run);
  }

  void check_start() const {
    const bool exists = RunDirectory::exists(options_.run);
    if (exists && options_.start == TrainOptions::Start::fresh)
      throw Error("`" + options_.run.string() +
                  "` holds a run already: --resume auto goes on with it, --overwrite starts anew, "
                  "-o names another");
    if (!exists && options_.start == TrainOptions::Start::resume && options_.resume != "auto")
      throw Error(Exit::checkpoint, "`" + options_.run.string() + "` holds no run to resume");
  }

  void open_directory() {
    const bool exists = RunDirectory::exists(options_.run), resumes = this->resumes();
    std::vector<std::string> sources;
    const auto begin_with_sources = [&] {
      sources = load_transferred(model_, pipeline_);
      model_.follow(*plan_);
    };
    if (!resumes) begin_with_sources();  // an old run is removed below
    if (exists && !resumes) RunDirectory::clear(options_.run);
    if (options_.start == TrainOptions::Start::overwrite && !exists)
      RunDirectory::check_free(options_.run);
    directory_ = std::make_unique<RunDirectory>(options_.run);
    store_ = std::make_unique<CheckpointStore>(
        options_.run / "checkpoints",
        CheckpointOptions{.keep = static_cast<int>(decl_.save.keep),
                          .warn = [this](const std::string& s) { say(s); }});
    if (resumes && !resume()) begin_with_sources();
    for (const std::string& source : sources) say(source);
    if ((step_ < last_ && !done_) || !resumes) {  // a run that is done stays as it is
      directory_->write("resolved.yaml", resolved_);
      directory_->write("run.json", facts());
    }
    directory_->rewind_metrics(step_);
    directory_->log(fmt::format("{} at step {} of {}, {} lane{}", step_ ? "goes on" : "starts",
                                step_, plan_->steps, plan_->lanes, plan_->lanes == 1 ? "" : "s"));
    remember_fits(*plan_, [this](const std::string& s) { say(s); });
    for (const std::string& note : plan_->notes()) say(note);
    if (evaluation_)
      for (const std::string& note : evaluation_->notes()) say(note);
  }

  // Gives the other processes the weights and all else that the first one has.
  void share() {
    Json state{{"step", step_}, {"done", done_}, {"updates", engine_->updates()}};
    state.update(best_.state());
    state = Json::parse(ranks_->first(state.dump()));
    for (const NamedTensor& one : model_.tensors())
      ranks_->spread(one.tensor.data, static_cast<size_t>(one.tensor.size()) * sizeof(float));
    engine_->spread_optimizers();
    if (first_) return;
    step_ = state.at("step"), done_ = state.at("done");
    if (step_ > 0) saved_ = step_;
    engine_->load_updates(state.at("updates"));
    best_.load(state);
  }

  std::vector<std::string> busy() const {
    std::vector<std::string> names = engine_->busy();
    if (evaluator_)
      for (const std::string& name : evaluator_->busy()) names.push_back(name);
    if (ranks_)
      for (const std::string& other : ranks_->others_doing()) names.push_back(other);
    return names;
  }

  std::string doing() const {
    const std::vector<std::string> names = engine_->busy();
    return fmt::format("step {}, {}", reached_.load(),
                       names.empty() ? "waits" : fmt::format("in {}", fmt::join(names, ", ")));
  }

  uint64_t asked_for() const {
    return (Signals::stop() || out_of_time() ? asked_to_stop : 0) |
           (Signals::take_save() ? asked_to_save : 0);
  }

  void beat() {
    if (watchdog_) watchdog_->beat();
  }

  void write_status(const std::string& state, int64_t step, const std::string& reason) {
    if (directory_) directory_->status(state, step, reason);
  }

  Json facts() const {
    Json plugins = Json::array();
    for (const Plugin& plugin : registry_.plugins())
      plugins.push_back(plugin.name + " " + plugin.version);
    return {{"pipeline", pipeline_.file},
            {"command", options_.command},
            {"conditions", conditions_of(pipeline_, *plan_)},
            {"plugins", plugins}};
  }

  // Loads the checkpoint to go on from. Returns false if there is none.
  bool resume() {
    if (options_.resume == "auto" && store_->empty()) {
      say("no checkpoint to resume from: starting anew");
      return false;
    }
    const Checkpoint checkpoint =
        store_->chosen(options_.resume == "auto" ? "last" : options_.resume, "--resume");
    try {
      take_up(checkpoint);
    } catch (const Json::exception& error) {
      throw Error(Exit::checkpoint, fmt::format("state.json of step {} is not what weft writes: {}",
                                                checkpoint.step, error.what()));
    }
    done_ = best_.out_of_patience();
    store_->rewind(step_, best_.step());
    if (step_ > plan_->steps)
      say(fmt::format("{} is at step {}, past the {} that are asked for: nothing is left to do",
                      options_.run.string(), step_, plan_->steps));
    else
      say(fmt::format("resuming {} at step {}", options_.run.string(), step_));
    return true;
  }

  void take_up(const Checkpoint& checkpoint) {
    const Json& state = checkpoint.state;
    const PipelineChanges changes(checkpoint.pipeline, source_, pipeline_.name);
    if (!options_.allow_drift) {
      check_conditions(state.at("conditions"), conditions_of(pipeline_, *plan_));
      changes.check();
    }
    if (!changes.paths().empty())
      say(fmt::format("changed since the checkpoint: {}", fmt::join(changes.paths(), ", ")));
    model_.load(checkpoint.model.tensors());
    engine_->load(checkpoint.optimizer.tensors(), state.at("updates"));
    step_ = saved_ = checkpoint.step;
    // What was best is still best, unless the rule for it has changed.
    if (!changes.within("evaluate") && !changes.within("train.save.be")) best_.load(state);
    if (state.contains("means")) means_->load(state.at("means"));  // an older weft kept none
  }

  void after_step() {
    sum_up();
    progress_->step(step_, engine_->rows(), values());
    if (step_ % options_.log_every == 0 || step_ == plan_->steps) {
      Json line = means_->take();
      line.update({{"step", step_}, {"epoch", epoch()}});
      if (const Json scheduled = engine_->scheduled(); !scheduled.empty())
        line["scheduled"] = scheduled;
      metrics(line);
    }
    const bool epoch_ends = plan_->source() && step_ % plan_->steps_per_epoch() == 0;
    const auto due = [&] {
      return epoch_ends && step_ / plan_->steps_per_epoch() % pipeline_.evaluate->every == 0;
    };
    if (evaluation_ && (step_ == plan_->steps || due())) evaluate_now();
    const int64_t every = decl_.save.every_steps;
    if (every ? step_ % every == 0 : epoch_ends) save();
  }

  // Adds the losses and reports of the step to the means. A phase that did not run has no loss; if
  // none ran, there are no reports.
  void sum_up() {
    const size_t phases = plan_->phases.size();
    bool any = false;
    for (size_t p = 0; p < phases; ++p) {
      if (!engine_->ran(p)) continue;
      any = true;
      if (plan_->phases[p].decl) means_->add(p, {engine_->loss(p)});
    }
    for (size_t r = 0; any && r < plan_->reports.size(); ++r)
      means_->add(phases + r, engine_->report(r));
  }

  std::string values() const {
    std::string text;
    for (size_t p = 0; p < plan_->phases.size(); ++p)
      if (const double loss = engine_->loss(p); !std::isnan(loss))  // NaN: it has never run
        text += fmt::format("{}{} {:.5g}", text.empty() ? "" : " ",
                            plan_->phases[p].decl->minimize.text, loss);
    return text;
  }

  double epoch() const {
    return static_cast<double>(step_) / static_cast<double>(plan_->steps_per_epoch());
  }

  void evaluate_now() {
    const Results results = run_pass(*evaluation_, *evaluator_, step_, [this] { beat(); });
    metrics({{"step", step_}, {"epoch", epoch()}, {"evaluate", to_json(results)}});
    say(fmt::format("epoch {:.6g} | step {} | {}", epoch(), step_, text(results)));
    for (const auto& [name, value] : results)
      if (best_.tracked() && name == decl_.save.best) judge(value[0]);
  }

  void judge(double value) {
    if (best_.beaten_by(value)) return keep_best(value);
    best_.count_worse();
    done_ = best_.out_of_patience();
  }

  // Saves a new best checkpoint. If it cannot be saved, the previous one remains the best.
  void keep_best(double value) {
    const Best before = best_;
    best_.set(value, step_);
    if (!save())
      best_ = before;
    else if (store_)
      store_->mark_best(step_);
  }

  // Saves a checkpoint; returns whether it could. A full disk does not end the training: the next
  // interval tries again.
  bool save() {
    if (saved_ == step_) return true;
    engine_->gather_optimizers();
    const bool written = !first_ || write_checkpoint();
    if (ranks_ ? ranks_->first(written ? "yes" : "") != "yes" : !written) return false;
    saved_ = step_;
    return true;
  }

  bool write_checkpoint() {
    Json state{{"conditions", conditions_of(pipeline_, *plan_)},
               {"steps", plan_->steps},
               {"updates", engine_->updates()},
               {"means", means_->state()},
               {"fitted", to_json(*plan_->fitted)}};
    state.update(best_.state());
    try {
      const auto model = model_.tensors();
      const auto optimizer = engine_->optimizer_tensors();
      store_->save(step_, model, optimizer, state, resolved_);
      status("training", "");
      return true;
    } catch (const Error& error) {
      if (error.code() != Exit::resources) throw;
      save_error_ = error.sentence();
      say(fmt::format("step {} is not saved: {}; training goes on", step_, save_error_));
      return false;
    }
  }

  Exit stop() {
    if (!save())
      throw Error(Exit::resources, "stopped, but step " + std::to_string(step_) +
                                       " could not be saved: " + save_error_);
    return end(Exit::stopped, "run the same command with --resume auto to go on",
               fmt::format("stopped at step {} of {} with a checkpoint: --resume auto goes on",
                           step_, plan_->steps));
  }

  // Ends the run, after its last checkpoint was saved.
  Exit end(Exit exit, const std::string& reason, const std::string& sentence) {
    if (ranks_) ranks_->doing({});
    if (!first_) return exit;
    const std::string state = exit == Exit::done ? "done" : "stopped";
    const bool lines = told("metrics.jsonl", directory_->flush_metrics());
    const bool whole = status(state, reason) && lines;
    say(sentence);
    if (!whole)
      throw Error(Exit::resources, "the training is " + state +
                                       " and its last checkpoint is saved, but status.json or "
                                       "metrics.jsonl in " +
                                       options_.run.string() + " lacks its end");
    return exit;
  }

  // Ends the process, the only way out of a step that never ends.
  [[noreturn]] void give_up(const std::string& sentence, bool runs) {
    const std::string end = sentence + "; ended by --stall-kill";
    say(end);
    directory_->status("failed", reached_, end);
    if (ranks_) ranks_->fail(Error(runs ? Exit::plugin : Exit::resources, end));
    ::_exit(static_cast<int>(runs ? Exit::plugin : Exit::resources));
  }

  bool out_of_time() const {
    return options_.hours > 0 &&
           std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count() >
               options_.hours * 3600;
  }

  void metrics(const Json& line) {
    if (directory_) told("metrics.jsonl", directory_->metrics(line));
  }

  bool status(const std::string& state, const std::string& reason) {
    return told("status.json", directory_->status(state, step_, reason));
  }

  // Says why a file cannot be written, once until it can be. Returns whether it was written.
  bool told(const std::string& file, const std::string& why) {
    if (why.empty()) return failing_.erase(file), true;
    if (failing_.insert(file).second) say(file + " " + why + "; training goes on");
    return false;
  }

  void say(const std::string& sentence) {
    if (directory_) directory_->log(sentence);
    if (progress_)
      progress_->line(sentence);
    else if (first_ && options_.progress != Progress::Style::none)
      tell("{}\n", sentence);
  }

  const Pipeline& pipeline_;
  const Registry& registry_;
  const TrainOptions& options_;
  Ranks* const ranks_;
  const bool first_;  // does this process write?
  const TrainDecl& decl_;
  std::unique_ptr<const Plan> plan_, evaluation_;
  Yaml source_;
  Weights model_;
  std::unique_ptr<Engine> engine_, evaluator_;
  std::unique_ptr<RunDirectory> directory_;
  std::unique_ptr<CheckpointStore> store_;
  std::unique_ptr<Progress> progress_;
  std::unique_ptr<Watchdog> watchdog_;  // below the engine that it watches, to be destroyed first
  std::string resolved_, save_error_;
  int64_t step_ = 0, saved_ = -1, last_ = 0;
  std::atomic<int64_t> reached_ = 0;  // step_, for other threads
  std::unique_ptr<Means> means_;
  std::set<std::string> failing_;  // files that could not be written
  Best best_;
  bool done_ = false;
  std::optional<Border> border_;
  const std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
};
}  // namespace

Exit train(const Pipeline& pipeline, const Registry& registry, const TrainOptions& options) {
  if (!pipeline.train) throw Error(Place{pipeline.file}, "the pipeline has no section `train`");
  std::unique_ptr<Trainer> trainer;  // others may still read its memory when it has failed
  const auto run = [&] {
    trainer = std::make_unique<Trainer>(pipeline, registry, options);
    return trainer->run();
  };
  return options.ranks ? options.ranks->together(run) : run();
}

}  // namespace weft
