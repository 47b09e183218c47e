#include "framework/plugin/loader.h"

#include <dlfcn.h>
#include <elf.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <random>

#include "framework/node/host.h"
#include "framework/plugin/probe.h"
#include "framework/plugin/stamp.h"

namespace weft {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

fs::path fixture(const std::string& name) {
  return fs::path(FIXTURES) / (name + ".so");
}

class Plugins : public testing::Test {
 protected:
  Plugins() {
    std::string name = testing::TempDir() + "weft_plugins_XXXXXX";
    dir = fs::canonical(mkdtemp(name.data()));
    std::ifstream in(fixture("good"), std::ios::binary);
    good.assign(std::istreambuf_iterator<char>(in), {});
  }
  ~Plugins() override { fs::remove_all(dir); }

  fs::path write(const std::string& name, const std::string& bytes) const {
    std::ofstream(dir / name, std::ios::binary) << bytes;
    return dir / name;
  }
  // The good plugin with another stamp.
  template <class Change>
  fs::path stamped(const std::string& name, Change change) const {
    const size_t at = good.find("weftplug");
    PluginStamp stamp;
    std::memcpy(&stamp, &good[at], sizeof stamp);
    change(stamp);
    std::string bytes = good;
    std::memcpy(&bytes[at], &stamp, sizeof stamp);
    return write(name, bytes);
  }
  Elf64_Ehdr header() const {
    Elf64_Ehdr header;
    std::memcpy(&header, good.data(), sizeof header);
    return header;
  }

  fs::path dir;
  std::string good;  // the bytes of a plugin without fault
};

template <class Work>
std::string refusal(Work work) {
  try {
    work();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Exit::plugin) << error.what();
    return error.what();
  }
  return "";
}

std::string stamp_refusal(const fs::path& file) {
  return refusal([&] { read_stamp(file); });
}

std::string load_refusal(const std::vector<PluginPath>& others) {
  return refusal([&] { load_plugins({.others = others, .patience = std::chrono::seconds(1)}); });
}

TEST_F(Plugins, LoadAndMakeNodes) {
  const Registry registry = load_plugins({.others = {{fixture("good")}}});
  EXPECT_THAT(registry.names(), ElementsAre("good"));
  EXPECT_EQ(registry.find("good")->plugin, "good");
  EXPECT_EQ(registry.find("good")->file, fs::canonical(fixture("good")));
  EXPECT_EQ(registry.plugin("good")->version, "1.0");
  EXPECT_EQ(registry.make("good")->host().ins.size(), 1U);
  EXPECT_EQ(registry.find("goof"), nullptr);
  try {
    registry.make("goof");
    ADD_FAILURE() << "made a node that no plugin has";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Exit::usage);
    EXPECT_STREQ(error.what(), "no plugin has a node `goof` (did you mean `good`?)");
  }
}

TEST_F(Plugins, LoadOneFileOnce) {
  fs::copy(fixture("good"), dir / "good.so");
  fs::create_symlink(dir / "good.so", dir / "link.so");
  write("notes.txt", "not a plugin, and not named like one");
  const PluginPath again{dir / "." / "good.so"};
  const Registry registry = load_plugins({.standard = dir, .others = {{dir}, again}});
  EXPECT_EQ(registry.plugins().size(), 1U);
}

TEST_F(Plugins, AreSoughtInThisOrder) {
  setenv("WEFT_PLUGIN_PATH", "/first::/second/x.so", 1);
  const PluginSearch search = plugin_search({{"/third", {"vae.yaml", 3, 12}}});
  unsetenv("WEFT_PLUGIN_PATH");
  const fs::path home = fs::read_symlink("/proc/self/exe").parent_path();
  EXPECT_EQ(search.standard, home.parent_path() / "lib/weft/plugins");
  ASSERT_EQ(search.others.size(), 3U);
  EXPECT_EQ(search.others[0].path, "/first");
  EXPECT_EQ(search.others[1].path, "/second/x.so");
  EXPECT_EQ(search.others[2].path, "/third");
  EXPECT_THAT(load_refusal({search.others[0]}), "WEFT_PLUGIN_PATH: /first does not exist");
  EXPECT_THAT(load_refusal({search.others[2]}), "vae.yaml:3:12: /third does not exist");
}

