#include "framework/print/describe.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "framework/language/fragment_files.h"
#include "framework/node/host.h"
#include "framework/node/optimizer.h"
#include "framework/node/source.h"
#include "framework/plugin/loader.h"
#include "framework/print/schema.h"

namespace weft {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

enum class Taste { sweet, sour };
std::vector<std::string> names(Taste) {
  return {"sweet", "sour"};
}

class Stew final : public Node {
  In x{this, "x", "What to cook."};
  In spice{this, "spice", "What to add.", {.dtype = DType::i32, .optional = true}};
  Ins rest{this, "rest", "All else.", {.grad = false}};
  Out y{this, "y", "A meal."};
  Param<int64_t> pots{this, "pots", "How many.", required, within(1, 8)};
  Param<double> heat{this, "heat", "How hot.", 1e-8, scheduled(above(0))};
  Param<Taste> taste{this, "taste", "How it tastes.", Taste::sour};
  Param<std::vector<double>> times{this, "times", "Minutes | hours.", {1, 2.5}, at_least(0)};
  Weight salt{this, "salt", "[pots]"};
  State crust{this, "crust", "Kept."};
  void infer() override {}
  void forward(const Step&) override {}
};

class Fire final : public Optimizer {
  Param<double> lr{this, "lr", "Learning rate.", 0.5};
  Slot ash{this, "ash", "What is left."};
  void update(const Update&) const override {}
};

class Pantry final : public Source {
  Out food{this, "food", "What there is."};
  int64_t open() override { return 1; }
  void load(int64_t, const Row&) const override {}
};

template <class Kind>
std::unique_ptr<Node> make() {
  return std::make_unique<Kind>();
}

Registry kitchen() {
  static const NodeKind pantry{"pantry", "Holds food.", "{batch: 1}", make<Pantry>, false, false};
  static const NodeKind fire{"fire", "Burns.", "{}", make<Fire>, false, false, &pantry};
  static const NodeKind stew{"stew", "Cooks.", "{x: [2, 3], pots: 2}", make<Stew>, false,
                             false,  &fire};
  Registry registry;
  registry.add({"kitchen", "1.2", "/here/kitchen.so"}, &stew);
  return registry;
}

TEST(Describe, ListsKindsByPlugin) {
  EXPECT_EQ(list_kinds(kitchen()),
            "kitchen\n  fire    Burns.\n  pantry  Holds food.\n  stew    Cooks.\n");
}

TEST(Describe, TellsEverythingOfAKind) {
  const std::string stew = describe_kind(kitchen(), "stew");
  for (const char* part :
       {"stew — Cooks.", "plugin kitchen 1.2, /here/kitchen.so",
        "{node: stew, x: …, rest: […, …], pots: …}", "x      f32\n", "spice  i32, optional\n",
        "rest   list of f32, no gradient\n", "integer, 1 to 8; required\n",
        "number or schedule, above 0; 1e-8 if not given\n", "sweet, sour; sour if not given\n",
        "list of numbers, at least 0; [1, 2.5] if not given\n", "weights\n  salt   [pots]\n",
        "states\n  crust  Kept.\n", "{x: [2, 3], pots: 2}"})
    EXPECT_THAT(stew, HasSubstr(part));
  EXPECT_THAT(describe_kind(kitchen(), "fire"), HasSubstr("slots\n  ash  What is left.\n"));
  EXPECT_THAT(describe_kind(kitchen(), "pantry"),
              HasSubstr("A data set, for `data` or beside it."));
}

TEST(Describe, KnowsTheNearName) {
  try {
    describe_kind(kitchen(), "stev");
    FAIL() << "there is no such kind";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Exit::usage);
    EXPECT_THAT(error.what(), HasSubstr("did you mean `stew`?"));
  }
}

TEST(Describe, ThePageHasEveryMemberAndNoPath) {
  const std::string page = reference_page(kitchen());
  EXPECT_THAT(page, HasSubstr("## kitchen"));
  EXPECT_THAT(page, HasSubstr("### stew\n\nCooks."));
  EXPECT_THAT(page, HasSubstr("| param | `pots` | integer, 1 to 8 | required | How many. |"));
  EXPECT_THAT(page, HasSubstr("Minutes \\| hours."));
  EXPECT_THAT(page, HasSubstr("| slot | `ash` |"));
  EXPECT_THAT(page, Not(HasSubstr("/here")));
}

