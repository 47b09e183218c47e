// What shells and the manual page are told of the commands.
#include "framework/cli/completion.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "framework/cli/command_tree.h"
#include "framework/cli/manual.h"
#include "tests/support/program.h"

namespace weft::tests {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsSupersetOf;
using Words = std::vector<std::string>;

class Complete : public testing::Test {
 protected:
  Words words(const Words& typed) const {
    Words found;
    for (const auto& word : cli::complete(*tree_, typed).words) found.push_back(word.text);
    return found;
  }
  bool files(const Words& typed) const { return cli::complete(*tree_, typed).files; }

  Exit exit_ = Exit::done;
  std::string typed_ = "weft";
  std::unique_ptr<CLI::App> tree_ = cli::command_tree(exit_, typed_);
};

TEST_F(Complete, Commands) {
  EXPECT_THAT(words({"tra"}), ElementsAre("train"));
  EXPECT_THAT(words({"data", ""}), ElementsAre("list", "fetch", "info", "verify"));
  EXPECT_THAT(words({""}), IsSupersetOf({"train", "evaluate", "new"}));
  EXPECT_THAT(words({"nowhere", "to"}), ElementsAre());
}

TEST_F(Complete, Values) {
  EXPECT_THAT(words({"train", "va"}), ElementsAre("vae", "vae_conv", "vae_gan", "vae_pretrained"));
  EXPECT_THAT(words({"graph", "--section", "e"}), ElementsAre("evaluate"));
  EXPECT_THAT(words({"train", "--overwrite", "--progress", ""}),
              ElementsAre("auto", "bar", "plain", "none"));
  EXPECT_THAT(words({"data", "fetch", "fa"}), ElementsAre("fashion_mnist"));
  EXPECT_THAT(words({"nodes", "transformer"}), ElementsAre("transformer_block"));
  EXPECT_THAT(words({"train", "--steps", ""}), ElementsAre());
  EXPECT_THAT(words({"train", "vae", "--resume", ""}), ElementsAre("auto", "last", "best"));
  EXPECT_THAT(words({"evaluate", "run", "--checkpoint", "b"}), ElementsAre("best"));
}

TEST_F(Complete, Files) {
  EXPECT_TRUE(files({"train", ""}));
  EXPECT_TRUE(files({"evaluate", "runs/"}));
  EXPECT_TRUE(files({"graph", "vae", "-o", ""}));
  EXPECT_FALSE(files({"train", "--steps", ""}));
  EXPECT_FALSE(files({"train", "vae", ""}));
  EXPECT_FALSE(files({"nodes", ""}));
  EXPECT_FALSE(files({"train", "vae", "--set", ""}));
  EXPECT_FALSE(files({"train", "vae", "--resume", ""}));
}

TEST_F(Complete, EveryOptionOfEveryCommandAndTheManualHasThem) {
  const std::string manual = cli::manual(*tree_);
  const auto visit = [&](auto& self, const CLI::App& command, Words typed) -> void {
    typed.push_back("--");
    const Words offered = words(typed);
    for (const CLI::Option* option : command.get_options())
      for (const std::string& name : option->get_lnames()) {
        EXPECT_THAT(offered, Contains("--" + name)) << command.get_name();
        std::string escaped = "\\-\\-";
        for (const char c : name) escaped += c == '-' ? "\\-" : std::string(1, c);
        EXPECT_NE(manual.find(escaped), std::string::npos) << escaped;
      }
    for (const CLI::App* further : command.get_subcommands({})) {
      typed.back() = further->get_name();
      self(self, *further, typed);
      EXPECT_NE(manual.find(further->get_name()), std::string::npos) << further->get_name();
    }
  };
  visit(visit, *tree_, {});
}

TEST(Completion, OfBash) {
  const std::string script =
      "PATH=" + program("").string() +
      ":$PATH; . " SOURCE_DIR
      "/framework/package/completion.bash; COMP_WORDS=(weft train --progress b) "
      "COMP_CWORD=3; _weft; echo \"${COMPREPLY[@]}\"";
  EXPECT_EQ(run({{"/bin/bash", "-c", script}}).out, "bar\n");
}

}  // namespace
}  // namespace weft::tests
