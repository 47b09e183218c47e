// The checkpoints of a run: one directory each, committed by one rename and verified before use.
//
//   runs/NAME/checkpoints/
//     step-000000012000/{model,optimizer}.safetensors, state.json, pipeline.yaml, MANIFEST.json
//     last -> step-…, best -> step-…
//     broken-step-…       did not verify; kept for the user
//     abandoned-step-…    newer than what training went on from; kept for the user
//     replaced-step-…     there for a moment, while another of the same step takes its place
//     .tmp-…, .trash-…    being written, being deleted
//
// Their order is the step in the manifest, never a name or a time.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "framework/run/checkpoint.h"

namespace weft {

struct CheckpointOptions {
  bool read_only = false;  // to evaluate or generate: nothing is made, renamed or deleted
  int keep = 3;            // how many of the newest a save leaves in place, at least 1
  std::function<void(const std::string&)> warn;  // one sentence each
};

// Only the holder of the run's LockFile may open a store for writing.
class CheckpointStore {
 public:
  // Opens the store; for writing it makes the directory and removes what dead processes left.
  // Throws Error.
  explicit CheckpointStore(std::filesystem::path directory, CheckpointOptions options = {});

  // Commits a checkpoint, points `last` to it and deletes old ones. Returns its directory. The new
  // one has been read again before anything older is touched, so older ones survive every failure:
  //   Error(Exit::nonfinite)   a tensor or a number of `state` is NaN or infinite
  //   Error(Exit::resources)   the disk has less room than twice the checkpoint, or failed
  //   Error(Exit::checkpoint)  what is given cannot be stored (see write_safetensors)
  // Warns, and succeeds, if only `last` or the deletion of old ones failed.
  std::filesystem::path save(int64_t step, std::span<const NamedTensor> model,
                             std::span<const NamedTensor> optimizer, const nlohmann::json& state,
                             const std::string& pipeline);

  void mark_best(int64_t step);
  // Keeps the checkpoint of this step, which training went on from, from being deleted.
  void protect(int64_t step) { protected_.insert(step); }

  // Prepares to go on from this step: sets newer checkpoints, of a training that is given up, aside
  // as abandoned-…. Points `best` to the checkpoint of `best_step`, if that is still there.
  void rewind(int64_t step, int64_t best_step);

  bool empty() const;  // has nothing been saved here, whole or broken?
  // The newest checkpoint that verifies. Newer ones that do not are set aside as broken-…, or
  // skipped if read only, with a warning each. Throws Error(Exit::checkpoint) if none is left.
  Checkpoint newest();
  // The state of the newest checkpoint whose state verifies, or nothing. Reads no tensors.
  std::optional<nlohmann::json> newest_state() const;
  Checkpoint best() const;
  std::optional<int64_t> best_step() const;  // the step marked as best, if one is
  Checkpoint at(int64_t step) const;
  // The checkpoint that a user chose by a word: "last" (the newest), "best" or a step. `option` is
  // where the word stood, for messages.
  Checkpoint chosen(const std::string& word, const std::string& option);

 private:
  struct Found {
    std::string name;
    int64_t step = 0;                  // from its manifest, else from its name
    std::optional<Manifest> manifest;  // none if it does not verify
    std::string fault;                 // why it does not
  };

  std::vector<std::string> names() const;
  std::vector<Found> list() const;  // newest first
  std::string find(int64_t step) const;
  std::string link(const char* name) const;   // what `last` or `best` points to, or ""
  bool holds(const std::string& name) const;  // is there anything of this name?
  std::optional<Checkpoint> read(Found& found) const;
  void clean() const;
  void set_link(const char* link, const std::string& name) const;  // warns if it cannot
  void commit(const std::filesystem::path& written, const std::string& name) const;
  bool is_whole(const std::string& name) const;
  void retire(int64_t newest) const;
  void discard(const std::string& name) const;
  std::string set_aside(const std::string& name, const std::string& why) const;
  void warn(const std::string& sentence) const;

  std::filesystem::path directory_;
  CheckpointOptions options_;
  std::set<int64_t> protected_;
};

}  // namespace weft
