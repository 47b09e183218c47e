// The beginning of tests/twins.
#include "tests/support/twin.h"

namespace weft::tests {
namespace {

TEST_F(Twin, TheVaeStartsLikeItsTwin) {
  agree("vae", {"loss"}, 10, 1e-5);
}

TEST_F(Twin, TheGanStartsLikeItsTwin) {
  agree("gan", {"d_loss", "g_loss"}, 10, 1e-5);
}

}  // namespace
}  // namespace weft::tests
