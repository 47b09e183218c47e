#include "framework/run/means.h"

#include <gmock/gmock.h>

#include <cmath>

#include "framework/node/error.h"

namespace weft::tests {
namespace {

using Json = nlohmann::json;

TEST(Means, AreOfTheStepsSinceTheLast) {
  Means means({"loss", "each", "rests"});
  means.add(0, {1});
  means.add(0, {3});
  means.add(1, {1, 10});
  means.add(1, {2, 30});
  EXPECT_EQ(means.take(), (Json{{"loss", 2.0}, {"each", {1.5, 20.0}}}));
  EXPECT_EQ(means.take(), Json::object());
  means.add(0, {5});
  EXPECT_EQ(means.take(), (Json{{"loss", 5.0}}));
}

TEST(Means, GoOnFromTheirState) {
  Means before({"loss", "each"}), after({"loss", "each"});
  before.add(0, {1});
  before.add(1, {1, INFINITY});
  after.load(Json::parse(before.state().dump()));
  after.add(0, {2});
  after.add(1, {1, 1});
  EXPECT_EQ(after.take()["loss"], 1.5);
}

TEST(Means, OfReportsThatChangedBeginAnew) {
  Means before({"loss", "kl", "each"}), after({"loss", "each", "each"});
  for (const size_t i : {0, 1, 2}) before.add(i, {1, 1});
  after.load(before.state());
  after.add(0, {3, 3});
  after.add(1, {3, 3});
  after.add(2, {3, 3, 3});  // more than it had
  EXPECT_EQ(after.take(), (Json{{"loss", {2.0, 2.0}}, {"each", {3.0, 3.0, 3.0}}}));
}

TEST(Means, RefuseWhatIsNoState) {
  Means means({"loss"});
  means.add(0, {1});
  const Json good = means.state();
  for (const Json& state : {Json(), Json(3), Json::object(), Json{{{"name", "loss"}}},
                            Json{{{"name", "loss"}, {"sums", {1}}, {"count", -1}}},
                            Json{{{"name", "loss"}, {"sums", "x"}, {"count", 1}}}})
    EXPECT_THROW(means.load(state), Error) << state;
  EXPECT_NO_THROW(means.load(good));
}

}  // namespace
}  // namespace weft::tests
