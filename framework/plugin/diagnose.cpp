#include "framework/plugin/diagnose.h"

#include <cxxabi.h>
#include <link.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <memory>
#include <set>
#include <sstream>

#include "framework/node/error.h"
#include "framework/plugin/elf_file.h"
#include "framework/plugin/loader.h"

namespace weft {
namespace fs = std::filesystem;
namespace {

constexpr const char* linker = "/lib64/ld-linux-x86-64.so.2";  // the ABI of x86-64 says so

// What the linker says as it resolves a file without running it, as `ldd -r` asks it to.
std::string ask_linker(const fs::path& file) {
  int ends[2];
  if (pipe(ends) != 0) return "";
  const std::string ours = (installation() / "lib/weft").string();
  const pid_t child = fork();
  if (child == 0) {
    dup2(ends[1], STDOUT_FILENO);
    dup2(ends[1], STDERR_FILENO);
    const char* others = std::getenv("LD_LIBRARY_PATH");
    setenv("LD_LIBRARY_PATH", (others ? ours + ":" + others : ours).c_str(), 1);
    for (const char* key : {"LD_TRACE_LOADED_OBJECTS", "LD_WARN", "LD_BIND_NOW"})
      setenv(key, "1", 1);
    execl(linker, linker, file.c_str(), nullptr);
    _exit(127);
  }
  close(ends[1]);
  std::string said;
  char buffer[4096];
  for (ssize_t got; (got = read(ends[0], buffer, sizeof buffer)) > 0;)
    said.append(buffer, static_cast<size_t>(got));
  close(ends[0]);
  if (child > 0) waitpid(child, nullptr, 0);
  return said;
}

std::string demangled(const std::string& symbol) {
  const std::unique_ptr<char, void (*)(void*)> name(
      abi::__cxa_demangle(symbol.c_str(), nullptr, nullptr, nullptr), std::free);
  return name ? name.get() : symbol;
}

// Where the libraries of this process lie.
std::set<fs::path> library_folders() {
  std::set<fs::path> folders;
  const auto add = [](dl_phdr_info* info, size_t, void* into) {
    const fs::path folder = fs::path(info->dlpi_name).parent_path();
    std::error_code missing;
    if (!folder.empty())
      static_cast<decltype(folders)*>(into)->insert(fs::canonical(folder, missing));
    return 0;
  };
  dl_iterate_phdr(add, &folders);
  return folders;
}

// The libraries of this system that have these symbols: the first of each.
std::map<std::string, std::string> find_owners(const std::set<std::string>& symbols) {
  std::set<fs::path> files, seen;
  for (const fs::path& folder : library_folders()) {
    std::error_code unreadable;
    for (const auto& entry : fs::directory_iterator(folder, unreadable))
      if (entry.path().filename().string().find(".so") != std::string::npos)
        files.insert(entry.path());
  }
  std::map<std::string, std::string> owners;
  for (const fs::path& file : files) {
    std::error_code missing;
    if (!seen.insert(fs::canonical(file, missing)).second) continue;
    try {
      for (const std::string& name : ElfFile(file).exports())
        if (symbols.contains(name)) owners.try_emplace(name, file.filename().string());
    } catch (const Error&) {  // a linker's script, or of another machine
    }
  }
  return owners;
}

// Removes the symbols that this program and the libraries it is linked with give to every plugin.
void remove_given(std::set<std::string>& symbols) {
  std::error_code unreadable;
  const fs::path program = fs::read_symlink("/proc/self/exe", unreadable);
  std::vector<fs::path> files{program};
  std::istringstream said(ask_linker(program));
  for (std::string line; std::getline(said, line);)
    if (const size_t at = line.find("=> /"), end = line.rfind(" ("); end != std::string::npos)
      if (at < end) files.push_back(line.substr(at + 3, end - at - 3));
  for (const fs::path& file : files) {
    try {
      for (const std::string& name : ElfFile(file).exports()) symbols.erase(name);
    } catch (const Error&) {  // a program that is no shared object gives none
    }
  }
}

void add(std::string& sentence, const std::string& words) {
  sentence += (sentence.empty() ? "" : "; ") + words;
}

std::string list(const std::vector<std::string>& names) {
  constexpr size_t most = 5;
  std::string text;
  for (size_t i = 0; i < std::min(names.size(), most); ++i)
    text += (i ? ", `" : "`") + names[i] + "`";
  return names.size() > most ? text + " and " + std::to_string(names.size() - most) + " more"
                             : text;
}

}  // namespace

Missing lacks(const fs::path& file) {
  Missing all;
  std::set<std::string> symbols;
  std::istringstream said(ask_linker(file));
  for (std::string line; std::getline(said, line);) {
    constexpr std::string_view symbol = "undefined symbol: ", library = " => not found";
    if (const size_t at = line.find(symbol); at != std::string::npos) {
      const size_t begin = at + symbol.size();
      symbols.insert(line.substr(begin, line.find_first_of("\t (,", begin) - begin));
    } else if (line.ends_with(library)) {
      const size_t begin = line.find_first_not_of(" \t");
      all.libraries.push_back(line.substr(begin, line.size() - library.size() - begin));
    }
  }
  if (!symbols.empty()) remove_given(symbols);
  const auto owners = symbols.empty() ? std::map<std::string, std::string>() : find_owners(symbols);
  for (const std::string& name : symbols) {
    const auto owner = owners.find(name);
    all.symbols.push_back({demangled(name), owner == owners.end() ? "" : owner->second});
  }
  return all;
}

std::string in_words(const Missing& missing) {
  std::string sentence;
  for (const std::string& library : missing.libraries)
    add(sentence, library + " is not here: install it, or name its folder in LD_LIBRARY_PATH");
  std::vector<std::string> ours, nobodys;
  std::map<std::string, std::vector<std::string>> theirs;
  for (const auto& [name, library] : missing.symbols)
    (!library.empty()             ? theirs[library]
     : name.starts_with("weft::") ? ours
                                  : nobodys)
        .push_back(name);
  for (const auto& [library, names] : theirs)
    add(sentence, list(names) + (names.size() == 1 ? " is in " : " are in ") + library +
                      ": name it behind LIBRARIES of weft_plugin()");
  if (!ours.empty())
    add(sentence, "this weft has no " + list(ours) + ": build it against this weft");
  if (!nobodys.empty())
    add(sentence, "no library here has " + list(nobodys) +
                      ": name what has it behind LIBRARIES of weft_plugin(), or write it");
  return sentence;
}

}  // namespace weft
