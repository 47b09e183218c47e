#include <algorithm>
#include <cstddef>
#include <optional>

#include "framework/node/dnn.h"
#include "framework/node/dnn_call.h"
#include "framework/node/dnn_fold.h"
#include "framework/node/dnn_half.h"
#include "framework/node/dnn_plans.h"
#include "framework/node/dnn_winograd.h"

namespace weft {

namespace {
using dnn::Desc;
using dnn::Dims;
using Tag = dnnl::memory::format_tag;

Dims dims(const ConvolutionShape::Pair& pair) {
  return {pair[0], pair[1]};
}

std::string text(const ConvolutionShape& s) {
  const auto pair = [](const ConvolutionShape::Pair& p) {
    return std::to_string(p[0]) + " × " + std::to_string(p[1]);
  };
  return "the convolution of " + std::to_string(s.batch) + " images of " + pair(s.x_size) + " × " +
         std::to_string(s.in) + " to " + pair(s.y_size) + " × " + std::to_string(s.out);
}

// The types of the numbers of the images and of the weight.
struct Types {
  dnn::Type x = dnn::f32, y = dnn::f32, w = dnn::f32;
};

Desc weight(const ConvolutionShape& s, dnn::Type type, Tag alone, Tag grouped) {
  const int64_t g = s.groups;
  return g == 1 ? Desc({s.out, s.in, s.kernel[0], s.kernel[1]}, type, alone)
                : Desc({g, s.out / g, s.in / g, s.kernel[0], s.kernel[1]}, type, grouped);
}

// How far the last window reaches beyond the image's end; negative if it ends before.
int64_t high_padding(const ConvolutionShape& s, size_t axis) {
  const int64_t reach = (s.kernel[axis] - 1) * s.dilation[axis] + 1;
  return (s.y_size[axis] - 1) * s.stride[axis] + reach - s.x_size[axis] - s.padding[axis];
}

// The layouts of a convolution's tensors. Images are plain, [batch, height, width, channels];
// oneDNN chooses the layout of the weight.
dnn::Convolved layouts(const ConvolutionShape& s, const Types& types, bool bias) {
  return {.x = Desc({s.batch, s.in, s.x_size[0], s.x_size[1]}, types.x, Tag::nhwc),
          .y = Desc({s.batch, s.out, s.y_size[0], s.y_size[1]}, types.y, Tag::nhwc),
          .w = weight(s, types.w, Tag::any, Tag::any),
          .bias = bias ? Desc({s.out}, dnn::f32, Tag::x) : Desc(),
          .stride = dims(s.stride),
          .dilation = {s.dilation[0] - 1, s.dilation[1] - 1},
          .low = dims(s.padding),
          .high = {high_padding(s, 0), high_padding(s, 1)}};
}

int64_t numbers(int64_t batch, const ConvolutionShape::Pair& size, int64_t channels) {
  return batch * size[0] * size[1] * channels;
}
}  // namespace

struct Convolution::Built {
  Of of;
  ConvolutionShape shape;
  bool bias;
  std::optional<Fold> fold;               // for x with few channels, in place of oneDNN
  std::optional<dnn::Winograd> winograd;  // for 3 × 3 in f32, likewise
  dnn::Call call, reorder;
  size_t packed = 0;  // bytes of the weight in oneDNN's layout; 0 if that is the plain one
  int64_t half_x = 0, half_y = 0;  // numbers of x and of y, if they are rounded to bf16; else 0

  Built(Of of, const ConvolutionShape& shape, const ConvolutionOptions& options)
      : of(of), shape(shape), bias(options.bias) {
    if (shape.batch == 0) return;
    if (of == Of::x && Fold::suits(shape)) {
      fold.emplace(shape);
      return;
    }
    const Types chosen = types();
    if (!half_x && !half_y && dnn::Winograd::suits(shape)) {
      winograd.emplace(of, shape, options);
      return;
    }
    const dnn::Convolved c = layouts(shape, chosen, bias);
    const auto attr = dnn::attributes(options.activation, options.slope);
    const auto quiet = dnn::attributes(Activation::none, 0);
    if (of == Of::y) {
      const auto plan = dnn::to_y_plan(c, dnnl::prop_kind::forward_inference, attr);
      add({{DNNL_ARG_SRC, c.x}, {DNNL_ARG_DST, c.y}}, DNNL_ARG_WEIGHTS, plan.weights_desc());
      if (bias) call.input(DNNL_ARG_BIAS, c.bias);
      call.set(plan, dnnl::convolution_forward(plan));
      return;
    }
    const Types all_half{dnn::bf16, dnn::bf16, dnn::bf16};
    const auto hint = dnn::to_y_plan(layouts(shape, half_y ? all_half : chosen, false),
                                     dnnl::prop_kind::forward_training, quiet);
    if (of == Of::x) {
      const auto plan = dnn::to_x_plan(c, quiet, hint);
      add({{DNNL_ARG_DIFF_SRC, c.x}, {DNNL_ARG_DIFF_DST, c.y}}, DNNL_ARG_WEIGHTS,
          plan.weights_desc());
      call.set(plan, dnnl::convolution_backward_data(plan));
      return;
    }
    const auto plan = dnn::to_w_plan(c, quiet, hint);
    add({{DNNL_ARG_SRC, c.x}, {DNNL_ARG_DIFF_DST, c.y}}, DNNL_ARG_DIFF_WEIGHTS,
        plan.diff_weights_desc());
    if (bias) call.input(DNNL_ARG_DIFF_BIAS, c.bias);
    call.set(plan, dnnl::convolution_backward_weights(plan));
  }

