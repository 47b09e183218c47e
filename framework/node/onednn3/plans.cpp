// oneDNN 3: descriptors of primitives take everything; a scale is a function like any other.
#include "framework/node/dnn_plans.h"

namespace weft {

namespace {
constexpr auto direct = dnnl::algorithm::convolution_direct;
}

dnnl::matmul::primitive_desc dnn::matmul_plan(const Desc& a, const Desc& b, const Desc& bias,
                                              const Desc& c, const dnnl::primitive_attr& attr) {
  return {engine(), a, b, bias, c, attr};
}

dnnl::convolution_forward::primitive_desc dnn::to_y_plan(const Convolved& c, dnnl::prop_kind kind,
                                                         const dnnl::primitive_attr& attr) {
  return {engine(), kind,     direct,     c.x,   c.w,    c.bias,
          c.y,      c.stride, c.dilation, c.low, c.high, attr};
}

dnnl::convolution_backward_data::primitive_desc dnn::to_x_plan(
    const Convolved& c, const dnnl::primitive_attr& attr,
    const dnnl::convolution_forward::primitive_desc& hint) {
  return {engine(), direct, c.x, c.w, c.y, c.stride, c.dilation, c.low, c.high, hint, attr};
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
