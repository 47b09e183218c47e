#include "framework/cli/data_file.h"

#include <openssl/evp.h>
#include <zlib.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <memory>
#include <system_error>

namespace weft::data {

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

std::string sha256(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) throw Error(Exit::data, "cannot open " + file.string() + ": " + std::strerror(errno));
  const std::unique_ptr<EVP_MD_CTX, Close> digest(EVP_MD_CTX_new());
  if (!digest || EVP_DigestInit_ex(digest.get(), EVP_sha256(), nullptr) != 1)
    throw Error(Exit::internal, "the crypto library has no SHA-256");
  std::string buffer(chunk, '\0');
  while (in) {
    in.read(buffer.data(), std::ssize(buffer));
    EVP_DigestUpdate(digest.get(), buffer.data(), static_cast<size_t>(in.gcount()));
  }
  if (in.bad())
    throw Error(Exit::data, "cannot read " + file.string() + ": " + std::strerror(errno));
  unsigned char sum[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  EVP_DigestFinal_ex(digest.get(), sum, &size);
  std::string text;
  for (unsigned i = 0; i < size; ++i) {
    text += "0123456789abcdef"[sum[i] >> 4];
    text += "0123456789abcdef"[sum[i] & 15];
  }
  return text;
}

std::string fault(const std::filesystem::path& folder, const File& file, bool checksum) {
  const std::filesystem::path path = folder / file.name;
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error)) return "is missing";
  const auto size = static_cast<int64_t>(std::filesystem::file_size(path, error));
  if (size != file.bytes) return "has " + bytes_text(size) + ", not " + std::to_string(file.bytes);
  if (!checksum) return "";
  const std::string sum = sha256(path);
  return sum == file.sha256 ? "" : "has the SHA-256 " + sum + ", not " + file.sha256;
}

void extract(const std::filesystem::path& from, const std::filesystem::path& to, const File& file) {
  const std::string place = "`" + file.from + "` of the package";
  if (!std::filesystem::is_regular_file(std::filesystem::symlink_status(from)))
    throw Error(Exit::data, place + " is missing");
  const std::unique_ptr<gzFile_s, Close> in(gzopen(from.c_str(), "rb"));
  if (!in) throw Error(Exit::data, "cannot open " + place + ": " + std::strerror(errno));
  if (file.gunzip && gzdirect(in.get())) throw Error(Exit::data, place + " is not a gzip file");
  std::ifstream plain(from, std::ios::binary);
  std::ofstream out(to, std::ios::binary);
  std::string buffer(chunk, '\0');
  for (int64_t left = file.bytes; out;) {
    int64_t got = 0;
    if (file.gunzip)
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
  out.close();
  if (!out)
    throw Error(Exit::resources, "cannot write " + to.string() + ": " + std::strerror(errno));
}

}  // namespace weft::data
