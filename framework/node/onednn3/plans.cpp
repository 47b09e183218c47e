// The plans for oneDNN 3, where a descriptor of a primitive takes everything and a scale is one of
// the functions that follow a product. Its first choice is not always its fastest kernel: see
// docs/decisions.md.
#include <initializer_list>
#include <string_view>

#include "framework/node/dnn_plans.h"

namespace weft {

namespace {
constexpr auto direct = dnnl::algorithm::convolution_direct;

// A kernel that is faster than the one that oneDNN chooses for the same instructions.
struct Kernel {
  std::string_view name, instructions;
};
constexpr Kernel direct_f32{"jit:avx512_core", ":avx512_core"};
constexpr Kernel direct_bf16{"jit_bf16:avx512_core_bf16", ":avx512_core_bf16"};  // not with AMX
constexpr Kernel gemm{"gemm:jit:f32", ":avx512_core"};  // packs no whole operand

// Plans what `make()` makes, with the first of `kernels` that is available, else with oneDNN's own
// choice.
template <class Make>
auto preferring(std::initializer_list<Kernel> kernels, Make make) {
  auto plan = make();
  const auto name = [&] { return std::string_view(plan.impl_info_str()); };
  for (const Kernel& kernel : kernels) {
    if (!name().ends_with(kernel.instructions)) continue;
    while (name() != kernel.name && plan.next_impl()) continue;
    return name() == kernel.name ? plan : make();
  }
  return plan;
}

bool transposed(const dnn::Desc& matrix) {
  const dnn::Dims strides = matrix.get_strides();
  return strides.back() != 1 && strides[strides.size() - 2] == 1;
}
}  // namespace

dnnl::matmul::primitive_desc dnn::matmul_plan(const Desc& a, const Desc& b, const Desc& bias,
                                              const Desc& c, const dnnl::primitive_attr& attr) {
  const auto make = [&] { return dnnl::matmul::primitive_desc(engine(), a, b, bias, c, attr); };
  const bool gradient = transposed(a) && !transposed(b) && attr.get_post_ops().len() == 0;
  return gradient ? preferring({gemm}, make) : make();
}

dnnl::convolution_forward::primitive_desc dnn::to_y_plan(const Convolved& c, dnnl::prop_kind kind,
                                                         const dnnl::primitive_attr& attr) {
  return preferring({direct_f32, direct_bf16}, [&] {
    return dnnl::convolution_forward::primitive_desc(engine(), kind, direct, c.x, c.w, c.bias, c.y,
                                                     c.stride, c.dilation, c.low, c.high, attr);
  });
}

dnnl::convolution_backward_data::primitive_desc dnn::to_x_plan(
    const Convolved& c, const dnnl::primitive_attr& attr,
    const dnnl::convolution_forward::primitive_desc& hint) {
  return preferring({direct_f32, direct_bf16}, [&] {
    return dnnl::convolution_backward_data::primitive_desc(
        engine(), direct, c.x, c.w, c.y, c.stride, c.dilation, c.low, c.high, hint, attr);
  });
}

dnnl::convolution_backward_weights::primitive_desc dnn::to_w_plan(
    const Convolved& c, const dnnl::primitive_attr& attr,
    const dnnl::convolution_forward::primitive_desc& hint) {
  return {engine(), direct, c.x, c.w, c.bias, c.y, c.stride, c.dilation, c.low, c.high, hint, attr};
}

void dnn::append_activation(dnnl::post_ops& after, dnnl::algorithm f, float slope) {
  after.append_eltwise(f, slope, 0);
}

void dnn::scale(dnnl::primitive_attr&, dnnl::post_ops& after, float factor) {
  after.append_eltwise(dnnl::algorithm::eltwise_linear, factor, 0);
}

}  // namespace weft
