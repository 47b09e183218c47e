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

// Weights are e to the power of sums of some 500 nats, whose rounding is the weights' error.
// PyTorch in single precision is 8e-5 away from itself in double precision after 20 steps.
TEST_F(Twin, OfTheImportanceWeightedAutoencoder) {
  agree("iwae", {"loss"}, 20, 1e-3);
}

TEST_F(Twin, OfTheFlowOfCouplings) {
  agree("realnvp", {"bits"}, 20, 1e-4);
}

TEST_F(Twin, OfTheLeastSquaresGan) {
  agree("lsgan", {"d_loss", "g_loss"}, 20, 1e-4);
}

// Adam makes whole steps of slopes that are near rounding. From PyTorch in double precision the
// losses of step 6 are 1e-4 away, those of PyTorch in single precision 1e-3.
TEST_F(Twin, OfTheHingeGan) {
  agree("hinge", {"d_loss", "g_loss"}, 6, 1e-3);
}

// The generator rests in four steps of five, but the critic's loss tells what it learned. It is a
// difference near zero: PyTorch in single precision is 2e-3 away from itself in double precision
// after 12 steps.
TEST_F(Twin, OfTheWassersteinGan) {
  agree("wgan", {"d_loss"}, 10, 1e-4);
}

TEST_F(Twin, OfTheGanWithClasses) {
  agree("acgan", {"d_loss", "g_loss"}, 20, 1e-4);
}

// Three players amplify the last bit.
TEST_F(Twin, OfTheVaeWithADiscriminator) {
  agree("vae_gan", {"e_loss", "g_loss", "d_loss"}, 20, 1e-3);
}

TEST_F(Twin, OfThePixelCnn) {
  agree("pixelcnn", {"bits"}, 20, 1e-4);
}

TEST_F(Twin, OfDenoisingDiffusion) {
  agree("ddpm", {"loss"}, 20, 1e-4);
}

TEST_F(Twin, OfTheDenoisingAutoencoder) {
  agree("denoising_autoencoder", {"loss"}, 20, 1e-4);
}

TEST_F(Twin, OfTheBetaVae) {
  agree("beta_vae", {"loss"}, 20, 1e-4);
}

TEST_F(Twin, OfTheVqVae) {
  agree("vqvae", {"loss"}, 20, 1e-4);
}

TEST_F(Twin, OfThePriorOfCodes) {
  train("vqvae", 3);
  if (IsSkipped()) return;
  agree("vqvae_prior", {"loss"}, 20, 1e-4, {"--set", "run=vqvae"},
        {"--start", folder_ / "vqvae/checkpoints/last/model.safetensors"});
}

TEST_F(Twin, OfEmojiFromWords) {
  agree("emoji_from_words", {"loss"}, 20, 1e-4);
}

TEST_F(Twin, OfFlowMatching) {
  agree("flow_matching", {"loss"}, 20, 1e-4);
}

// Where a unit of the critic lies within rounding of its kink, its second derivative is another.
TEST_F(Twin, OfTheGradientPenalty) {
  agree("wgan_gp", {"d_loss"}, 20, 1e-3);
}

TEST_F(Twin, OfTheLanguageModelThatWrites) {
  agree("gpt", {"loss"}, 20, 1e-4);
}

TEST_F(Twin, OfTheLanguageModelThatWritesPoems) {
  agree("gpt_tang", {"loss"}, 20, 1e-4);
}

TEST_F(Twin, OfTheLanguageModelThatWritesPieces) {
  agree("gpt_pieces", {"loss"}, 20, 1e-4);
}

TEST_F(Twin, OfTheFrechetDistance) {
  for (const char* name : {"cvae", "classifier"}) {
    train(name, 3);
    if (IsSkipped()) return;
  }
  const auto weights = [&](const std::string& name) {
    return folder_ / (name + "/checkpoints/last/model.safetensors");
  };
  agree_on("distance", "frechet_cvae", "frechet.py", 1e-5,
           {"--set", "run=cvae", "--set", "judge=classifier"},
           {"cvae", "--start", weights("cvae"), "--judge", weights("classifier")});
}

TEST_F(Twin, OfSimClr) {
  agree("simclr", {"loss"}, 20, 1e-4);
}

TEST_F(Twin, OfMoco) {
  agree("moco", {"loss"}, 20, 1e-4);
}

TEST_F(Twin, OfDino) {
  agree("dino", {"loss"}, 20, 1e-4);
}

TEST_F(Twin, OfVicreg) {
  agree("vicreg", {"loss"}, 20, 1e-4);
}

