// Small pipelines that learn from what TinyRuns writes into the folder `data`.
#pragma once

#include <string>

namespace weft::tests {

// 60 steps, 5 in an epoch, the last of 8 rows; 3 lanes; a checkpoint every 7 steps.
std::string tiny_vae();         // random numbers, a schedule, the best epoch kept
std::string tiny_gan();         // two phases; the generator learns in every other step
std::string tiny_gan_sums();    // two phases; gradients accumulated over 2 steps, and clipped
std::string tiny_classifier();  // attention, layer_norm and batch_norm; groups without decay
std::string tiny_siamese();     // convolutions that learn in lanes, two uses, augmentation, nt_xent
std::string tiny_halves();      // the same, its products in bf16 where the CPU has it
std::string tiny_sequence();    // text with blanks, a source beside the data, a memory of features

std::string tiny_critic();   // trained through gradients; weights with a spectral norm
std::string tiny_teacher();  // a module that another follows; noise that a loop makes
std::string tiny_shared();   // matrices that all samples share; items of samples

// `text` with the first `from` replaced by `to`, which must be there.
std::string replaced(std::string text, const std::string& from, const std::string& to);

// All of them, by name.
struct Tiny {
  const char* name;
  std::string (*pipeline)();
};
inline const Tiny tiny_pipelines[] = {{"vae", tiny_vae},           {"gan", tiny_gan},
                                      {"gan_sums", tiny_gan_sums}, {"classifier", tiny_classifier},
                                      {"siamese", tiny_siamese},   {"halves", tiny_halves},
                                      {"sequence", tiny_sequence}, {"teacher", tiny_teacher},
                                      {"critic", tiny_critic},     {"shared", tiny_shared}};

}  // namespace weft::tests
