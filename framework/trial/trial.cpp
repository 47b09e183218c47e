#include "framework/trial/trial.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <sstream>

#include "framework/node/measure.h"
#include "framework/node/optimizer.h"
#include "framework/node/sink.h"
#include "framework/node/source.h"
#include "framework/trial/trials.h"

namespace weft::trial {

namespace {
namespace fs = std::filesystem;

const std::vector<Role> with_ports{Role::node, Role::measure, Role::sink};
const std::vector<Role> all{Role::node, Role::measure, Role::sink, Role::source, Role::optimizer};

const std::vector<Trial>& table() {
  static const std::vector<Trial> trials{
      {"example", "The example runs in every mode and writes every output whole.", with_ports,
       runs_its_example},
      {"example",
       "The data opens, and load() writes every output of a row whole, and no other.",
       {Role::source},
       opens},
      {"example", "The example updates a weight.", {Role::optimizer}, updates},
      {"gradients", "Every gradient is written whole and is what central differences give.",
       with_ports, gradients},
      {"constants",
       "An input that wants no gradient gets none, and the other gradients stay what they are.",
       {Role::node},
       constants},
      {"twice",
       "If it offers gradients of gradients, they are what central differences give.",
       {Role::node},
       twice},
      {"frozen", "In a module that does not learn it runs as in evaluation.", with_ports, frozen},
      {"repeats",
       "A step gives the same bits again, whatever ran before.",
       {Role::node, Role::sink},
       repeats},
      {"lanes", "Lanes and blocks of weight rows change nothing.", with_ports, lanes},
      {"empty_lanes", "A lane without rows is nothing to do.", with_ports, empty_lanes},
      {"one_row", "A batch of one row is refused with a sentence, or is what it is among others.",
       with_ports, one_row},
      {"padding", "What lies behind the last sample of a short batch reaches nothing.", with_ports,
       padding},
      {"states", "Training moves the states, evaluation uses them and leaves them alone.",
       with_ports, states},
      {"saving",
       "Weights and states, saved and loaded, are all that it knows.",
       {Role::node},
       saving},
      {"missing_inputs", "An input that is not wired is refused with a sentence.", with_ports,
       missing_inputs},
      {"optional_inputs",
       "An optional input may be left out: that is refused with a sentence, or runs.", with_ports,
       optional_inputs},
      {"params", "Params that do not exist or are out of bounds are refused with a sentence.", all,
       params},
      {"shapes", "Odd and empty shapes are refused by infer() with a sentence, or run.", with_ports,
       shapes},
      {"memory", "Memory does not grow from step to step.", with_ports, memory},
      {"memory", "Memory does not grow from sample to sample.", {Role::source}, memory_of_a_source},
      {"batches",
       "The number is the same however the set is batched.",
       {Role::measure},
       batches_of_a_measure},
      {"forgets", "begin() forgets the pass before.", {Role::measure}, forgets},
      {"files",
       "Its files hold the samples of each batch alone, and are complete by finish().",
       {Role::sink},
       files},
      {"folder", "A folder that cannot be written is told in a sentence.", {Role::sink}, no_folder},
      {"full_disk",
       "A full disk is told in a sentence and leaves no half file.",
       {Role::sink},
       full_disk},
      {"samples",
       "A sample is the same whenever, in whichever row and by whatever thread.",
       {Role::source},
       samples},
      {"batches",
       "An epoch is read in batches: shuffled, the last one short or left out.",
       {Role::source},
       batches_of_a_source},
      {"fits",
       "What it learned, given to it, serves again; other bytes do no harm.",
       {Role::source},
       fits},
      {"descends", "The first update goes against the gradient.", {Role::optimizer}, descends},
      {"blocks", "A weight updated block by block has the same bits.", {Role::optimizer}, blocks},
      {"slots", "What an optimizer remembers is in its slots.", {Role::optimizer}, slots},
  };
  return trials;
}

// An outcome as text: its end, then a line for each sentence.
std::string packed(const Outcome& outcome) {
  std::string text = std::to_string(static_cast<int>(outcome.end));
  for (std::string sentence : outcome.sentences) {
    std::ranges::replace(sentence, '\n', ' ');
    text += '\n' + sentence;
  }
  return text;
}

Outcome unpacked(const std::string& text) {
  std::istringstream lines(text);
  int end = 0;
  lines >> end;
  Outcome outcome{static_cast<Outcome::End>(end), {}};
  std::string line;
  std::getline(lines, line);
  while (std::getline(lines, line)) outcome.sentences.push_back(line);
  return outcome;
}

}  // namespace

const char* name(Role role) {
  constexpr const char* names[]{"node", "measure", "sink", "source", "optimizer"};
  return names[static_cast<size_t>(role)];
}

Role role_of(const NodeKind& kind) {
  const std::unique_ptr<Node> node = kind.make();
  if (dynamic_cast<const Source*>(node.get())) return Role::source;
  if (dynamic_cast<const Sink*>(node.get())) return Role::sink;
  if (dynamic_cast<const Measure*>(node.get())) return Role::measure;
  return dynamic_cast<const Optimizer*>(node.get()) ? Role::optimizer : Role::node;
}

std::vector<const Trial*> trials_of(Role role) {
  std::vector<const Trial*> some;
  for (const Trial& trial : table())
    if (std::ranges::find(trial.roles, role) != trial.roles.end()) some.push_back(&trial);
  return some;
}

Outcome run(const Trial& trial, const NodeKind& kind, uint64_t seed,
            std::chrono::milliseconds patience) {
  const fs::path folder = fs::temp_directory_path() / ("weft-trial-" + std::to_string(::getpid()));
  fs::remove_all(folder);
  fs::create_directories(folder);
  Outcome outcome;
  try {
    outcome = unpacked(probe(
        "the node",
        [&](const Stage& stage) { return packed(Attempt(kind, seed, folder, stage).run(trial)); },
        patience));
  } catch (const Error& error) {
    const bool null = error.sentence().find("(Segmentation fault)") != std::string::npos;
    outcome = {Outcome::End::failed,
               {error.sentence() + (null ? " (data() is null of an i32 port, ints() of any other, "
                                           "grad() of what wants no gradient)"
                                         : "")}};
  }
  std::error_code ignored;
  fs::remove_all(folder, ignored);
  return outcome;
}

}  // namespace weft::trial
