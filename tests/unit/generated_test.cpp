// Pages made from the nodes and the language are committed; this proves them fresh.
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "framework/language/fragment_files.h"
#include "framework/print/describe.h"
#include "framework/print/schema.h"
#include "tests/support/lone_node.h"

namespace weft::tests {
namespace {

std::string committed(const std::string& path) {
  std::ifstream file(std::string(SOURCE_DIR) + "/" + path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

TEST(Generated, ReferencePageIsFresh) {
  EXPECT_TRUE(committed("docs/nodes.md") ==
              reference_page(standard_nodes()) +
                  reference_of_fragments(plugin_fragments(standard_nodes())))
      << "docs/nodes.md is stale: run ./dev docs";
}

TEST(Generated, LanguagePageIsFresh) {
  EXPECT_TRUE(committed("docs/language.md") == language_page())
      << "docs/language.md is stale: run ./dev docs";
}

TEST(Generated, SchemaIsFresh) {
  EXPECT_TRUE(committed("pipelines/schema.json") ==
              pipeline_schema(standard_nodes(), fragment_names(standard_nodes())))
      << "pipelines/schema.json is stale: run ./dev docs";
}

}  // namespace
}  // namespace weft::tests