// Normalising the batch again and again amplifies the last bit, as Adam's first steps do: with
// oneDNN's products PyTorch is 1.5e-4 (byol, simsiam) and 2.2e-4 (barlow_twins) away from itself.
TEST_F(Twin, OfByol) {
  agree("byol", {"loss"}, 20, 1e-3);
}

TEST_F(Twin, OfSimSiam) {
  agree("simsiam", {"loss"}, 20, 1e-3);
}

TEST_F(Twin, OfBarlowTwins) {
  agree("barlow_twins", {"loss"}, 20, 1e-3);
}

TEST_F(Twin, OfTheLinearProbe) {
  train("simclr", 3);
  if (IsSkipped()) return;
  agree("linear_probe", {"loss"}, 20, 1e-4, {"--set", "run=simclr"},
        {"--start", folder_ / "simclr/checkpoints/last/model.safetensors"});
}

TEST_F(Twin, OfTheClassifier) {
  agree("classifier", {"loss"}, 50, 1e-5);
}

TEST_F(Twin, OfTheLinearProbeOfEmoji) {
  train("patch_position", 3);
  if (IsSkipped()) return;
  agree("linear_probe_emoji", {"loss"}, 20, 1e-4, {"--set", "run=patch_position"},
        {"--start", folder_ / "patch_position/checkpoints/last/model.safetensors"});
}

TEST_F(Twin, OfTheAutoencoder) {
  agree("autoencoder", {"loss"}, 20, 1e-4);
}

// In step 16 one unit of the joint layer, dead but for one sample, lies within rounding of its
// relu's kink: whether it learns there is a whole step of Adam. Until then they agree within 2e-7.
TEST_F(Twin, OfFusionByFeatures) {
  agree("fusion_feature", {"loss"}, 16, 1e-4);
}

TEST_F(Twin, OfFusionByFeaturesForLonger) {
  agree("fusion_feature", {"loss"}, 20, 1e-3);
}

TEST_F(Twin, OfFusionByDecisions) {
  agree("fusion_decision", {"both_loss", "weighted_loss"}, 20, 1e-4);
}

TEST_F(Twin, OfFusionByModel) {
  agree("fusion_model", {"loss"}, 20, 1e-4);
}

TEST_F(Twin, OfPatchPosition) {
  agree("patch_position", {"loss"}, 20, 1e-4);
}

TEST_F(Twin, OfTargetPosition) {
  agree("target_position", {"loss"}, 20, 1e-4);
}

TEST_F(Twin, OfTheMaskedLanguageModel) {
  agree("masked_lm", {"loss"}, 20, 1e-4);
}

TEST_F(Twin, OfTheMaskedLanguageModelOfPoems) {
  agree("masked_lm_tang", {"loss"}, 20, 1e-4);
}

TEST_F(Twin, OfTheFusionWithAudio) {
  agree("fusion_audio", {"loss"}, 20, 1e-4);
}

TEST_F(Twin, OfTheVaeOfSpeech) {
  agree("audio_vae", {"loss"}, 20, 1e-4);
}

TEST_F(Twin, OfTheClassifierOfSpeech) {
  agree("audio_classifier", {"loss"}, 20, 1e-4);
}

TEST_F(Twin, OfRotation) {
  agree("rotation", {"loss"}, 20, 1e-4);
}

TEST_F(Twin, OfTheJigsaw) {
  agree("jigsaw", {"loss"}, 20, 1e-4);
}

TEST_F(Twin, OfTheMaskedAutoencoder) {
  agree("mae", {"loss"}, 20, 1e-4);
}

TEST_F(Twin, OfTheConvolutionalClassifier) {
  agree("classifier_conv", {"loss"}, 16, 1e-4);
}

TEST_F(Twin, OfDistillation) {
  train("classifier_conv", 3);
  if (IsSkipped()) return;
  agree("distill", {"loss"}, 20, 1e-4, {"--set", "teacher=classifier_conv"},
        {"--start", folder_ / "classifier_conv/checkpoints/last/model.safetensors"});
}

TEST_F(Twin, OfTheMultimodalVae) {
  agree("mvae", {"loss"}, 20, 1e-4);
}

TEST_F(Twin, OfClip) {
  agree("clip", {"loss"}, 20, 1e-4);
}

TEST_F(Twin, OfTheVaeThatIsPretrained) {
  train("rotation", 3);
  if (IsSkipped()) return;
  agree("vae_pretrained", {"loss"}, 20, 1e-4, {"--set", "run=rotation"},
        {"--start", folder_ / "rotation/checkpoints/last/model.safetensors"});
}

}  // namespace
}  // namespace weft::tests
