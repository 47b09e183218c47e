// oneDNN 3: descriptors of primitives take everything; a scale is a function like any other. Its
// first choice is not always its fastest kernel here: see docs/decisions.md.
#include <string_view>

#include "framework/node/dnn_plans.h"

namespace weft {

namespace {
constexpr auto direct = dnnl::algorithm::convolution_direct;
constexpr const char* direct_kernel = "jit:avx512_core";  // f32, images as they lie
constexpr const char* gemm_kernel = "gemm:jit:f32";       // packs neither operand whole

// What `make()` plans, by that kernel where oneDNN has it for this; else by its own choice.
template <class Make>
auto preferring(const char* kernel, Make make) {
  auto plan = make();
  do
    if (std::string_view(plan.impl_info_str()) == kernel) return plan;
  while (plan.next_impl());
  return make();
}

bool transposed(const dnn::Desc& matrix) {
  const dnn::Dims strides = matrix.get_strides();
  return strides.back() != 1 && strides[strides.size() - 2] == 1;
}
}  // namespace

dnnl::matmul::primitive_desc dnn::matmul_plan(const Desc& a, const Desc& b, const Desc& bias,
                                              const Desc& c, const dnnl::primitive_attr& attr) {
  const auto make = [&] {
    return dnnl::matmul::primitive_desc(engine(), a, b, bias, c, attr);
  };
  const bool gradient = transposed(a) && !transposed(b) && attr.get_post_ops().len() == 0;
  return gradient ? preferring(gemm_kernel, make) : make();
}

dnnl::convolution_forward::primitive_desc dnn::to_y_plan(const Convolved& c, dnnl::prop_kind kind,
                                                         const dnnl::primitive_attr& attr) {
  return preferring(direct_kernel, [&] {
    return dnnl::convolution_forward::primitive_desc(engine(), kind, direct, c.x, c.w, c.bias, c.y,
                                                     c.stride, c.dilation, c.low, c.high, attr);
  });
}

dnnl::convolution_backward_data::primitive_desc dnn::to_x_plan(
    const Convolved& c, const dnnl::primitive_attr& attr,
    const dnnl::convolution_forward::primitive_desc& hint) {
  return preferring(direct_kernel, [&] {
    return dnnl::convolution_backward_data::primitive_desc(
        engine(), direct, c.x, c.w, c.y, c.stride, c.dilation, c.low, c.high, hint, attr);
  });
}

dnnl::convolution_backward_weights::primitive_desc dnn::to_w_plan(
    const Convolved& c, const dnnl::primitive_attr& attr,
    const dnnl::convolution_forward::primitive_desc& hint) {
  return {engine(), direct,     c.x,   c.w,    c.bias, c.y,
          c.stride, c.dilation, c.low, c.high, hint,   attr};
}

void dnn::append_activation(dnnl::post_ops& after, dnnl::algorithm f, float slope) {
  after.append_eltwise(f, slope, 0);
}

void dnn::scale(dnnl::primitive_attr&, dnnl::post_ops& after, float factor) {
  after.append_eltwise(dnnl::algorithm::eltwise_linear, factor, 0);
}

}  // namespace weft