TEST_F(Plugins, RefuseWhatIsNoPlugin) {
  EXPECT_EQ(stamp_refusal("/no/such.so"), "/no/such.so does not exist");
  EXPECT_EQ(stamp_refusal(dir), dir.string() + " is not a file");
  ASSERT_EQ(mkfifo((dir / "pipe.so").c_str(), 0600), 0);
  EXPECT_THAT(stamp_refusal(dir / "pipe.so"), HasSubstr("pipe.so is not a file"));
  EXPECT_THAT(stamp_refusal(write("text.so",
                                  "I am a text, and longer than the header of any file "
                                  "that the loader takes.")),
              HasSubstr("text.so is not a shared library"));
  EXPECT_THAT(stamp_refusal(NO_PLUGIN), HasSubstr(" is not a weft plugin"));
}

TEST_F(Plugins, RefuseOneWithoutEntry) {
  std::string bytes = good;
  for (size_t at = 0; (at = bytes.find("weft_plugin_1_nodes", at)) != std::string::npos;)
    bytes[at] = 'W';
  const fs::path file = write("shut.so", bytes);
  EXPECT_EQ(load_refusal({{file}}), file.string() + " is not a weft plugin: it has no entry");
}

TEST_F(Plugins, RefuseAnotherMachine) {
  std::string bytes = good;
  bytes[offsetof(Elf64_Ehdr, e_machine)] = static_cast<char>(EM_AARCH64);
  EXPECT_THAT(stamp_refusal(write("arm.so", bytes)), HasSubstr("arm.so is for another machine"));
}

TEST_F(Plugins, RefuseAnotherAbi) {
  const fs::path file =
      stamped("old.so", [](PluginStamp& stamp) { stamp.abi = 99, stamp.size = 8; });
  EXPECT_EQ(stamp_refusal(file), file.string() + " has the plugin ABI 99, this weft has " +
                                     std::to_string(plugin_abi) + ": rebuild it against this weft");
}

TEST_F(Plugins, RefuseAnotherBuild) {
  const fs::path file = stamped("other.so", [](PluginStamp& stamp) {
    char* const standard = std::strstr(stamp.build, "C++20") + std::strlen("C++");
    standard[0] = '9';
  });
  EXPECT_THAT(stamp_refusal(file),
              AllOf(StartsWith(file.string() + " was built with C++90"),
                    HasSubstr(", this weft with C++20"), HasSubstr(build_string()),
                    HasSubstr(": rebuild it against this weft")));
}

TEST_F(Plugins, RefuseADamagedStamp) {
  const auto damaged = HasSubstr("has a damaged stamp");
  const auto with = [this](auto change) { return stamp_refusal(stamped("x.so", change)); };
  EXPECT_THAT(with([](PluginStamp& s) { s.size = 8; }), damaged);
  EXPECT_THAT(with([](PluginStamp& s) { s.name[0] = '\0'; }), damaged);
  EXPECT_THAT(with([](PluginStamp& s) { s.version[0] = '\033'; }), damaged);
  EXPECT_THAT(with([](PluginStamp& s) { std::ranges::fill(s.build, 'x'); }), damaged);
  EXPECT_THAT(with([](PluginStamp& s) { s.magic[0] = 'W'; }), HasSubstr("is not a weft plugin"));
  EXPECT_THAT(load_refusal({{stamped("x.so", [](PluginStamp& s) { s.name[0] = 'G'; })}}),
              HasSubstr("has the name `Good`"));
}

