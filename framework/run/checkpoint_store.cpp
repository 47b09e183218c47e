#include "framework/run/checkpoint_store.h"

#include <signal.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <system_error>
#include <tuple>

namespace weft {

namespace fs = std::filesystem;
using nlohmann::json;

namespace {
constexpr std::string_view replaced_prefix = "replaced-";

std::string name_of(int64_t step) {
  char name[32];
  std::snprintf(name, sizeof name, "step-%012lld", static_cast<long long>(step));
  return name;
}

std::optional<int64_t> number(std::string_view text) {
  int64_t value = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value < 0) return std::nullopt;
  return value;
}

// The name without a prefix: "step-000000000400" for "replaced-step-000000000400" and for itself.
std::string original_name(const std::string& name) {
  return name.starts_with(replaced_prefix) ? name.substr(replaced_prefix.size()) : name;
}

std::optional<int64_t> step_in(const std::string& name) {
  const std::string original = original_name(name);
  if (!original.starts_with("step-") || original.size() < 17) return std::nullopt;
  return number(std::string_view(original).substr(5));
}

// Is it ".tmp-…-PID" or ".trash-…-PID" of a process that no longer lives?
bool is_stale(const std::string& name) {
  if (!name.starts_with(".tmp-") && !name.starts_with(".trash-")) return false;
  const auto pid = number(std::string_view(name).substr(name.rfind('-') + 1));
  if (!pid || *pid == 0 || *pid > INT32_MAX) return false;
  return *pid == ::getpid() || (::kill(static_cast<pid_t>(*pid), 0) < 0 && errno == ESRCH);
}

std::string megabytes(double bytes) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f MB", bytes / 1e6);
  return text;
}

void check_room(const fs::path& directory, uint64_t size) {
  struct statvfs disk {};
  if (::statvfs(directory.c_str(), &disk) < 0)
    throw Error(Place{directory.string()},
                "cannot be written: " + std::generic_category().message(errno), Exit::resources);
  const double room = static_cast<double>(disk.f_bavail) * static_cast<double>(disk.f_frsize);
  const double needed = 2.0 * static_cast<double>(size);
  if (disk.f_blocks > 0 && room < needed)
    throw Error(Place{directory.string()},
                "a checkpoint needs " + megabytes(needed) + " of free disk, there are " +
                    megabytes(room) + ": free some, or keep fewer checkpoints",
                Exit::resources);
}

// The fault without the path before it: "model.safetensors: checksum differs".
std::string fault_of(const Error& error) {
  if (error.place().file.empty()) return error.sentence();
  return fs::path(error.place().file).filename().string() + ": " + error.sentence();
}
}  // namespace

CheckpointStore::CheckpointStore(fs::path directory, CheckpointOptions options)
    : directory_(std::move(directory)), options_(std::move(options)) {
  if (options_.keep < 1) throw Error("at least 1 checkpoint must be kept");
  if (options_.read_only) return;
  std::error_code error;
  const bool made = fs::create_directories(directory_, error);
  if (error)
    throw Error(Place{directory_.string()}, "cannot be made: " + error.message(), Exit::resources);
  if (made) sync_directory(directory_ / "..");
  clean();
}

void CheckpointStore::warn(const std::string& sentence) const {
  if (options_.warn) options_.warn(sentence);
}

std::vector<std::string> CheckpointStore::names() const {
  std::vector<std::string> all;
  std::error_code error;
  for (fs::directory_iterator at(directory_, error), end; !error && at != end; at.increment(error))
    all.push_back(at->path().filename().string());
  if (error && error != std::errc::no_such_file_or_directory)
    throw Error(Place{directory_.string()}, "cannot be read: " + error.message(), Exit::resources);
  return all;
}

std::vector<CheckpointStore::Found> CheckpointStore::list() const {
  std::vector<Found> all;
  for (const std::string& name : names()) {
    const auto step = step_in(name);
    if (!step) continue;
    Found found{name, *step};
    try {
      Manifest manifest = Manifest::read(directory_ / name);
      if (manifest.step != *step) manifest.verify(directory_ / name);  // is it its own?
      found.step = manifest.step;
      found.manifest = std::move(manifest);
    } catch (const Error& error) {
      if (error.code() != Exit::checkpoint) throw;
      found.fault = fault_of(error);
    }
    all.push_back(std::move(found));
  }
  const auto rank = [](const Found& found) {
    return std::tuple(-found.step, found.name != name_of(found.step), found.name);
  };
  std::sort(all.begin(), all.end(),
            [&](const Found& a, const Found& b) { return rank(a) < rank(b); });
  return all;
}

