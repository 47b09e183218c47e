#include "framework/language/keys.h"

#include <algorithm>

namespace weft::keys {

namespace {
constexpr int64_t many = 1 << 20, most_steps = int64_t{1} << 40;

const Key about{"about", text, "What it is, in a sentence."};
const Key inputs{"inputs", some(name), "The names of its inputs."};
const Key optional{"optional", some(name),
                   "Further inputs, which may be left out; the optional ports inside that they "
                   "would wire then stay unwired."};
const Value nodes = named(map(node)), outputs = named(reference);

const Key lanes{"lanes", integer(within(1, 1024)),
                "Ranges of rows that a batch is cut into and that run independently; chosen if not "
                "given."};
}  // namespace

const Keys pipeline{
    "pipeline",
    "A file: a model's whole life. It needs one of the sections `train`, `evaluate`, `generate`.",
    {
        {"weft", Value{Type::version}.needed(), "The version of the language: 1."},
        {"name", name, "Of its runs, `runs/NAME`; the file's name if not given."},
        {"about", text, "What the pipeline is, in a sentence."},
        {"vars", named(anything),
         "Variables, which may use one another: `$name` anywhere in the file, `$(2 * name + 1)` "
         "is arithmetic (`+ - * / // % **`, `sqrt`, `exp`, `log`, `log2`, `pi`); `--set name=3` "
         "changes one."},
        {"seed", integer(at_least(0)).otherwise("0"), "Of every random number."},
        {"precision", choice({"f32", "bf16", "auto"}).otherwise("f32"),
         "Of products; `auto` is bf16 where the CPU multiplies it faster. Weights, sums and all "
         "else stay f32."},
        {"include", some(text),
         "Files laid under this one, relative to it: maps merge, this file wins, `key: null` takes "
         "a key of theirs away, and a node of another kind replaces theirs whole."},
        {"plugins", some(text), "Further plugin files or folders, relative to this file."},
        {"modules", named(map(module)), "Graphs that learn, shared by every `use:`."},
        {"fragments", named(map(fragment)), "Graphs made anew by every `node:`."},
        {"train", map(train), "How the modules learn."},
        {"evaluate", map(evaluate), "What is reported of other data."},
        {"generate", map(generate), "What is written with what was learned."},
    }};

const Keys module{
    "module",
    "A graph that owns its weights; all its uses share them. Or one of another run, `from`.",
    {
        about,
        inputs,
        optional,
        {"nodes", nodes.needed_unless({"from", "follows"}), "What it computes."},
        {"outputs", outputs.needed_unless({"from", "follows"}), "Its outputs: {name: node.port}."},
        {"frozen", boolean.otherwise("false"),
         "Its weights do not learn, and it runs as in evaluation: no dropout, running statistics. "
         "Gradients may still pass through it."},
        {"from", map_or(Type::text, source),
         "A run whose weights it starts from: its last checkpoint's, or as the map says."},
        {"follows", name,
         "A module of this pipeline whose graph it has, and whose weights its own follow: they "
         "start "
         "as those, and after each update become decay · own + (1 - decay) · theirs. States, such "
         "as running statistics, are its own if it runs in `train`, else copies. It gives no "
         "gradient."},
        {"decay", map_or(Type::number, schedule).otherwise("0.999"), "Of a module that follows."},
        {"module", name, "Its name in that run; its own if not given."},
        {"checkpoint", checkpoint.otherwise("last"),
         "Of that run: what weft writes into the pipeline that a run keeps, where `from` is no "
         "map."},
    }};

const Keys source{
    "from",
    "What of another run a module starts from.",
    {
        {"run", text.needed(), "Its folder, relative to that in which weft is started."},
        {"checkpoint", checkpoint.otherwise("last"), "Of that run."},
    }};

const Keys fragment{
    "fragment",
    "A graph with params of its own, made anew, with fresh weights, wherever `node:` names it. It "
    "is an entry of `fragments`, or a file `fragments/NAME.yaml` beside the pipeline or a plugin.",
    {
        about,
        {"params", named(map_or(Type::anything, param)),
         "Its params, variables inside: {width: {default: 64, about: …}}, or the default alone."},
        inputs,
        optional,
        {"nodes", nodes.needed(), "What it computes."},
        {"outputs", outputs.needed(), "Its outputs: {name: node.port}."},
    }};

const Keys param{"param",
                 "Of a fragment.",
                 {
                     {"default", anything, "Without one it must be given."},
                     {"about", text, "What it is, in a sentence."},
                 }};

const Keys loop{
    "loop",
    "How a node runs many times within a step, on values that it hands on from turn to turn. No "
    "gradient passes it, unless it is unrolled.",
    {
        {"times", integer(within(1, many)).needed(), "Turns."},
        {"carry", named(reference).needed(),
         "Inputs that get this value in the first turn, and in each later one the node's output of "
         "the same name from the turn before. What the last turn gave are the outputs of the "
         "loop."},
        {"over", named(anything),
         "Inputs that get a number in each turn, [batch]: the word `turn`, counted from 0, a list "
         "of numbers, or a schedule over the turns. Or a value, [batch, times, ...]: each turn "
         "gets the next item of its axis 1, [batch, ...]."},
        {"until", text,
         "An output, [batch] or [batch, 1]: a row where it is not 0 is done, and keeps what it "
         "carries. When all are done, so is the loop."},
        {"unroll", boolean,
         "Makes nodes of their own of each turn, which share weights: gradients then pass, and "
         "memory grows with the turns."},
        {"collect", named(text),
         "Further outputs of the loop, [batch, times, ...]: what an output of the node was in each "
         "turn, and 0, or -1 if it is i32, in the turns after a row was done."},
    }};

const Keys node{
    "node",
    "What computes: a node kind or a fragment by `node`, a module by `use`, several nodes by "
    "`formula`, or a derivative by `gradient`, one of them.",
    {
        {"node", text, "A node kind or a fragment."},
        {"use", text, "A module of this pipeline; every use shares its weights."},
        {"repeat", Value{Type::repeat},
         "Makes a chain of so many nodes, or one for each value of the list: each takes the output "
         "of the one before as its `x`. `$index` counts from 0, `$item` is the list's value."},
        {"chain", some(text).otherwise("x"),
         "The port that the one before feeds; of a list, each takes the output of its name."},
        {"each", some(text),
         "Inputs, [batch, n, ...]: the node runs for each of the n items of a sample, as if they "
         "were samples, and gives its outputs that axis back. Its other inputs are the same for "
         "each item."},
        {"loop", map(loop), "Runs it many times within a step."},
        {"formula", text,
         "Makes a node of each operator and function: `formula: 0.5 * (exp(code.log_var) + m**2)`. "
         "Its names are values, or other keys of this node that name some: `m: code.mean`. There "
         "are + - * / ** > >= < <= == !=, numbers, `pi`, and as functions all node kinds and "
         "fragments of one output, with params behind their inputs: `sum(x, axes=-1)`."},
        {"gradient", reference,
         "A value: the node is the derivative of it, summed over all its numbers, by another, "
         "`of`, "
         "shaped as that. Where rows are treated apart it is each row's own."},
        {"of", reference, "By what `gradient` is a derivative; there is no other key beside both."},
    },
    "its ports and params, or the inputs of the module: `x: node.port` wires one, `features: 400` "
    "sets one."};

const Keys train{
    "train",
    "How the modules learn: in every step, phase by phase.",
    {
        {"data", map(data), "What is learned from, batch by batch."},
        {"nodes", nodes, "What is computed in a step."},
        {"phases", some(map(phase)),
         "What to minimize, and what to update for it, in this order. Without, nothing is "
         "minimized, but nodes with state remember what passes them."},
        {"epochs", integer(within(1, most_steps)), "Times that the data is seen."},
        {"steps", integer(within(1, most_steps)),
         "Batches of the training; either these or `epochs` are needed."},
        {"report", some(reference), "Further values for metrics.jsonl."},
        {"save", map(save), "Which checkpoints are kept."},
        {"shards", integer(within(1, 1024)).otherwise("1"),
         "Parts that a batch is cut into, each with gradients of its own, which are added up in a "
         "fixed order. As many processes may share a training, with the bits of one."},
        lanes,
    }};

const Keys data{"data",
                "A set whose epochs are those of the section.",
                {{"node", text.needed(), "A node kind that is a data set."}},
                "its params."};

const Keys phase{
    "phase",
    "A loss, and the modules that learn from it.",
    {
        {"name", name, "In metrics and messages; `phase1`, `phase2` and so on if not given."},
        {"minimize", reference.needed(),
         "The loss: one number for each sample, or one for the batch."},
        {"update", some(text).needed(), "The modules that learn: gradients go nowhere else."},
        {"optimizer", map(optimizer).needed(), "What changes their weights."},
        {"groups", some(map(group)),
         "Other params of the optimizer for some weights; the first group that matches a weight "
         "updates it."},
        {"clip", amount.otherwise("0"), "The greatest norm of the phase's gradient; 0: any."},
        {"clip_weights", amount.otherwise("0"),
         "After an update no weight of the phase is farther from 0 than this (Arjovsky et al. "
         "2017); 0: any."},
        {"accumulate", integer(within(1, many)).otherwise("1"),
         "Steps whose gradients are averaged into one update."},
        {"every", integer(within(1, many)).otherwise("1"), "Run in every n-th step."},
    }};

const Keys optimizer{"optimizer",
                     "What changes weights by their gradients.",
                     {{"node", text.needed(), "A node kind that is an optimizer."}},
                     "its params."};

const Keys group{
    "group",
    "Some weights of a phase.",
    {{"match", text.needed(),
      "A pattern of their names as `weft check` and checkpoints have them, in which `*` stands for "
      "any characters and nothing else is special: \"*.bias\", \"encoder.*\"."}},
    "params of the phase's optimizer."};

const Keys save{
    "save",
    "Which checkpoints are kept.",
    {
        {"every_steps", integer(within(1, most_steps)),
         "Steps from one to the next; else one at the end of each epoch."},
        {"keep", integer(within(1, many)).otherwise("3"), "Newest checkpoints to keep."},
        {"best", reference, "A value that `evaluate` reports; its best checkpoint is kept too."},
        {"better", choice({"lowest", "highest"}).otherwise("lowest"), "Which is the best."},
        {"patience", integer(within(1, many)),
         "Stop after so many evaluations without a better one."},
    }};

const Keys evaluate{
    "evaluate",
    "Means over all samples of its data, at the ends of epochs and by `weft evaluate`.",
    {
        {"data", map(other_data), "Those of `train` if not given."},
        {"nodes", named(map(other_node)),
         "Those of `train` if not given, or if one of these is `train`'s with other params."},
        {"report", some(reference).needed(), "Values to average over the data, and measures."},
        {"every", integer(within(1, many)).otherwise("1"),
         "Epochs of training from one evaluation to the next; one ends the training in any case."},
        lanes,
    }};

const Keys other_data{
    "other_data",
    "A set of its own, or without `node` other params for that of `train`: {split: test}.",
    {{"node", text, "A node kind that is a data set."}},
    "its params, or those that differ from those of `train`."};

const Keys other_node{
    "other_node",
    "A node, or without a kind other params for that of `train` of the same name: `noise: {scale: "
    "0}`.",
    {},
    "as of a node, or those that differ from those in `train`."};

const Keys generate{
    "generate",
    "What `weft generate` writes.",
    {
        {"data", map(other_data), "What it is written from, if anything."},
        {"nodes", nodes.needed(),
         "What is computed and, by sinks, written; `$count` is what `weft generate -n` sets, 64 if "
         "not given."},
        {"report", some(reference), "Values to compute although no sink reads them."},
        lanes,
    }};

namespace {
Key kind(std::vector<std::string> kinds) {
  return {"schedule", choice(std::move(kinds)).needed(), "How the number changes."};
}
const Key from{"from", number.needed(), "The value at first, once it is warm."};
const Key to{
    "to", number.needed(),
    "The value it comes to behind the last step: from 1 to 0 over 4 it is 1, 0.75, 0.5, 0.25."};
const Key warmup{"warmup", integer(within(0, most_steps)).otherwise("0"),
                 "Steps in which the value rises from 0 to `from`."};
const Key over{"over", integer(within(1, most_steps)),
               "Steps from `from` to `to`; to the end of the training if not given."};
const Key points{"points", Value{Type::points}.needed(),
                 "The value from each step on, counted from 0: {0: 0.1, 500: 0.01}."};

const Keys constant{"constant", "one value", {kind({"constant"}), from, warmup}};
const Keys curve{"curve",
                 "from one value to another",
                 {kind({"linear", "cosine", "exponential"}), from, to, warmup, over}};
const Keys piecewise{"piecewise", "values from step to step", {kind({"piecewise"}), points}};
}  // namespace

const Keys schedule{
    "schedule",
    "A number that changes with the step, for a param that is \"number or schedule\". `evaluate` "
    "and `generate` take the value of the step that the weights are of.",
    {kind({"constant", "linear", "cosine", "exponential", "piecewise"}), from, to, warmup, over,
     points},
    "",
    {&constant, &curve, &piecewise}};

namespace {
void add_with_inner(const Keys& keys, std::vector<const Keys*>& all) {
  if (std::find(all.begin(), all.end(), &keys) != all.end()) return;
  all.push_back(&keys);
  for (const Key& key : keys.all)
    if (key.value.keys) add_with_inner(*key.value.keys, all);
}
}  // namespace

bool has_kind(const Yaml& node) {
  return std::ranges::any_of(kinds_of_node, [&](const char* key) { return node.find(key); });
}

std::vector<const Keys*> all() {
  std::vector<const Keys*> all;
  for (const Keys* root : {&pipeline, &schedule}) add_with_inner(*root, all);
  return all;
}

}  // namespace weft::keys