TEST_F(Plugins, RefuseATruncatedFile) {
  for (size_t length = 0; length < good.size(); length += length < 256 ? 1 : 97) {
    const fs::path file = write("short.so", good.substr(0, length));
    ASSERT_THAT(load_refusal({{file}}), StartsWith(file.string() + " is truncated: it has " +
                                                   std::to_string(length) + " bytes of "));
  }
}

// Bytes of the ELF header, the program headers or the section headers become others.
TEST_F(Plugins, SurviveHostileHeaders) {
  const Elf64_Ehdr elf = header();
  std::vector<size_t> places;
  const auto add = [&](size_t begin, size_t count) {
    for (size_t i = begin; i < begin + count; ++i) places.push_back(i);
  };
  add(0, sizeof elf);
  add(elf.e_phoff, elf.e_phnum * sizeof(Elf64_Phdr));
  add(elf.e_shoff, elf.e_shnum * sizeof(Elf64_Shdr));
  int refused = 0, tried = 0;
  for (unsigned seed = 0; seed < 2000; ++seed) {
    std::mt19937 random(seed);
    std::string bytes = good;
    for (unsigned flips = 1 + random() % 8; flips > 0; --flips)
      bytes[places[random() % places.size()]] = static_cast<char>(random() % 3 ? random() : 0xff);
    const fs::path file = write("hostile.so", bytes);
    const std::string why = stamp_refusal(file);
    refused += !why.empty();
    if (!why.empty() || ++tried > 200) continue;
    const auto load = [&](const Stage&) {
      dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
      return std::string();
    };
    refusal([&] { probe("hostile.so", load, std::chrono::seconds(1)); });
  }
  EXPECT_GT(refused, 200);
  EXPECT_GT(tried, 200);
}

TEST_F(Plugins, SurviveWhatHappensAtLoad) {
  const auto told = [](const char* name) { return load_refusal({{fixture(name)}}); };
  const auto file = [](const char* name) { return fs::canonical(fixture(name)).string(); };
  EXPECT_THAT(told("undefined"),
              AllOf(StartsWith(file("undefined") + " cannot be loaded: undefined symbol: "),
                    HasSubstr("nobody_defines_this")));
  EXPECT_EQ(told("throws"), file("throws") + " throws while it is loaded: no such device");
  EXPECT_EQ(told("aborts"), file("aborts") + " crashes (Aborted) while it is loaded");
  EXPECT_EQ(told("exits"), file("exits") + " ends the process (exit code 0) while it is loaded");
  EXPECT_EQ(told("hangs"), file("hangs") + " hangs (1000 ms were not enough) while it is loaded");
}

TEST_F(Plugins, SurviveANodeThatCannotBeMade) {
  const std::string thrower = fs::canonical(fixture("make_throws")).string() +
                              ": the node `thrower` throws when it is made: the table is empty";
  EXPECT_EQ(load_refusal({{fixture("make_throws")}}), thrower);
  EXPECT_EQ(load_refusal({{fixture("make_crashes")}}),
            fs::canonical(fixture("make_crashes")).string() +
                " crashes (Segmentation fault) while its node `crasher` is made");

  fs::copy(fixture("make_throws"), dir / "standard.so");  // not tried when it is loaded
  const Registry registry = load_plugins({.standard = dir});
  EXPECT_THAT(refusal([&] { registry.make("thrower"); }),
              AllOf(StartsWith((dir / "standard.so").string()), HasSubstr("the table is empty")));
}

TEST_F(Plugins, RefuseOneWithoutRtti) {
  EXPECT_THAT(load_refusal({{fixture("no_rtti")}}),
              HasSubstr(" -fno-rtti, this weft with C++20 cxx11abi: rebuild it"));
  EXPECT_THAT(load_refusal({{fixture("half_rtti")}}),
              HasSubstr("crashes (Segmentation fault) while it is asked what its node `good` is: "
                        "was it built with -fno-rtti?"));
}

TEST_F(Plugins, RefuseOneWithoutNodes) {
  EXPECT_EQ(load_refusal({{fixture("empty")}}),
            fs::canonical(fixture("empty")).string() +
                " has no node: weft_plugin() must name the files that end with WEFT_NODE");
}

