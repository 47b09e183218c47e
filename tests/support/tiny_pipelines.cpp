#include "tests/support/tiny_pipelines.h"

#include <stdexcept>

namespace weft::tests {

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const size_t at = text.find(from);
  if (at == std::string::npos) throw std::runtime_error("no `" + from + "` in the pipeline");
  return text.replace(at, from.size(), to);
}

std::string tiny_vae() {
  return R"(weft: 1
name: vae
vars: {latent: 4, batch: 48, count: 16}

modules:
  encoder:
    inputs: [x]
    nodes:
      h:       {node: linear, x: x, features: 32, activation: relu}
      d:       {node: dropout, x: h, rate: 0.2}
      mean:    {node: linear, x: d, features: $latent}
      log_var: {node: linear, x: d, features: $latent}
    outputs: {mean: mean, log_var: log_var}
  decoder:
    inputs: [z]
    nodes:
      h:      {node: linear, x: z, features: 32, activation: relu}
      logits: {node: linear, x: h, features: 64}
    outputs: {logits: logits}

train:
  data: {node: idx, images: data/train-images-idx3-ubyte, batch: $batch, shuffle: true}
  nodes:
    code:  {use: encoder, x: data.image}
    z:     {node: gaussian_sample, mean: code.mean, log_var: code.log_var}
    image: {use: decoder, z: z}
    bce:   {node: bce_with_logits, x: image.logits, target: data.image, reduce: sum_per_sample}
    kl:    {node: gaussian_kl, mean: code.mean, log_var: code.log_var}
    loss:  {node: add, a: bce, b: kl}
  lanes: 3
  phases:
    - minimize: loss
      update: [encoder, decoder]
      optimizer: {node: adam, lr: {schedule: linear, from: 3e-3, to: 0}}
  report: [bce, kl]
  steps: 60
  save: {every_steps: 7, keep: 3, best: loss}

evaluate:
  data: {images: data/t10k-images-idx3-ubyte}
  report: [loss, bce, kl]

generate:
  nodes:
    z:     {node: normal, shape: [$count, $latent]}
    image: {use: decoder, z: z}
    save:  {node: image_grid, x: image.logits, map: sigmoid, path: samples.png}
)";
}

std::string tiny_gan() {
  return R"(weft: 1
name: gan
vars: {noise: 8, batch: 48, count: 16}

modules:
  generator:
    inputs: [z]
    nodes:
      h:     {node: linear, x: z, features: 32, activation: leaky_relu, slope: 0.2}
      image: {node: linear, x: h, features: 64, activation: tanh}
    outputs: {image: image}
  discriminator:
    inputs: [x]
    nodes:
      h:      {node: linear, x: x, features: 32, activation: leaky_relu, slope: 0.2}
      logits: {node: linear, x: h, features: 1}
    outputs: {logits: logits}

train:
  data: {node: idx, images: data/train-images-idx3-ubyte, batch: $batch, shuffle: true, range: symmetric}
  nodes:
    noise:   {node: normal, shape: [$batch, $noise]}
    fake:    {use: generator, z: noise}
    real_p:  {use: discriminator, x: data.image}
    fake_p:  {use: discriminator, x: fake.image}
    is_real: {node: fill, like: real_p.logits, value: 0.9}
    is_fake: {node: fill, like: fake_p.logits, value: 0}
    fooled:  {node: fill, like: fake_p.logits, value: 1}
    d_real:  {node: bce_with_logits, x: real_p.logits, target: is_real}
    d_fake:  {node: bce_with_logits, x: fake_p.logits, target: is_fake}
    d_loss:  {node: add, a: d_real, b: d_fake}
    g_loss:  {node: bce_with_logits, x: fake_p.logits, target: fooled}
  lanes: 3
  phases:
    - name: discriminator
      minimize: d_loss
      update: discriminator
      optimizer: {node: adam, lr: 1e-3, betas: [0.5, 0.999]}
    - name: generator
      minimize: g_loss
      update: generator
      optimizer: {node: adam, lr: 1e-3, betas: [0.5, 0.999]}
      every: 2
  report: [d_real, d_fake]
  steps: 60
  save: {every_steps: 7, keep: 3}

evaluate:
  data: {images: data/t10k-images-idx3-ubyte}
  report: [d_loss, g_loss]

generate:
  nodes:
    noise: {node: normal, shape: [$count, $noise]}
    fake:  {use: generator, z: noise}
    save:  {node: image_grid, x: fake.image, map: symmetric, path: samples.png}
)";
}

