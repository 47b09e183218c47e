#include "framework/datasets/files.h"

#include <fnmatch.h>
#include <openssl/evp.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <memory>
#include <system_error>
#include <vector>

#include "framework/datasets/rdb.h"

namespace weft::datasets {

namespace {
constexpr size_t chunk = 1 << 20;

std::string bytes_text(int64_t n) {
  return std::to_string(n) + (n == 1 ? " byte" : " bytes");
}

struct Close {
  void operator()(gzFile file) const { gzclose(file); }
  void operator()(EVP_MD_CTX* digest) const { EVP_MD_CTX_free(digest); }
};
}  // namespace

namespace {
class Digest {
 public:
  Digest() : context_(EVP_MD_CTX_new()) {
    if (!context_ || EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) != 1)
      throw Error(Exit::internal, "the crypto library has no SHA-256");
  }
  void add(std::string_view bytes) { EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()); }
  std::string text() {
    unsigned char sum[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    EVP_DigestFinal_ex(context_.get(), sum, &size);
    std::string text;
    for (unsigned i = 0; i < size; ++i) {
      text += "0123456789abcdef"[sum[i] >> 4];
      text += "0123456789abcdef"[sum[i] & 15];
    }
    return text;
  }

 private:
  std::unique_ptr<EVP_MD_CTX, Close> context_;
};

namespace fs = std::filesystem;

// The paths of the regular files below a folder that match `only`: relative to it, and sorted.
std::vector<std::string> files_below(const fs::path& folder, const std::string& only) {
  std::vector<std::string> files;
  std::error_code error;
  for (fs::recursive_directory_iterator at(folder, error), end; !error && at != end;
       at.increment(error)) {
    const std::string path = at->path().lexically_relative(folder).generic_string();
    if (fs::is_regular_file(at->symlink_status()) && fnmatch(only.c_str(), path.c_str(), 0) == 0)
      files.push_back(path);
  }
  std::sort(files.begin(), files.end());
  return files;
}

int64_t bytes_below(const fs::path& folder, const std::vector<std::string>& files) {
  int64_t bytes = 0;
  for (const std::string& file : files) bytes += static_cast<int64_t>(fs::file_size(folder / file));
  return bytes;
}

std::string fault_of_folder(const fs::path& folder, const File& file, bool checksum) {
  const auto files = files_below(folder, file.only);
  if (files.empty()) return "is missing";
  if (std::ssize(files) != file.count)
    return "has " + std::to_string(files.size()) + " files, not " + std::to_string(file.count);
  const int64_t bytes = bytes_below(folder, files);
  if (bytes != file.bytes)
    return "has " + bytes_text(bytes) + ", not " + std::to_string(file.bytes);
  if (!checksum) return "";
  const std::string sum = sha256_of_folder(folder, file.only);
  return sum == file.sha256 ? "" : "has the SHA-256 " + sum + ", not " + file.sha256;
}

void extract_folder(const fs::path& from, const fs::path& to, const File& file) {
  const std::string place = "`" + file.from + "` of the package";
  if (!fs::is_directory(fs::symlink_status(from))) throw Error(Exit::data, place + " is missing");
  const auto files = files_below(from, file.only);
  if (std::ssize(files) != file.count || bytes_below(from, files) != file.bytes)
    throw Error(Exit::data, place + " " + fault_of_folder(from, file, false));
  for (const std::string& each : files) {
    std::error_code error;
    fs::create_directories((to / each).parent_path(), error);
    if (!error) fs::copy_file(from / each, to / each, error);
    if (error)
      throw Error(Exit::resources, "cannot write " + (to / each).string() + ": " + error.message());
  }
}

void copy(const fs::path& from, std::ofstream& out, const std::string& place, const File& file) {
  const bool gunzip = file.extract == Extract::gunzip;
  const std::unique_ptr<gzFile_s, Close> in(gzopen(from.c_str(), "rb"));
  if (!in) throw Error(Exit::data, "cannot open " + place + ": " + std::strerror(errno));
  if (gunzip && gzdirect(in.get())) throw Error(Exit::data, place + " is not a gzip file");
  std::ifstream plain(from, std::ios::binary);
  std::string buffer(chunk, '\0');
  for (int64_t left = file.bytes; out;) {
    int64_t got = 0;
    if (gunzip)
      got = gzread(in.get(), buffer.data(), chunk);
    else
      got = plain.read(buffer.data(), chunk).gcount();
    int code = Z_OK;
    const char* why = gzerror(in.get(), &code);
    if (got < 0 || (code != Z_OK && code != Z_STREAM_END))
      throw Error(Exit::data, place + " is corrupt: " + why);
    if (got == 0) break;
    if (got > left)
      throw Error(Exit::data,
                  place + " is longer than the " + bytes_text(file.bytes) + " it must be");
    out.write(buffer.data(), got);
    left -= got;
  }
}
}  // namespace

std::string sha256(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) throw Error(Exit::data, "cannot open " + file.string() + ": " + std::strerror(errno));
  Digest digest;
  std::string buffer(chunk, '\0');
  while (in) {
    in.read(buffer.data(), std::ssize(buffer));
    digest.add(std::string_view(buffer).substr(0, static_cast<size_t>(in.gcount())));
  }
  if (in.bad())
    throw Error(Exit::data, "cannot read " + file.string() + ": " + std::strerror(errno));
  return digest.text();
}

std::string sha256_of_folder(const std::filesystem::path& folder, const std::string& only) {
  Digest digest;
  for (const std::string& file : files_below(folder, only))
    digest.add(sha256(folder / file) + "  " + file + "\n");
  return digest.text();
}

std::string fault(const std::filesystem::path& folder, const File& file, bool checksum) {
  const std::filesystem::path path = folder / file.name;
  if (file.is_folder()) return fault_of_folder(path, file, checksum);
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error)) return "is missing";
  const auto size = static_cast<int64_t>(std::filesystem::file_size(path, error));
  if (size != file.bytes) return "has " + bytes_text(size) + ", not " + std::to_string(file.bytes);
  if (!checksum) return "";
  const std::string sum = sha256(path);
  return sum == file.sha256 ? "" : "has the SHA-256 " + sum + ", not " + file.sha256;
}

bool whole(const Dataset& set, bool checksum) {
  return std::all_of(set.files.begin(), set.files.end(),
                     [&](const File& file) { return fault(set.folder(), file, checksum).empty(); });
}

void extract(const std::filesystem::path& from, const std::filesystem::path& to, const File& file) {
  if (file.is_folder()) return extract_folder(from, to, file);
  const std::string place = "`" + file.from + "` of the package";
  if (!std::filesystem::is_regular_file(std::filesystem::symlink_status(from)))
    throw Error(Exit::data, place + " is missing");
  std::ofstream out(to, std::ios::binary);
  if (file.extract == Extract::rdb)
    out << rdb_text(from, place, file.bytes);
  else
    copy(from, out, place, file);
  out.close();
  if (!out)
    throw Error(Exit::resources, "cannot write " + to.string() + ": " + std::strerror(errno));
}

}  // namespace weft::datasets
