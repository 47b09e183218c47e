#include "framework/run/checkpoint.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace weft {

namespace fs = std::filesystem;
using nlohmann::json;

namespace {
constexpr const char* model_file = "model.safetensors";
constexpr const char* optimizer_file = "optimizer.safetensors";
constexpr const char* state_file = "state.json";
constexpr const char* pipeline_file = "pipeline.yaml";
constexpr size_t max_text = size_t{64} << 20;  // bytes of state.json and of pipeline.yaml
constexpr int max_depth = 64;                  // of lists and maps in state.json

bool is_finite(std::span<const float> numbers) {
  uint32_t found = 0;
  for (const float x : numbers)
    found |= (std::bit_cast<uint32_t>(x) & 0x7f800000U) == 0x7f800000U ? 1U : 0U;
  return found == 0;
}

void check_finite(std::span<const NamedTensor> tensors, const std::string& result) {
  for (const auto& [name, tensor] : tensors) {
    if (tensor.dtype != DType::f32 || !tensor || is_finite(tensor.span())) continue;
    const auto numbers = tensor.span();
    const auto first =
        std::find_if_not(numbers.begin(), numbers.end(), [](float x) { return std::isfinite(x); });
    std::string sentence = "`";
    sentence.append(name).append(std::isnan(*first) ? "` is NaN" : "` is infinite");
    sentence.append(" at element ").append(std::to_string(first - numbers.begin())).append(result);
    throw Error(Exit::nonfinite, sentence);
  }
}

std::string text_of(const json& state) {
  try {
    return state.dump(1) + "\n";
  } catch (const json::exception&) {
    throw Error(Exit::checkpoint, "the state has a text that is not UTF-8");
  }
}

json parsed_state(const std::string& text, const fs::path& file) {
  const auto shallow = [&](int depth, json::parse_event_t, json&) {
    if (depth <= max_depth) return true;
    throw Error(Place{file.string()}, "is deeper than 64", Exit::checkpoint);
  };
  try {
    return json::parse(text, shallow);
  } catch (const json::exception&) {
    throw Error(Place{file.string()}, "is not JSON", Exit::checkpoint);
  }
}

uint64_t size_of(std::span<const NamedTensor> tensors) {
  uint64_t size = 0;
  for (const auto& [name, tensor] : tensors)
    size += static_cast<uint64_t>(tensor.size()) * bytes(tensor.dtype) + name.size() + 256;
  return size;
}

// Reads tensors and checks the checksum of just these bytes, since the file may have changed since
// it was verified.
Safetensors read_tensors(const fs::path& path, const FileRecord& expected) {
  const FileReader file(path);
  Checksum checksum;
  uint64_t at = 0;
  Safetensors tensors(path, file.size(), [&](void* to, size_t size) {
    file.read(at, to, size);
    checksum.add(to, size);
    at += size;
  });
  if (FileRecord{at, checksum.str()} != expected)
    throw Error(Place{path.parent_path().string()}, "changed while it was read", Exit::checkpoint);
  return tensors;
}

FileRecord write_tensors(const fs::path& path, std::span<const NamedTensor> tensors) {
  FileWriter file(path);
  write_safetensors(tensors, {{"format", "pt"}},
                    [&](const void* from, size_t size) { file.write(from, size); });
  return file.finish();
}

FileRecord write_text(const fs::path& path, const std::string& text) {
  FileWriter file(path);
  file.write(text);
  return file.finish();
}
}  // namespace

Checkpoint Checkpoint::read(const fs::path& directory) {
  return read(directory, Manifest::read(directory));
}

Checkpoint Checkpoint::read(const fs::path& directory, const Manifest& manifest) {
  manifest.check_format(directory);
  for (const char* name : {model_file, optimizer_file, state_file, pipeline_file})
    if (!manifest.files.contains(name))
      throw Error(Place{(directory / Manifest::file_name).string()},
                  std::string("does not record ") + name, Exit::checkpoint);
  manifest.verify(directory);
  const auto text = [&](const char* name) { return FileReader(directory / name).text(max_text); };
  const auto tensors = [&](const char* name) {
    return read_tensors(directory / name, manifest.files.at(name));
  };
  return {manifest.step, parsed_state(text(state_file), directory / state_file),
          tensors(model_file), tensors(optimizer_file), text(pipeline_file)};
}

int64_t Checkpoint::training_steps() const {
  const auto steps = state.find("steps");
  if (steps == state.end()) return 0;
  if (!steps->is_number_integer() || *steps < 0)
    throw Error(Exit::checkpoint, "`steps` in state.json of step " + std::to_string(step) +
                                      " is not what weft writes");
  return *steps;
}

json Checkpoint::read_state(const fs::path& directory, const Manifest& manifest) {
  manifest.check_format(directory);
  const auto record = manifest.files.find(state_file);
  const FileReader file(directory / state_file);
  const std::string text = file.text(max_text);
  if (record == manifest.files.end() ||
      record->second != FileRecord{text.size(), Checksum::of(text)})
    throw Error(Place{file.path().string()}, "checksum differs", Exit::checkpoint);
  return parsed_state(text, file.path());
}

void CheckpointContent::check() const {
  const std::string result = ": step " + std::to_string(step) + " is not saved";
  check_finite(model, result);
  check_finite(optimizer, result);
  const std::string text = text_of(state);
  if (text.size() > max_text || pipeline.size() > max_text)
    throw Error(Exit::checkpoint, "the state or the pipeline has more than 64 MiB");
  parsed_state(text, state_file);
  const json flat = state.flatten();
  for (const auto& [path, value] : flat.items())
    if (value.is_number_float() && !std::isfinite(value.get<double>())) {
      std::string sentence = "`";
      sentence.append(path).append("` of the state is not finite").append(result);
      throw Error(Exit::nonfinite, sentence);
    }
}

uint64_t CheckpointContent::bytes() const {
  return size_of(model) + size_of(optimizer) + text_of(state).size() + pipeline.size() + 4096;
}

void CheckpointContent::write(const fs::path& directory) const {
  make_directory(directory);
  Manifest manifest{.step = step};
  manifest.files[model_file] = write_tensors(directory / model_file, model);
  manifest.files[optimizer_file] = write_tensors(directory / optimizer_file, optimizer);
  manifest.files[state_file] = write_text(directory / state_file, text_of(state));
  manifest.files[pipeline_file] = write_text(directory / pipeline_file, pipeline);
  write_text(directory / Manifest::file_name, manifest.str());
  sync_directory(directory);
  try {
    Manifest::read(directory).verify(directory);
  } catch (const Error& error) {
    throw Error(error.place(), error.sentence() + " when read again: the disk may be failing",
                Exit::resources);
  }
}

}  // namespace weft
