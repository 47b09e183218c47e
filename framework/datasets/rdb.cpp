// The file is a sequence of blocks: four bytes with the length of a serialised value, then that
// value as a zlib stream. Numbers are big-endian. See R Internals, 1.8 "Serialization Formats".
#include "framework/datasets/rdb.h"

#include <zlib.h>

#include <fstream>
#include <memory>
#include <string_view>

#include "framework/node/error.h"

namespace weft::datasets {

namespace {
constexpr size_t most_bytes = size_t{1} << 28;  // limit for a file, and for a value in it
constexpr int string_type = 9, character_vector_type = 16;

Error corrupt(const std::string& name, const std::string& why) {
  return {Exit::data, name + " is corrupt: " + why};
}

// Takes big-endian integers and bytes from the front of `rest`.
struct Cursor {
  std::string_view rest;
  const std::string& name;

  std::string_view bytes(size_t n) {
    if (n > rest.size()) throw corrupt(name, "it ends inside a value");
    const std::string_view front = rest.substr(0, n);
    rest.remove_prefix(n);
    return front;
  }
  int32_t integer() {
    uint32_t all = 0;
    for (const char c : bytes(4)) all = all << 8 | static_cast<unsigned char>(c);
    return static_cast<int32_t>(all);
  }
  size_t length(const char* of) {
    const int32_t n = integer();
    if (n < 0) throw corrupt(name, std::string("a negative number of ") + of);
    return static_cast<size_t>(n);
  }
};

std::string read_bytes(const std::filesystem::path& file, const std::string& name) {
  std::ifstream in(file, std::ios::binary | std::ios::ate);
  const auto size = in ? static_cast<int64_t>(in.tellg()) : -1;
  if (size < 0) throw Error(Exit::data, "cannot open " + name);
  if (size > static_cast<int64_t>(most_bytes))
    throw Error(Exit::data, name + " is larger than 256 MiB");
  std::string bytes(static_cast<size_t>(size), '\0');
  in.seekg(0);
  if (!in.read(bytes.data(), size)) throw Error(Exit::data, "cannot read " + name);
  return bytes;
}

// The value of the next block, inflated.
std::string next_value(Cursor& blocks) {
  const size_t size = blocks.length("bytes");
  if (size > most_bytes) throw corrupt(blocks.name, "a value of more than 256 MiB");
  z_stream stream{};
  if (inflateInit(&stream) != Z_OK) throw Error(Exit::resources, "zlib has no memory");
  const std::unique_ptr<z_stream, int (*)(z_stream*)> end(&stream, inflateEnd);
  std::string value(size, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(blocks.rest.data()));
  stream.avail_in = static_cast<uInt>(blocks.rest.size());
  stream.next_out = reinterpret_cast<Bytef*>(value.data());
  stream.avail_out = static_cast<uInt>(size);
  const int status = inflate(&stream, Z_FINISH);
  if (status != Z_STREAM_END || stream.avail_out > 0)
    throw corrupt(blocks.name, stream.msg ? std::string("zlib says: ") + stream.msg
                                          : "a value is not as long as it says");
  blocks.bytes(stream.total_in);
  return value;
}

void add_line(std::string& text, std::string_view line, const std::string& name, int64_t most) {
  if (std::ssize(text) + std::ssize(line) >= most)
    throw Error(Exit::data,
                name + " has more text than the " + std::to_string(most) + " bytes it must have");
  (text += line) += '\n';
}

void add_vector(std::string& text, Cursor value, int64_t most) {
  if (value.bytes(2) != "X\n" || value.integer() != 3)
    throw corrupt(value.name, "a value is not serialised as XDR, version 3");
  value.bytes(8);                      // the versions of R that wrote it and that can read it
  value.bytes(value.length("bytes"));  // the encoding
  if ((value.integer() & 0xff) != character_vector_type) return;
  if (!text.empty()) add_line(text, "", value.name, most);
  for (size_t left = value.length("strings"); left > 0; --left) {
    if ((value.integer() & 0xff) != string_type)
      throw corrupt(value.name, "what should be a string is none");
    const int32_t size = value.integer();
    if (size < -1) throw corrupt(value.name, "a negative number of bytes");
    add_line(text, size < 0 ? "NA" : value.bytes(static_cast<size_t>(size)), value.name, most);
  }
}
}  // namespace

std::string rdb_text(const std::filesystem::path& file, const std::string& name, int64_t most) {
  const std::string bytes = read_bytes(file, name);
  std::string text;
  for (Cursor blocks{bytes, name}; !blocks.rest.empty();) {
    const std::string value = next_value(blocks);
    add_vector(text, {value, name}, most);
  }
  return text;
}

}  // namespace weft::datasets
