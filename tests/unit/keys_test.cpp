// The tables of the language: what they promise of themselves, and that readers keep to them.
#include "framework/language/keys.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <stdexcept>

#include "framework/language/fields.h"

namespace weft::tests {
namespace {

TEST(Grammar, TellsEveryKeyInASentence) {
  std::set<std::string> names;
  for (const Keys* keys : keys::all()) {
    EXPECT_TRUE(names.insert(keys->name).second) << keys->name;
    for (const Key& key : keys->all) {
      EXPECT_TRUE(std::string(key.about).ends_with(".")) << keys->name << "." << key.name;
      for (const char* other : key.value.unless) EXPECT_TRUE(keys->find(other)) << other;
    }
  }
  EXPECT_THAT(names, testing::IsSupersetOf({"pipeline", "module", "phase", "save", "schedule"}));
}

// A default is read as the value of a file would be, so it must be one.
TEST(Grammar, HasDefaultsThatItWouldTake) {
  for (const Keys* keys : keys::all())
    for (const Key& key : keys->all) {
      if (!*key.value.standard) continue;
      Mistakes mistakes;
      const Yaml map = Yaml::map({{key.name, {}, Yaml::scalar(key.value.standard, {})}}, {});
      Fields fields(map, *keys, keys->name, mistakes);
      switch (key.value.alone.value_or(key.value.type)) {
        case Type::integer: fields.integer(key.name); break;
        case Type::number: fields.number(key.name); break;
        case Type::boolean: fields.boolean(key.name); break;
        default: fields.text(key.name);
      }
      EXPECT_TRUE(mistakes.empty()) << keys->name << "." << key.name;
    }
}

TEST(Grammar, IsAllThatCanBeRead) {
  Mistakes mistakes;
  const Yaml map = Yaml::map({}, {});
  Fields fields(map, keys::save, "`save`", mistakes);
  EXPECT_EQ(fields.integer("keep"), 3);
  EXPECT_EQ(fields.text("better"), "lowest");
  EXPECT_EQ(fields.take("best"), nullptr);
  EXPECT_THROW(fields.take("worst"), std::logic_error);
  EXPECT_THROW(fields.text("keep"), std::logic_error);
  EXPECT_THROW(fields.need("keep"), std::logic_error);
  EXPECT_THROW(fields.list("best"), std::logic_error);
  EXPECT_TRUE(mistakes.empty());
}

}  // namespace
}  // namespace weft::tests
