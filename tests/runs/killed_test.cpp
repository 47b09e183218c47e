// A few of the kills of tests/kills.
#include "tests/support/kills.h"

namespace weft::tests {
namespace {

TEST_F(Kills, AKilledVaeEndsWithTheSameBits) {
  survives(tiny_vae(), 4);
}

TEST_F(Kills, AKilledGanEndsWithTheSameBits) {
  survives(tiny_gan(), 4);
}

}  // namespace
}  // namespace weft::tests