TEST_F(Plugins, RefuseTwoOfOneName) {
  fs::copy(fixture("good"), dir / "a.so");
  fs::copy(fixture("good"), dir / "b.so");
  EXPECT_EQ(load_refusal({{dir}}), "two plugins have the name `good`, " + (dir / "a.so").string() +
                                       " and " + (dir / "b.so").string() + ": keep one");
}

TEST_F(Plugins, RefuseTwoNodesOfOneName) {
  fs::copy(fixture("good"), dir / "a.so");
  fs::copy(fixture("twin"), dir / "b.so");
  EXPECT_EQ(load_refusal({{dir}}), "two plugins have the node `good`, " + (dir / "a.so").string() +
                                       " and " + (dir / "b.so").string() + ": keep one");
}

TEST_F(Plugins, RefuseNodesThatCannotBe) {
  NodeKind kind{"ring", "", "", [] { return std::unique_ptr<Node>(); }};
  Registry registry;
  EXPECT_THAT(refusal([&] { registry.add({"a", "1", "a.so"}, &kind); }), IsEmpty());
  EXPECT_EQ(refusal([&] { registry.make("ring"); }),
            "a.so: the node `ring` is null when it is made");
  NodeKind first{"ping", "", "", kind.make},
      second{"pong", "", "", kind.make, false, false, &first};
  first.next = &second;
  EXPECT_EQ(refusal([&] {
              registry.add({"b", "1", "b.so"}, &first);
            }),
            "b.so has the node `ping` twice");
}

TEST_F(Plugins, TakeNoNodeOfOneThatIsRefused) {
  NodeKind old{"old", "", "", [] { return std::unique_ptr<Node>(); }},
      again = old, fresh{"fresh", "", "", old.make, false, false, &again};
  Registry registry;
  registry.add({"a", "1", "a.so"}, &old);
  EXPECT_EQ(refusal([&] {
              registry.add({"b", "1", "b.so"}, &fresh);
            }),
            "two plugins have the node `old`, a.so and b.so: keep one");
  EXPECT_THAT(registry.names(), ElementsAre("old"));
  EXPECT_EQ(registry.plugins().size(), 1U);
}

TEST_F(Plugins, AreFoundOneByOne) {
  fs::copy(fixture("good"), dir / "good.so");
  const fs::path text = write("text.so", "no plugin");
  const PluginsFound found({.standard = dir, .others = {{"/nowhere"}, {dir / "good.so"}}});
  EXPECT_THAT(found.registry.names(), ElementsAre("good"));
  ASSERT_EQ(found.places.size(), 3U);
  EXPECT_EQ(found.places[0].files[0].name, "good");
  EXPECT_FALSE(found.places[0].files[0].refusal);
  EXPECT_THAT(found.places[0].files[1].refusal->sentence(), StartsWith(text.string()));
  EXPECT_THAT(found.places[1].files[0].refusal->sentence(), HasSubstr("does not exist"));
  EXPECT_EQ(found.places[2].files[0].copy_of, dir / "good.so");
}

TEST_F(Plugins, AreAllNamedThatAreRefused) {
  fs::copy(fixture("good"), dir / "good.so");
  write("empty.so", "");
  write("text.so", "no plugin");
  try {
    load_plugins({.standard = dir / "nowhere", .others = {{dir}}});
    ADD_FAILURE() << "loaded broken plugins";
  } catch (const Errors& errors) {
    EXPECT_EQ(errors.code(), Exit::plugin);
    ASSERT_EQ(errors.all().size(), 3U);
    EXPECT_THAT(errors.all()[0].sentence(), HasSubstr("nowhere does not exist"));
    EXPECT_THAT(errors.all()[1].sentence(), HasSubstr("empty.so is truncated"));
    EXPECT_THAT(errors.all()[2].sentence(), HasSubstr("text.so is not a shared library"));
  }
}

}  // namespace
}  // namespace weft
