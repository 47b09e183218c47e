#include "framework/node/node.h"

#include <algorithm>
#include <array>
#include <cstdlib>

namespace weft {

In::In(Node* owner, const char* name, const char* doc, PortTraits traits)
    : name(name), doc(doc), traits(traits) {
  if (owner) owner->ins.push_back(this);
}

void In::wire(const Shape& shape, bool wants_grad) {
  value_.shape = shape;
  value_.dtype = traits.dtype;
  wired_ = true;
  wants_grad_ = wants_grad && traits.grad;
}

Ins::Ins(Node* owner, const char* name, const char* doc, PortTraits traits)
    : name(name), doc(doc), traits(traits) {
  owner->lists.push_back(this);
}

void Ins::resize(Node* owner, size_t count) {
  while (all_.size() < count) {
    all_.push_back(std::make_unique<In>(nullptr, name, doc, traits));
    owner->ins.push_back(all_.back().get());
  }
}

Out::Out(Node* owner, const char* name, const char* doc, DType dtype)
    : name(name), doc(doc), dtype(dtype) {
  value_.dtype = dtype;
  owner->outs.push_back(this);
}

void Out::shape(const Shape& shape) {
  (void)shape.elements();  // refuses what cannot exist
  value_.shape = shape;
  shaped_ = true;
}

Saved::Saved(Node* owner, const char* name, const char* doc, DType dtype)
    : name(name), doc(doc), dtype(dtype) {
  value_.dtype = dtype;
  owner->saved.push_back(this);
}

Weight::Weight(Node* owner, const char* name, const char* doc) : name(name), doc(doc) {
  owner->weights.push_back(this);
}

void Weight::shape(const Shape& shape, Init init) {
  (void)shape.elements();
  value_.shape = shape;
  init_ = init;
  present_ = true;
}

State::State(Node* owner, const char* name, const char* doc) : name(name), doc(doc) {
  owner->states.push_back(this);
}

void State::shape(const Shape& shape, float start) {
  value_.shape = shape;
  start_ = start;
}

Fit::Fit(Node* owner, const Out& of) : of(of), owner_(owner) {
  owner->fits.push_back(this);
}

const std::string& Fit::known(const std::string& what, const std::string& which,
                              const std::function<std::string()>& learn) {
  name_ = what + " of " + which;
  complaint_.clear();
  const Fitted* const given = owner_->find_fitted(name_);
  bytes_ = given ? given->bytes : nullptr;
  given_ = bytes_ != nullptr;
  if (!given_) bytes_ = std::make_shared<const std::string>(learn());
  return *bytes_;
}

Node::~Node() = default;

const Fitted* Node::find_fitted(const std::string& name) const {
  if (!setting_.fitted) return nullptr;
  const auto found = setting_.fitted->find(name);
  return found == setting_.fitted->end() ? nullptr : &found->second;
}

std::shared_ptr<const std::string> Node::fitted(const std::string& name) const {
  const Fitted* const found = find_fitted(name);
  if (found && !found->dispute.empty()) throw Error(Exit::checkpoint, found->dispute);
  return found ? found->bytes : nullptr;
}

void Node::backward(const Step&) {
  if (std::any_of(ins.begin(), ins.end(), [](const In* in) { return in->wants_grad(); }))
    throw Error(Exit::plugin, "has no backward(), so nothing above it can learn");
}

ParamBase* Node::param(std::string_view name) const {
  const auto found = std::find_if(params.begin(), params.end(),
                                  [&](const ParamBase* param) { return param->name == name; });
  return found == params.end() ? nullptr : *found;
}

namespace {
namespace fs = std::filesystem;

bool leads_out(const fs::path& normal) {
  return normal.is_absolute() || normal.empty() || *normal.begin() == "..";
}

// What the framework writes into a run's directory.
bool is_of_run(const fs::path& normal) {
  for (const char* own : {"checkpoints", "log.txt", "metrics.jsonl", "resolved.yaml", "run.json",
                          "run.lock", "status.json"})
    if (*normal.begin() == own) return true;
  return false;
}
}  // namespace

void Node::check_output(const std::string& path) {
  if (path.find('\0') != std::string::npos)
    throw Error("`path` has a zero byte, after " + path.substr(0, path.find('\0')));
  const fs::path normal = fs::path(path).lexically_normal();
  if (leads_out(normal)) throw Error("`path` is " + path + ", but must lie in the run's directory");
  if (is_of_run(normal))
    throw Error("`path` is " + path + ", but the run itself writes " + normal.begin()->string() +
                ": choose another");
}

fs::path Node::output(const std::string& path) const {
  check_output(path);
  std::error_code ignored;  // the write that follows reports a folder that could not be made
  const fs::path home = setting_.output_dir.empty() ? "." : setting_.output_dir;
  fs::path full = home / path;
  const fs::path inner = fs::weakly_canonical(full.parent_path(), ignored)
                             .lexically_relative(fs::weakly_canonical(home, ignored));
  if (leads_out(inner) || is_of_run(inner))
    throw Error("`path` is " + path + ", but a link leads it out of " + home.string() +
                ", or to what the run itself writes");
  fs::create_directories(full.parent_path(), ignored);
  return full;
}

std::filesystem::path Node::data_dir() {
  if (const char* dir = std::getenv("WEFT_DATA_DIR"); dir && *dir) return dir;
  if (const char* dir = std::getenv("XDG_DATA_HOME"); dir && *dir)
    return std::filesystem::path(dir) / "weft";
  const char* home = std::getenv("HOME");
  return std::filesystem::path(home ? home : ".") / ".local/share/weft";
}

void Source::infer() {
  samples_ = open();
  if (batches() == 0)
    throw Error(Exit::data, samples_ == 0 ? "the data set is empty"
                                          : "the data set has " + std::to_string(samples_) +
                                                " samples, fewer than one batch of " +
                                                std::to_string(*batch) +
                                                ": lower `batch` or leave out `drop_last`");
}

int64_t Source::batches() const {
  return *drop_last ? samples_ / *batch : (samples_ + *batch - 1) / *batch;
}

int64_t Source::rows(int64_t step) const {
  return std::min(*batch, samples_ - step % batches() * *batch);
}

int64_t Source::rows_here(int64_t step) const {
  const int64_t here = outs.front()->rows();
  return endless() ? here : std::min(here, rows(step) - first_row());
}

int64_t Source::sample_of(int64_t step, int64_t row) const {
  const int64_t sample = endless() ? step * *batch + row : step % batches() * *batch + row;
  const int64_t place = endless() ? sample % samples_ : sample;
  const int64_t epoch = endless() ? sample / samples_ : step / batches();
  if (!*shuffle) return place;
  return static_cast<int64_t>(permuted(static_cast<uint64_t>(place),
                                       static_cast<uint64_t>(samples_), random_key(),
                                       static_cast<uint64_t>(epoch)));
}

void Source::forward(const Step& step) {
  constexpr int64_t ahead = 4;  // samples on their way from memory while one is copied
  std::array<int64_t, ahead> coming{};
  const int64_t end = rows_here(step.number);
  for (int64_t row = 0; row < end + ahead; ++row) {
    int64_t& sample = coming[static_cast<size_t>(row % ahead)];
    if (row >= ahead) load(sample, row - ahead);
    if (row < end) expect(sample = sample_of(step.number, first_row() + row));
  }
}

Slot::Slot(Node* owner, const char* name, const char* doc)
    : name(name), doc(doc), index(owner->slots.size()) {
  owner->slots.push_back(this);
}

}  // namespace weft