  // Chooses the types: operands are bf16 if that pays, results always f32.
  Types types() {
    const int64_t x = of == Of::x ? 0 : numbers(shape.batch, shape.x_size, shape.in);
    const int64_t y = of == Of::y ? 0 : numbers(shape.batch, shape.y_size, shape.out);
    if (!dnn::rounds(shape.flops(), static_cast<double>(x + y))) return {};
    half_x = x, half_y = y;
    return {x ? dnn::bf16 : dnn::f32, y ? dnn::bf16 : dnn::f32, of == Of::w ? dnn::f32 : dnn::bf16};
  }

  // Adds the images and then the weight as arguments, with a reorder if oneDNN's layout of the
  // weight is not the plain one.
  void add(std::initializer_list<std::pair<int, Desc>> images, int argument, const Desc& chosen) {
    const Desc plain = weight(shape, dnn::f32, Tag::oihw, Tag::goihw);
    for (const auto& [image, layout] : images) call.input(image, layout);
    call.input(argument, chosen);
    if (chosen == plain) return;
    packed = chosen.get_size();
    const Desc& from = of == Of::w ? chosen : plain;
    const Desc& to = of == Of::w ? plain : chosen;
    const dnnl::reorder::primitive_desc plan(dnn::engine(), from, dnn::engine(), to,
                                             dnn::attributes(Activation::none, 0));
    reorder.input(DNNL_ARG_FROM, from);
    reorder.input(DNNL_ARG_TO, to);
    reorder.set(plan, dnnl::reorder(plan));
  }

  void run(const float* x, const float* given_w, const float* y, const float* offset) {
    if (!call) return;
    const auto bytes = [](int64_t half) { return 2 * static_cast<size_t>(half); };
    dnn::Scratch memory({packed, bytes(half_x), bytes(half_y)});
    const auto operand = [&](const float* image, int64_t half) -> const void* {
      if (half == 0) return image;
      auto* rounded = static_cast<uint16_t*>(memory.part(bytes(half)));
      dnn::round(image, rounded, half);
      return rounded;
    };
    const void* weight = reorder ? memory.part(packed) : given_w;
    if (reorder && of != Of::w) reorder("a reorder of weights", given_w, weight);
    const void *X = operand(x, half_x), *Y = operand(y, half_y);
    if (bias)
      call("a convolution", X, Y, weight, offset);
    else
      call("a convolution", X, Y, weight);
    if (reorder && of == Of::w) reorder("a reorder of weights", weight, given_w);
  }
};

Convolution::Convolution() = default;
Convolution::~Convolution() = default;
Convolution::Convolution(Convolution&&) noexcept = default;
Convolution& Convolution::operator=(Convolution&&) noexcept = default;

Convolution::Convolution(Of of, const ConvolutionShape& shape, const ConvolutionOptions& options) {
  built_ = dnn::build(text(shape), [&] { return std::make_unique<Built>(of, shape, options); });
}

Convolution::Built& Convolution::built(Of of) const {
  if (!built_ || built_->of != of)
    throw Error(Exit::internal, "a convolution was called before it was built for this");
  return *built_;
}

void Convolution::to_y(const float* x, const float* w, float* y, const float* bias) const {
  Built& own = built(Of::y);
  own.winograd ? own.winograd->to_y(x, w, y, bias) : own.run(x, w, y, bias);
}

void Convolution::to_x(float* x, const float* w, const float* y) const {
  Built& own = built(Of::x);
  if (own.fold) return (*own.fold)(x, w, y);
  own.winograd ? own.winograd->to_x(x, w, y) : own.run(x, w, y, nullptr);
}

void Convolution::to_w(const float* x, float* w, const float* y, float* bias) const {
  Built& own = built(Of::w);
  if (const ConvolutionShape& s = own.shape; s.batch == 0) {
    std::fill_n(w, s.out * (s.in / s.groups) * s.kernel[0] * s.kernel[1], 0.0F);
    if (own.bias) std::fill_n(bias, s.out, 0.0F);
  }
  own.winograd ? own.winograd->to_w(x, w, y, bias) : own.run(x, w, y, bias);
}

}  // namespace weft