std::string tiny_gan_sums() {
  const std::string all = replaced(tiny_gan(), "      every: 2\n", "      accumulate: 3\n");
  return replaced(all, "update: discriminator\n",
                  "update: discriminator\n      accumulate: 2\n      clip: 0.1\n");
}

std::string tiny_classifier() {
  return R"(weft: 1
name: classifier
vars: {batch: 48}

modules:
  classifier:
    inputs: [x]
    nodes:
      rows:   {node: reshape, x: x, shape: [8, 8]}
      norm:   {node: layer_norm, x: rows}
      q:      {node: linear, x: norm, features: 16}
      k:      {node: linear, x: norm, features: 16}
      v:      {node: linear, x: norm, features: 16}
      mixed:  {node: attention, q: q, k: k, v: v, heads: 2}
      flat:   {node: reshape, x: mixed, shape: [-1]}
      h:      {node: linear, x: flat, features: 24}
      even:   {node: batch_norm, x: h}
      active: {node: gelu, x: even}
      logits: {node: linear, x: active, features: 10}
    outputs: {logits: logits}

train:
  data:
    node: idx
    images: data/train-images-idx3-ubyte
    labels: data/train-labels-idx1-ubyte
    batch: $batch
    shuffle: true
  nodes:
    class:    {use: classifier, x: data.image}
    loss:     {node: cross_entropy, logits: class.logits, label: data.label}
    accuracy: {node: accuracy, x: class.logits, label: data.label}
  lanes: 3
  phases:
    - minimize: loss
      update: classifier
      optimizer: {node: adamw, lr: {schedule: cosine, from: 3e-3, to: 0, warmup: 10}, weight_decay: 0.1}
      groups:
        - {match: "*.bias", weight_decay: 0}
        - {match: "*norm.*", weight_decay: 0}
      clip: 1
  report: [accuracy]
  steps: 60
  save: {every_steps: 7, keep: 3, best: accuracy, better: highest}

evaluate:
  data: {images: data/t10k-images-idx3-ubyte, labels: data/t10k-labels-idx1-ubyte}
  report: [loss, accuracy]
)";
}

std::string tiny_siamese() {
  return R"(weft: 1
name: siamese
vars: {batch: 48}

modules:
  encoder:
    inputs: [x]
    nodes:
      c1: {node: conv2d, x: x, features: 32, padding: 1, bias: false}
      n1: {node: batch_norm, x: c1, activation: relu}  # in two blocks of rows
      p1: {node: max_pool2d, x: n1}
      c2: {node: conv2d, x: p1, features: 16, padding: 1, groups: 2}
      n2: {node: batch_norm, x: c2}
      p2: {node: global_avg_pool, x: n2}
    outputs: {map: n2, y: p2}
  decoder:
    inputs: [map]
    nodes:
      image: {node: conv_transpose2d, x: map, features: 1, activation: sigmoid}
    outputs: {image: image}

train:
  data:
    node: idx
    images: data/train-images-idx3-ubyte
    flatten: false
    batch: $batch
    shuffle: true
  nodes:
    a:     {node: random_crop, x: data.image}
    crop:  {node: random_flip, x: data.image}
    light: {node: color_jitter, x: crop}
    b:     {node: gaussian_blur, x: light}
    ya:    {use: encoder, x: a}
    yb:    {use: encoder, x: b}
    again: {use: decoder, map: yb.map}
    pairs: {node: nt_xent, a: ya.y, b: yb.y}
    error: {node: mse, x: again, target: b}
    loss:  {node: add, a: pairs, b: error}
  lanes: 5
  phases:
    - minimize: loss
      update: [encoder, decoder]
      optimizer: {node: adam, lr: 3e-3}
      groups: [{match: "*.bias", lr: 1e-3}]
      clip: 1
      accumulate: 2
    - {name: last, minimize: error, update: decoder, optimizer: {node: sgd, lr: 0.1}, every: 3}
  report: [pairs]
  steps: 60
  save: {every_steps: 7, keep: 3}

evaluate:
  data: {images: data/t10k-images-idx3-ubyte}
  report: [loss, error]
)";
}