std::string CheckpointStore::find(int64_t step) const {
  std::string steps, fault;
  for (const Found& found : list()) {
    if (found.step == step && found.manifest) return found.name;
    if (found.step == step) fault = ": " + found.name + " is broken (" + found.fault + ")";
    if (found.manifest)
      steps += (steps.empty() ? ": there are " : ", ") + std::to_string(found.step);
  }
  throw Error(Place{directory_.string()},
              "no checkpoint of step " + std::to_string(step) + (fault.empty() ? steps : fault),
              Exit::checkpoint);
}

bool CheckpointStore::holds(const std::string& name) const {
  std::error_code ignored;
  return fs::symlink_status(directory_ / name, ignored).type() != fs::file_type::not_found;
}

void CheckpointStore::clean() const {
  for (const std::string& name : names()) {
    std::error_code ignored;
    if (is_stale(name)) fs::remove_all(directory_ / name, ignored);
    const std::string original = original_name(name);
    if (original != name && step_in(name) && !holds(original))
      rename_path(directory_ / name, directory_ / original);
  }
}

fs::path CheckpointStore::save(int64_t step, std::span<const NamedTensor> model,
                               std::span<const NamedTensor> optimizer, const json& state,
                               const std::string& pipeline) {
  if (options_.read_only || step < 0)
    throw Error(Exit::internal, "step " + std::to_string(step) + " cannot be saved here");
  const CheckpointContent content{step, model, optimizer, state, pipeline};
  content.check();
  check_room(directory_, content.bytes());

  const std::string name = name_of(step);
  const fs::path written =
      directory_ / (".tmp-" + std::to_string(step) + "-" + std::to_string(::getpid()));
  try {
    remove_tree(written);
    content.write(written);
    commit(written, name);
  } catch (...) {
    std::error_code ignored;
    fs::remove_all(written, ignored);
    throw;
  }
  set_link("last", name);
  try {
    retire(step);
  } catch (const Error& error) {
    warn(std::string(error.what()) + "; old checkpoints stay");
  }
  return directory_ / name;
}

void CheckpointStore::set_link(const char* link, const std::string& name) const {
  try {
    link_atomically(directory_ / link, name);
  } catch (const Error& error) {
    warn(std::string(error.what()) + "; the " +
         (link == std::string_view("last") ? "newest" : link) + " checkpoint is " + name);
  }
}

// Gives a written checkpoint its name. An older one of the same step is renamed to a name that
// list() knows, until retire() deletes it.
void CheckpointStore::commit(const fs::path& written, const std::string& name) const {
  const fs::path directory = directory_ / name, replaced = directory_ / ("replaced-" + name);
  const bool replaces = holds(name) && is_whole(name);
  if (replaces) {
    discard(replaced.filename());
    rename_path(directory, replaced);
  }
  try {
    rename_path(written, directory);
  } catch (...) {
    if (replaces) rename_path(replaced, directory);
    throw;
  }
  sync_directory(directory_);
}

// Does the checkpoint verify? If not, it is set aside.
bool CheckpointStore::is_whole(const std::string& name) const {
  try {
    Manifest::read(directory_ / name).verify(directory_ / name);
    return true;
  } catch (const Error& error) {
    if (error.code() != Exit::checkpoint) throw;
    warn("checkpoint " + name + " is broken (" + fault_of(error) + "): renamed to " +
         set_aside(name, "broken") + "; it is saved again");
    return false;
  }
}

// Deletes what need not be kept, among checkpoints older than `newest`, which has been verified.
void CheckpointStore::retire(int64_t newest) const {
  const std::string best = link("best");
  int kept = 0;
  for (const Found& found : list()) {
    if (!found.manifest || found.step > newest) continue;
    if (found.manifest->format != Manifest::current_format) continue;  // made by another weft
    const std::string original = original_name(found.name);
    const bool replaced = original != found.name && holds(original);
    if (!replaced &&
        (kept++ < options_.keep || found.name == best || protected_.contains(found.step)))
      continue;
    discard(found.name);
  }
}

