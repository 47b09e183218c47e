// How oneDNN is asked for a product or a convolution. Versions 2 and 3 spell this differently, so
// the build takes either onednn2/plans.cpp or onednn3/plans.cpp. Not for nodes.
#pragma once

#include "framework/node/dnn_call.h"

namespace weft::dnn {

using Desc = dnnl::memory::desc;
using Dims = dnnl::memory::dims;

// A matrix product. `Desc()`, which has no dimensions, stands for no bias.
dnnl::matmul::primitive_desc matmul_plan(const Desc& a, const Desc& b, const Desc& bias,
                                         const Desc& c, const dnnl::primitive_attr& attr);

// The layouts and extents of a convolution. `low` and `high` pad x on its two sides; a dilation of
// 0 means none.
struct Convolved {
  Desc x, y, w, bias;
  Dims stride, dilation, low, high;
};
dnnl::convolution_forward::primitive_desc to_y_plan(const Convolved& c, dnnl::prop_kind kind,
                                                    const dnnl::primitive_attr& attr);
dnnl::convolution_backward_data::primitive_desc to_x_plan(
    const Convolved& c, const dnnl::primitive_attr& attr,
    const dnnl::convolution_forward::primitive_desc& hint);
dnnl::convolution_backward_weights::primitive_desc to_w_plan(
    const Convolved& c, const dnnl::primitive_attr& attr,
    const dnnl::convolution_forward::primitive_desc& hint);

// These add what follows a product: first a scale, then an activation.
void scale(dnnl::primitive_attr& attr, dnnl::post_ops& after, float factor);
void append_activation(dnnl::post_ops& after, dnnl::algorithm f, float slope);

}  // namespace weft::dnn
