#include "framework/run/manifest.h"

#include <nlohmann/json.hpp>

namespace weft {

namespace fs = std::filesystem;
using nlohmann::json;

namespace {
constexpr size_t max_bytes = 1 << 20;

[[noreturn]] void refuse(const fs::path& file, const std::string& sentence) {
  throw Error(Place{file.string()}, sentence, Exit::checkpoint);
}

// The text of a manifest, which carries the checksum of the rest of it.
std::string sealed(json manifest) {
  manifest.erase("checksum");
  manifest["checksum"] = Checksum::of(manifest.dump());
  return manifest.dump(2) + "\n";
}

bool shallow(int depth, json::parse_event_t, json&) {
  if (depth > 8) throw Error(Exit::checkpoint, "too deep");
  return true;
}

// Throws unless `text` is, byte for byte, what sealed() gave.
json parsed(const fs::path& file, const std::string& text) {
  try {
    json manifest = json::parse(text, shallow);
    if (manifest.is_object() && sealed(manifest) == text) return manifest;
  } catch (const json::exception&) {
    refuse(file, "is not JSON");
  } catch (const Error&) {
    refuse(file, "is too deep");
  }
  refuse(file, "checksum differs");
}
}  // namespace

std::string Manifest::str() const {
  json records = json::object();
  for (const auto& [name, record] : files)
    records[name] = {{"bytes", record.bytes}, {"xxh3_64", record.checksum}};
  return sealed({{"format", format}, {"step", step}, {"writer", writer}, {"files", records}});
}

Manifest Manifest::read(const fs::path& directory) {
  const fs::path file = directory / file_name;
  const json manifest = parsed(file, FileReader(file).text(max_bytes));
  try {
    Manifest result;
    result.format = manifest.at("format").get<int64_t>();
    result.step = manifest.at("step").get<int64_t>();
    result.writer = manifest.value("writer", "an unnamed weft");
    if (result.step < 0) refuse(file, "has a negative step");
    if (result.format != current_format) return result;
    for (const auto& [name, record] : manifest.at("files").items())
      result.files[name] = {record.at("bytes").get<uint64_t>(),
                            record.at("xxh3_64").get<std::string>()};
    return result;
  } catch (const json::exception&) {
    refuse(file, "is not a checkpoint's manifest");
  }
}

void Manifest::check_format(const fs::path& directory) const {
  if (format != current_format)
    refuse(directory, "its format is " + std::to_string(format) + ", of " + writer +
                          "; this weft reads " + std::to_string(current_format) +
                          ": go on with the weft that wrote it");
}

void Manifest::verify(const fs::path& directory) const {
  for (const auto& [name, expected] : files) {
    const FileReader file(directory / name);
    if (file.size() != expected.bytes)
      refuse(file.path(), "has " + std::to_string(file.size()) + " bytes, not " +
                              std::to_string(expected.bytes));
    if (file.record() != expected) refuse(file.path(), "checksum differs");
  }
}

}  // namespace weft