void CheckpointStore::discard(const std::string& name) const {
  if (!holds(name)) return;
  const fs::path trash = directory_ / (".trash-" + name + "-" + std::to_string(::getpid()));
  remove_tree(trash);
  rename_path(directory_ / name, trash);
  remove_tree(trash);
}

std::string CheckpointStore::set_aside(const std::string& name, const std::string& why) const {
  std::string aside = why + "-" + name;
  for (int i = 2; holds(aside); ++i) aside = why + "-" + name + "." + std::to_string(i);
  rename_path(directory_ / name, directory_ / aside);
  return aside;
}

void CheckpointStore::rewind(int64_t step, int64_t best_step) {
  protect(step);
  bool best_is_there = false;
  for (const Found& found : list()) {
    if (found.step > step)
      set_aside(found.name, "abandoned");
    else
      best_is_there = best_is_there || (found.manifest && found.step == best_step);
  }
  if (best_is_there)
    mark_best(best_step);
  else if (!link("best").empty())
    remove_tree(directory_ / "best");
}

std::string CheckpointStore::link(const char* name) const {
  std::error_code error;
  return fs::read_symlink(directory_ / name, error).filename().string();
}

void CheckpointStore::mark_best(int64_t step) {
  set_link("best", find(step));
}

// Reads a checkpoint. Returns nothing if it is broken; `found.fault` then says why.
std::optional<Checkpoint> CheckpointStore::read(Found& found) const {
  if (!found.manifest) return std::nullopt;
  found.manifest->check_format(directory_ / found.name);
  try {
    return Checkpoint::read(directory_ / found.name, *found.manifest);
  } catch (const Error& error) {
    if (error.code() != Exit::checkpoint) throw;
    found.fault = fault_of(error);
    return std::nullopt;
  }
}

bool CheckpointStore::empty() const {
  const auto all = names();
  return std::none_of(all.begin(), all.end(), [](const std::string& name) {
    return name.find("step-") != std::string::npos && !name.starts_with('.');
  });
}

Checkpoint CheckpointStore::newest() {
  std::vector<Found> all = list();
  for (size_t i = 0; i < all.size(); ++i) {
    if (std::optional<Checkpoint> checkpoint = read(all[i])) {
      if (!options_.read_only && link("last") != all[i].name) set_link("last", all[i].name);
      return std::move(*checkpoint);
    }
    const std::string cure =
        options_.read_only ? "skipped" : "renamed to " + set_aside(all[i].name, "broken");
    warn("checkpoint " + all[i].name + " is broken (" + all[i].fault + "): " + cure + "; " +
         (i + 1 < all.size() ? "falling back to step " + std::to_string(all[i + 1].step)
                             : "there is no older one"));
  }
  throw Error(Place{directory_.string()},
              empty() ? "holds no checkpoint yet"
                      : "holds no checkpoint that is whole: --overwrite starts anew, -o names "
                        "another run",
              Exit::checkpoint);
}

std::optional<json> CheckpointStore::newest_state() const {
  for (const Found& found : list()) try {
      if (found.manifest) return Checkpoint::read_state(directory_ / found.name, *found.manifest);
    } catch (const Error& error) {
      if (error.code() != Exit::checkpoint) throw;
    }
  return std::nullopt;
}

std::optional<int64_t> CheckpointStore::best_step() const {
  return step_in(link("best"));
}

Checkpoint CheckpointStore::best() const {
  const std::string name = link("best");
  if (name.empty())
    throw Error(Place{directory_.string()},
                "no checkpoint is marked as the best: `train.save.best` names the value of "
                "`evaluate` that tells",
                Exit::checkpoint);
  return Checkpoint::read(directory_ / name);
}

Checkpoint CheckpointStore::at(int64_t step) const {
  return Checkpoint::read(directory_ / find(step));
}

Checkpoint CheckpointStore::chosen(const std::string& word, const std::string& option) {
  if (word == "last") return newest();
  if (word == "best") return best();
  if (const auto step = number(word)) return at(*step);
  throw Error(option + " must be " + (option == "--resume" ? "auto, " : "") +
              "last, best or a step, not `" + word + "`");
}

}  // namespace weft
