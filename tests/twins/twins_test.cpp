// Losses beside those of PyTorch, computed from the same weights, data and random numbers.
// `./dev twins` runs it.
#include "tests/support/twin.h"

namespace weft::tests {
namespace {

TEST_F(Twin, OfTheVae) {
  agree("vae", {"loss"}, 50, 1e-5);
}

TEST_F(Twin, OfTheGan) {
  agree("gan", {"d_loss", "g_loss"}, 20, 1e-5);
}

// Two players amplify the last bit.
TEST_F(Twin, OfTheGanForLonger) {
  agree("gan", {"d_loss", "g_loss"}, 50, 1e-3);
}

TEST_F(Twin, OfTheConvolutionalVae) {
  agree("vae_conv", {"loss"}, 20, 1e-4);
}

TEST_F(Twin, OfTheConditionalVae) {
  agree("cvae", {"loss"}, 20, 1e-4);
}

// Adam's first steps go by the sign of gradients that are nearly zero: PyTorch in single precision
// is 1e-3 away from itself in double precision after 14 steps.
TEST_F(Twin, OfTheDcgan) {
  agree("dcgan", {"d_loss", "g_loss"}, 8, 1e-3);
}

TEST_F(Twin, OfSimClr) {
  agree("simclr", {"loss"}, 20, 1e-4);
}

TEST_F(Twin, OfTheAutoencoder) {
  agree("autoencoder", {"loss"}, 20, 1e-4);
}

TEST_F(Twin, OfTheFusionWithAudio) {
  agree("fusion_audio", {"loss"}, 20, 1e-4);
}

}  // namespace
}  // namespace weft::tests