std::string tiny_halves() {
  return replaced(tiny_siamese(), "weft: 1\n", "weft: 1\nprecision: auto\n");
}

std::string tiny_sequence() {
  return R"(weft: 1
name: sequence
vars: {batch: 48, pieces: 40, features: 12}

modules:
  encoder:
    inputs: [tokens]
    nodes:
      rows:  {node: embedding, x: tokens, vocabulary: $pieces, features: $features}
      sited: {node: positions, x: rows}
      n:     {node: layer_norm, x: sited}
      see:   {node: attention, q: n, k: n, v: n, keys: tokens, heads: 3}
      sum:   {node: add, a: sited, b: see}
      y:     {node: gelu, x: sum}
    outputs: {y: y}
  head:
    inputs: [x]
    nodes:
      logits: {node: linear, x: x, features: $pieces}
    outputs: {logits: logits}
  place:
    inputs: [a, b]
    nodes:
      flat_a: {node: reshape, x: a, shape: [-1]}
      flat_b: {node: reshape, x: b, shape: [-1]}
      h1:     {node: linear, x: flat_a, features: 8}
      h2:     {node: linear, x: flat_b, features: 8}
      both:   {node: weighted_fusion, xs: [h1, h2]}
    outputs: {logits: both}
  memory:
    inputs: [x, label]
    nodes:
      votes: {node: knn, x: x, label: label, classes: 10, capacity: 100, k: 3}
    outputs: {votes: votes}

train:
  data:
    node: text
    file: data/train.txt
    unit: lines
    samples: documents
    vocabulary: tiny
    pieces: $pieces
    kind: characters
    length: 8
    batch: $batch
    shuffle: true
  nodes:
    blank:    {node: mask_tokens, x: data.tokens, vocabulary: $pieces, rate: 0.3}
    seen:     {use: encoder, tokens: blank.y}
    asked:    {node: gather, x: seen, places: blank.places}
    guess:    {use: head, x: asked}
    fill:     {node: cross_entropy, logits: guess, label: blank.label}
    pixels:   {node: idx, images: data/train-images-idx3-ubyte, labels: data/train-labels-idx1-ubyte, flatten: false, batch: $batch, shuffle: true}
    pair:     {node: patch_pair, x: pixels.image, patch: 2, jitter: 1}
    where:    {use: place, a: pair.a, b: pair.b}
    lie:      {node: cross_entropy, logits: where, label: pair.label}
    loss:     {node: add, a: fill, b: lie}
    mean:     {node: global_avg_pool, x: seen}
    votes:    {use: memory, x: mean, label: pixels.label}
    accuracy: {node: accuracy, x: votes, label: pixels.label}
    perplexity: {node: perplexity, x: fill}
  lanes: 3
  phases:
    - {minimize: loss, update: [encoder, head, place], optimizer: {node: adamw, lr: 1e-2}, clip: 1}
  report: [fill, accuracy]
  steps: 60
  save: {every_steps: 7, keep: 3, best: perplexity}

evaluate:
  data: {file: data/test.txt, pieces: 0}
  report: [loss, perplexity, accuracy]
)";
}

}  // namespace weft::tests
