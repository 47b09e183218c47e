#include "framework/plugin/stamp.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "framework/plugin/elf_file.h"

namespace weft {
namespace {

constexpr std::string_view section_name(".weft\0", 6);

PluginStamp find_stamp(const ElfFile& file) {
  for (const Elf64_Shdr& section : file.sections()) {
    std::array<char, section_name.size()> name;
    const uint64_t at = file.name_of(section);
    if (section.sh_type != SHT_PROGBITS || !file.holds(at, name.size())) continue;
    file.read(at, name.data(), name.size());
    if (std::string_view(name.data(), name.size()) != section_name) continue;
    PluginStamp stamp{};
    const uint64_t count = std::min<uint64_t>(section.sh_size, sizeof stamp);
    if (!file.holds(section.sh_offset, count)) file.truncated(section.sh_offset + count);
    file.read(section.sh_offset, &stamp, count);
    if (std::memcmp(stamp.magic, "weftplug", sizeof stamp.magic) == 0) return stamp;
  }
  file.refuse("is not a weft plugin");
}

// Is it printable text that ends within its array?
template <size_t N>
bool is_text(const char (&text)[N]) {
  const char* const end = std::find(text, text + N, '\0');
  return end != text && end != text + N &&
         std::all_of(text, end, [](char c) { return c >= ' ' && c <= '~'; });
}

std::vector<std::string> parts(std::string_view build) {
  std::vector<std::string> all;
  while (true) {
    const size_t bar = build.find(" | ");
    all.emplace_back(build.substr(0, bar));
    if (bar == std::string_view::npos) return all;
    build.remove_prefix(bar + 3);
  }
}

void check_build(const ElfFile& file, const std::string& theirs, const std::string& ours) {
  if (theirs == ours) return;
  const std::vector<std::string> a = parts(theirs), b = parts(ours);
  const size_t i = std::mismatch(a.begin(), a.end(), b.begin(), b.end()).first - a.begin();
  file.refuse("was built with " + (i < a.size() ? a[i] : "nothing") + ", this weft with " +
              (i < b.size() ? b[i] : "nothing") + ": rebuild it against this weft (it is `" +
              theirs + "`, this is `" + ours + "`)");
}

}  // namespace

PluginStamp read_stamp(const std::filesystem::path& path) {
  static_assert(std::endian::native == std::endian::little);
  const ElfFile file(path);
  const PluginStamp stamp = find_stamp(file);
  if (stamp.abi != plugin_abi)
    file.refuse("has the plugin ABI " + std::to_string(stamp.abi) + ", this weft has " +
                std::to_string(plugin_abi) + ": rebuild it against this weft");
  if (stamp.size != sizeof stamp || !is_text(stamp.name) || !is_text(stamp.version) ||
      !is_text(stamp.build))
    file.refuse("has a damaged stamp: rebuild it");
  check_build(file, stamp.build, build_string());
  return stamp;
}

}  // namespace weft
