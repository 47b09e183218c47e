#include "framework/formats/safetensors.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <new>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <vector>

namespace weft {

namespace fs = std::filesystem;
using nlohmann::json;

static_assert(std::endian::native == std::endian::little);

namespace {
constexpr const char* metadata_name = "__metadata__";

// A name from a file, in a form that is safe to print.
std::string shown(const std::string& name) {
  std::string text = "`";
  for (const char c : name.substr(0, 80))
    text += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? '?' : c;
  text += name.size() > 80 ? "…`" : "`";
  return text;
}

struct Entry {
  std::optional<std::string> dtype;
  std::optional<std::vector<uint64_t>> shape, offsets;
};

// Reads the header into entries; refuses everything that is not in the format.
class Header : public nlohmann::json_sax<json> {
 public:
  Header(const fs::path& path, const std::string& text) : path_(path) {
    if (text.empty() || text.front() != '{') fail("byte 8: the header does not begin with `{`");
    if (const size_t at = text.find('\0'); at != std::string::npos)
      fail("byte " + std::to_string(8 + at) + ": the header has a zero byte");
    json::sax_parse(text, this);
  }

  std::map<std::string, Entry> entries;
  std::map<std::string, std::string> metadata;

  [[noreturn]] void fail(const std::string& sentence) const {
    throw Error(Place{path_.string()}, sentence, Exit::checkpoint);
  }

  bool start_object(size_t) override {
    if (in_ == In::nothing) return enter(In::header);
    if (in_ != In::header) unexpected("an object");
    return enter(key_ == metadata_name ? In::metadata : In::entry);
  }

  bool end_object() override {
    if (in_ == In::entry && !(entry_->dtype && entry_->shape && entry_->offsets))
      fail(where() + "needs `dtype`, `shape` and `data_offsets`");
    return enter(in_ == In::header ? In::nothing : In::header);
  }

  bool key(std::string& key) override {
    if (in_ == In::header) {
      key_ = key;
      begin_entry();
    } else if (in_ == In::entry) {
      field_ = key;
      begin_field();
    } else {
      field_ = key;
      count();
      if (!metadata.emplace(key, "").second) fail(where() + shown(key) + " stands there twice");
    }
    return true;
  }

  bool start_array(size_t) override {
    if (in_ != In::entry || field_ == "dtype") unexpected("a list");
    return enter(In::numbers);
  }

  bool end_array() override {
    if (field_ == "data_offsets" && numbers().size() != 2)
      fail(where() + "`data_offsets` needs two numbers, not " + std::to_string(numbers().size()));
    return enter(In::entry);
  }

  bool number_unsigned(json::number_unsigned_t number) override {
    if (in_ != In::numbers) unexpected("a number");
    if (numbers().size() == Shape::max_rank)
      fail(where() + shown(field_) + " has more than 8 numbers");
    numbers().push_back(number);
    return true;
  }

  bool string(std::string& text) override {
    if (in_ == In::metadata)
      metadata[field_] = text;
    else if (in_ == In::entry && field_ == "dtype")
      entry_->dtype = text;
    else
      unexpected("a text");
    return true;
  }

  bool null() override { unexpected("null"); }
  bool boolean(bool) override { unexpected("a bool"); }
  bool number_integer(json::number_integer_t) override { unexpected("a negative number"); }
  bool number_float(json::number_float_t, const std::string&) override {
    unexpected("a number that is no integer");
  }
  bool binary(json::binary_t&) override { unexpected("binary data"); }
  bool parse_error(size_t at, const std::string&, const json::exception&) override {
    fail("byte " + std::to_string(8 + at) + ": the header is not JSON");
  }

 private:
  enum class In { nothing, header, entry, numbers, metadata };

  bool enter(In in) {
    in_ = in;
    return true;
  }
  std::string where() const { return "entry " + shown(key_) + ": "; }
  std::vector<uint64_t>& numbers() { return field_ == "shape" ? *entry_->shape : *entry_->offsets; }
  [[noreturn]] void unexpected(const std::string& what) const {
    if (in_ == In::nothing || in_ == In::header) fail(where() + what + " instead of an object");
    fail(where() + what + " cannot stand in " + shown(field_));
  }

  void count() {
    if (++count_ > Safetensors::max_entries)
      fail("the header has more than " + std::to_string(Safetensors::max_entries) + " entries");
  }

  void begin_entry() {
    count();
    if (key_ == metadata_name) {
      if (has_metadata_) fail(where() + "stands there twice");
      has_metadata_ = true;
      return;
    }
    const auto [at, is_new] = entries.try_emplace(key_);
    if (!is_new) fail(where() + "stands there twice");
    entry_ = &at->second;
  }

  void begin_field() {
    if (field_ != "dtype" && field_ != "shape" && field_ != "data_offsets")
      fail(where() + "unknown key " + shown(field_));
    if (field_ == "dtype" ? entry_->dtype.has_value()
                          : (field_ == "shape" ? entry_->shape : entry_->offsets).has_value())
      fail(where() + shown(field_) + " stands there twice");
    if (field_ == "dtype") return void(entry_->dtype.emplace());
    (field_ == "shape" ? entry_->shape : entry_->offsets).emplace();
  }

