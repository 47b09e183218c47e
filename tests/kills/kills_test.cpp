// kill -9 at random moments, again and again: not a bit may differ in the end. `./dev kills` runs
// it.
#include "tests/support/kills.h"

namespace weft::tests {
namespace {

TEST_F(Kills, OfTheVae) {
  survives(tiny_vae(), 20);
}

TEST_F(Kills, OfTheGan) {
  survives(tiny_gan(), 20);
}

TEST_F(Kills, WithAccumulatedGradients) {
  survives(tiny_gan_sums(), 20);
}

TEST_F(Kills, WithRunningStatistics) {
  survives(tiny_classifier(), 20);
}

}  // namespace
}  // namespace weft::tests
