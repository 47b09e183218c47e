// What the language has beside nodes in a row: gradients as values, followers, loops, values that
// all samples share, items of samples.
#include "tests/support/tiny_pipelines.h"

namespace weft::tests {

std::string tiny_critic() {
  return R"(weft: 1
name: critic
vars: {batch: 48}

modules:
  generator:
    inputs: [z]
    nodes:
      h: {node: linear, x: z, features: 20, activation: relu}
      y: {node: linear, x: h, features: 64, activation: sigmoid}
    outputs: {y: y}
  critic:
    inputs: [x]
    nodes:
      h: {node: linear, x: x, features: 16, activation: leaky_relu, slope: 0.2, spectral_norm: true}
      y: {node: linear, x: h, features: 1}
    outputs: {y: y}

train:
  data:
    node: idx
    images: data/train-images-idx3-ubyte
    batch: $batch
    shuffle: true
  nodes:
    z:      {node: normal, shape: [$batch, 8]}
    fake:   {use: generator, z: z}
    real_s: {use: critic, x: data.image}
    fake_s: {use: critic, x: fake}
    slope:  {gradient: fake_s, of: fake}
    square: {node: square, x: slope}
    steep:  {node: sum, x: square}
    gap:    {node: subtract, a: fake_s, b: real_s}
    flat:   {node: mean, x: gap}
    loss:   {node: add, a: flat, b: steep}
    lower:  {node: negative, x: fake_s}
    drawn:  {node: mean, x: lower}
  lanes: 3
  phases:
    - {name: critic, minimize: loss, update: critic, optimizer: {node: adam, lr: 0.003}}
    - {name: generator, minimize: drawn, update: generator, optimizer: {node: adam, lr: 0.003}, every: 2}
  epochs: 12
  save: {every_steps: 7, keep: 3}

evaluate:
  data: {images: data/t10k-images-idx3-ubyte, shuffle: false}
  report: [loss]
)";
}

std::string tiny_teacher() {
  return R"(weft: 1
name: teacher
vars: {batch: 48, features: 12}

modules:
  student:
    inputs: [x]
    nodes:
      h: {node: linear, x: x, features: 24}
      n: {node: batch_norm, x: h, activation: relu}
      y: {node: linear, x: n, features: $features}
    outputs: {y: y}
  teacher: {follows: student, decay: {schedule: cosine, from: 0.9, to: 1}}

fragments:
  walk:
    inputs: [x]
    nodes:
      more: {node: normal, like: x}
      part: {node: scale, x: more, by: 0.05, plus: 0}
      y:    {node: add, a: x, b: part}
    outputs: {x: y}

train:
  data:
    node: idx
    images: data/train-images-idx3-ubyte
    batch: $batch
    shuffle: true
  nodes:
    noisy: {node: walk, loop: {times: 3, carry: {x: data.image}}}
    s:     {use: student, x: noisy}
    t:     {use: teacher, x: data.image}
    loss:  {node: mse, x: s, target: t}
    away:  {node: normal, shape: [$batch, $features]}
    other: {node: mse, x: s, target: away}
    both:  {node: add, a: loss, b: other}
  lanes: 3
  phases:
    - {name: main, minimize: both, update: student, optimizer: {node: adam, lr: 0.003}}
  steps: 60
  save: {every_steps: 7}

evaluate:
  data: {node: idx, images: data/t10k-images-idx3-ubyte, batch: $batch}
  nodes:
    s:    {use: student, x: data.image}
    t:    {use: teacher, x: data.image}
    loss: {node: mse, x: s, target: t}
  report: loss
)";
}

std::string tiny_shared() {
  return R"(weft: 1
name: shared
vars: {batch: 48, patches: 4, size: 16, codes: 6}

modules:
  encoder:                                   # of a patch
    inputs: [x]
    nodes:
      h: {node: linear, x: x, features: 24, activation: tanh}
      y: {node: linear, x: h, features: $codes}
    outputs: {y: y}
  mixing:                                    # the same matrix there and back
    inputs: [x, word]
    nodes:
      w:     {node: parameter, shape: [$codes, 20], deviation: 0.3}
      there: {node: matmul, a: x, b: w}
      seen:  {node: tanh, x: there}
      back:  {node: matmul, a: seen, b: w, transpose_b: true}
      table: {node: parameter, shape: [10, $codes], deviation: 0.1}
      told:  {node: gather, x: table, places: word}
      one:   {node: reshape, x: told, shape: [$codes]}
      y:     {node: add, a: back, b: one}
    outputs: {y: y}
  prior:                                     # inputs that are learned
    inputs: []
    nodes: {x: {node: parameter, shape: [5, $size], deviation: 0.2}}
    outputs: {x: x}

train:
  data:
    node: idx
    images: data/train-images-idx3-ubyte
    labels: data/train-labels-idx1-ubyte
    batch: $batch
    shuffle: true
  nodes:
    rows:    {node: reshape, x: data.image, shape: [$patches, $size]}
    word:    {node: reshape, x: data.label, shape: [1]}
    codes:   {use: encoder, x: rows, each: x}
    mixed:   {use: mixing, x: codes, word: word, each: x}
    error:   {node: mse, x: mixed, target: codes}
    own:     {use: prior}
    told:    {use: encoder, x: own, each: x}
    first:   {node: slice, x: codes, axis: 1, begin: 0, end: 1}
    one:     {node: reshape, x: first, shape: [$codes]}
    near:    {node: matmul, a: one, b: told, transpose_b: true}
    close:   {node: logsumexp, x: near}
    mean:    {node: batch_mean, x: one}
    centred: {node: subtract, a: one, b: mean}
    all:     {node: batch_product, a: centred, b: centred}
    eye:     {node: identity, n: $codes}
    off:     {node: subtract, a: all, b: eye}
    squares: {node: square, x: off}
    spread:  {node: mean, x: squares}
    terms:   {node: subtract, a: error, b: close}
    loss:    {node: add, a: terms, b: spread}
  lanes: 3
  phases:
    - {name: main, minimize: loss, update: [encoder, mixing, prior], optimizer: {node: adam, lr: 0.003}}
  steps: 60
  save: {every_steps: 7}

evaluate:
  data: {images: data/t10k-images-idx3-ubyte, labels: data/t10k-labels-idx1-ubyte, shuffle: false}
  report: [loss, spread]
)";
}

}  // namespace weft::tests
