// The plans for oneDNN 2, where a descriptor of a primitive is made from one of an operation.
#include "framework/node/dnn_plans.h"

namespace weft {

namespace {
constexpr auto direct = dnnl::algorithm::convolution_direct;
}

dnnl::matmul::primitive_desc dnn::matmul_plan(const Desc& a, const Desc& b, const Desc& bias,
                                              const Desc& c, const dnnl::primitive_attr& attr) {
  return {{a, b, bias, c}, attr, engine()};
}

dnnl::convolution_forward::primitive_desc dnn::to_y_plan(const Convolved& c, dnnl::prop_kind kind,
                                                         const dnnl::primitive_attr& attr) {
  return {
      {kind, direct, c.x, c.w, c.bias, c.y, c.stride, c.dilation, c.low, c.high}, attr, engine()};
}

dnnl::convolution_backward_data::primitive_desc dnn::to_x_plan(
    const Convolved& c, const dnnl::primitive_attr& attr,
    const dnnl::convolution_forward::primitive_desc& hint) {
  return {{direct, c.x, c.w, c.y, c.stride, c.dilation, c.low, c.high}, attr, engine(), hint};
}

dnnl::convolution_backward_weights::primitive_desc dnn::to_w_plan(
    const Convolved& c, const dnnl::primitive_attr& attr,
    const dnnl::convolution_forward::primitive_desc& hint) {
  return {
      {direct, c.x, c.w, c.bias, c.y, c.stride, c.dilation, c.low, c.high}, attr, engine(), hint};
}

void dnn::append_activation(dnnl::post_ops& after, dnnl::algorithm f, float slope) {
  after.append_eltwise(1, f, slope, 0);
}

void dnn::scale(dnnl::primitive_attr& attr, dnnl::post_ops&, float factor) {
  attr.set_output_scales(0, {factor});
}

}  // namespace weft