TEST(Schema, DescribesAKind) {
  const json schema = json::parse(pipeline_schema(kitchen(), {}));
  EXPECT_EQ(schema["$defs"]["pipeline"]["additionalProperties"], false);
  const json& stew = schema["$defs"]["node.stew"];
  EXPECT_EQ(stew["additionalProperties"], false);
  EXPECT_EQ(stew["required"], (json{"node", "x", "rest", "pots"}));
  const json& keys = stew["properties"];
  EXPECT_EQ(keys["x"]["$ref"], "#/$defs/reference");
  EXPECT_EQ(keys["pots"]["anyOf"][0], (json{{"type", "integer"}, {"minimum", 1}, {"maximum", 8}}));
  EXPECT_EQ(keys["pots"]["anyOf"][1]["$ref"], "#/$defs/variable");
  EXPECT_FALSE(keys["pots"].contains("default"));
  EXPECT_EQ(keys["heat"]["anyOf"][0]["exclusiveMinimum"], 0);
  EXPECT_EQ(keys["heat"]["anyOf"][2]["$ref"], "#/$defs/schedule");
  EXPECT_EQ(keys["taste"]["anyOf"][0]["enum"], (json{"sweet", "sour"}));
  EXPECT_EQ(keys["taste"]["default"], "sour");
  EXPECT_EQ(keys["times"]["default"], (json{1.0, 2.5}));
  EXPECT_EQ(keys["times"]["description"], "Minutes | hours.");
}

TEST(Schema, EachKindStandsWhereItBelongs) {
  const json definitions = json::parse(pipeline_schema(kitchen(), {}))["$defs"];
  const auto known = [&](const char* place) {
    return definitions[place]["properties"]["node"]["anyOf"][0]["enum"];
  };
  EXPECT_EQ(known("node"), json::array({"stew", "pantry"}));
  EXPECT_EQ(known("optimizer"), json::array({"fire"}));
  EXPECT_EQ(known("data"), json::array({"pantry"}));
}

// Every `$ref` of a schema.
void collect_references(const json& value, std::vector<std::string>& references) {
  if (value.is_object() && value.contains("$ref"))
    references.push_back(value["$ref"].get<std::string>());
  if (value.is_structured())
    for (const json& child : value) collect_references(child, references);
}

TEST(StandardPlugins, AreInThePageAndInTheSchemaWhole) {
  const Registry registry = load_plugins(plugin_search());
  ASSERT_GE(registry.names().size(), 20U);
  const json schema = json::parse(pipeline_schema(registry, {}));
  const std::string page = reference_page(registry);
  for (const std::string& name : registry.names()) {
    const auto node = registry.make(name);
    const json& keys = schema["$defs"]["node." + name]["properties"];
    EXPECT_THAT(page, HasSubstr("\n### " + name + "\n"));
    for (const ParamBase* param : node->host().params) {
      EXPECT_TRUE(keys.contains(param->name)) << name << "." << param->name;
      EXPECT_THAT(describe_kind(registry, name), HasSubstr("\n  " + std::string(param->name)));
    }
    for (const In* port : node->host().ins)
      EXPECT_TRUE(keys.contains(port->name)) << name << port->name;
  }
  std::vector<std::string> references;
  collect_references(schema, references);
  for (const std::string& reference : references)
    EXPECT_TRUE(schema.contains(json::json_pointer(reference.substr(1)))) << reference;
}

TEST(Describe, FragmentsLikeNodes) {
  const auto all = plugin_fragments(load_plugins(plugin_search()));
  const auto mlp =
      std::find_if(all.begin(), all.end(), [](const auto& f) { return f.name == "mlp"; });
  ASSERT_NE(mlp, all.end());
  EXPECT_THAT(list_fragments(all), HasSubstr("\n  mlp "));
  EXPECT_THAT(describe_fragment(*mlp),
              AllOf(HasSubstr("\n  {node: mlp, x: …, widths: …}\n"), HasSubstr("\noutputs\n  y\n"),
                    HasSubstr("relu if not given\n"), HasSubstr("Features of each layer.\n")));
  EXPECT_THAT(reference_of_fragments(all),
              HasSubstr("| param | `activation` |  | relu | After each layer. |\n"));
}

}  // namespace
}  // namespace weft