  const fs::path& path_;
  In in_ = In::nothing;
  std::string key_, field_;
  Entry* entry_ = nullptr;
  bool has_metadata_ = false;
  size_t count_ = 0;
};

// The tensor of an entry, without data yet. Throws if its range does not fit its shape.
Tensor checked_tensor(const Header& header, const std::string& name, const Entry& entry) {
  const std::string where = "entry " + shown(name) + ": ";
  if (*entry.dtype != "F32" && *entry.dtype != "I32")
    header.fail(where + "dtype " + shown(*entry.dtype) + "; only F32 and I32 can be read");
  constexpr uint64_t limit = uint64_t{1} << 40;
  uint64_t elements = 1;
  for (const uint64_t extent : *entry.shape)
    if (__builtin_mul_overflow(elements, extent, &elements) || elements > limit)
      header.fail(where + "more than 2^40 elements");
  const uint64_t begin = (*entry.offsets)[0], end = (*entry.offsets)[1];
  if (begin > end) header.fail(where + "its range ends before it begins");
  const DType dtype = *entry.dtype == "F32" ? DType::f32 : DType::i32;
  if (end - begin != elements * bytes(dtype))
    header.fail(where + "its shape needs " + std::to_string(elements * bytes(dtype)) +
                " bytes, its range has " + std::to_string(end - begin));
  const std::vector<int64_t> dims(entry.shape->begin(), entry.shape->end());
  return {Shape(dims), dtype, nullptr};
}

// Throws unless the ranges cover [0, size) without gap or overlap.
void check_cover(const Header& header, uint64_t size) {
  std::vector<std::pair<std::vector<uint64_t>, const std::string*>> ranges;
  for (const auto& [name, entry] : header.entries) ranges.emplace_back(*entry.offsets, &name);
  std::stable_sort(ranges.begin(), ranges.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  uint64_t covered = 0;
  for (const auto& [range, name] : ranges) {
    if (range[0] != covered)
      header.fail("entry " + shown(*name) + ": its range begins at " + std::to_string(range[0]) +
                  ", not at " + std::to_string(covered) + " where the one before ends");
    covered = range[1];
  }
  if (covered != size)
    header.fail("the entries cover " + std::to_string(covered) + " bytes, the file has " +
                std::to_string(size));
}

std::string escaped(const std::string& text) {
  try {
    return json(text).dump();
  } catch (const json::exception&) {
    throw Error(Exit::checkpoint, "the name " + shown(text) + " is not UTF-8");
  }
}

std::string header_text(std::span<const NamedTensor> tensors,
                        const std::map<std::string, std::string>& metadata) {
  if (tensors.size() + metadata.size() >= Safetensors::max_entries)
    throw Error(Exit::checkpoint, "a file holds fewer than " +
                                      std::to_string(Safetensors::max_entries) + " tensors, not " +
                                      std::to_string(tensors.size()));
  std::string text = "{";
  if (!metadata.empty()) {
    text += escaped(metadata_name) + ":{";
    for (const auto& [key, value] : metadata) text += escaped(key) + ":" + escaped(value) + ",";
    text.back() = '}';
    text += ",";
  }
  std::set<std::string> names{metadata_name};
  uint64_t begin = 0;
  for (const auto& [name, tensor] : tensors) {
    if (!names.insert(name).second)
      throw Error(Exit::checkpoint, "the name " + shown(name) + " is taken");
    const uint64_t end = begin + static_cast<uint64_t>(tensor.size()) * bytes(tensor.dtype);
    if (end > begin && !tensor) throw Error(Exit::checkpoint, shown(name) + " has no numbers");
    text += escaped(name) + R"(:{"dtype":")" + (tensor.dtype == DType::f32 ? "F32" : "I32") +
            R"(","shape":)" + json(tensor.shape.dims()).dump() + R"(,"data_offsets":[)" +
            std::to_string(begin) + "," + std::to_string(end) + "]},";
    begin = end;
  }
  if (text.back() == ',') text.pop_back();
  text += "}";
  text.resize((text.size() + 7) / 8 * 8, ' ');
  if (text.size() > Safetensors::max_header)
    throw Error(Exit::checkpoint, "the names of the tensors need more than 100 MB");
  return text;
}
}  // namespace

void write_safetensors(std::span<const NamedTensor> tensors,
                       const std::map<std::string, std::string>& metadata,
                       const WriteBytes& write) {
  const std::string header = header_text(tensors, metadata);
  const uint64_t length = header.size();
  write(&length, sizeof length);
  write(header.data(), header.size());
  for (const auto& [name, tensor] : tensors)
    write(tensor.data, static_cast<size_t>(tensor.size()) * bytes(tensor.dtype));
}

Safetensors::Safetensors(const fs::path& path, uint64_t size, const ReadBytes& read) {
  const auto fail = [&](const std::string& sentence) {
    throw Error(Place{path.string()}, sentence, Exit::checkpoint);
  };
  uint64_t length = 0;
  if (size < sizeof length)
    fail("byte 0: a file of " + std::to_string(size) + " bytes has no header");
  read(&length, sizeof length);
  size -= sizeof length;
  if (length > std::min<uint64_t>(max_header, size))
    fail("byte 0: a header of " + std::to_string(length) + " bytes, where at most " +
         std::to_string(std::min<uint64_t>(max_header, size)) + " are possible");
  std::string text(length, '\0');
  read(text.data(), length);
  size -= length;

  Header header(path, text);
  for (const auto& [name, entry] : header.entries)
    tensors_.emplace(name, checked_tensor(header, name, entry));
  check_cover(header, size);
  try {
    data_ = std::make_unique_for_overwrite<Line[]>(size / sizeof(Line) + 1);
  } catch (const std::bad_alloc&) {
    throw Error(Place{path.string()}, "no memory for its " + std::to_string(size) + " bytes",
                Exit::resources);
  }
  std::byte* data = data_[0].bytes;
  read(data, size);
  for (auto& [name, tensor] : tensors_) tensor.data = data + (*header.entries.at(name).offsets)[0];
  metadata_ = std::move(header.metadata);
}

}  // namespace weft
