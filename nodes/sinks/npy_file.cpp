#include <algorithm>

#include "framework/formats/npy.h"
#include "framework/node/plugin.h"
#include "framework/node/sink.h"

namespace weft {
namespace {

class NpyFile final : public Sink {
  In x{this, "x", "Numbers of any shape.", {.grad = false}};
  Param<std::string> path{this, "path", "The file; later batches put their number before `.`.",
                          required};

  void infer() override { check_output(*path, ".npy"); }

  void forward(const Step& step) override {
    const bool rows = x.shape().rank() > 0;
    const int64_t n = rows ? std::min(step.rows, x.rows()) : 1;
    const Shape shape = rows ? x.shape().with_front(n) : x.shape();
    write(*path, step, encode_npy(shape, x.data()));
  }
};

WEFT_NODE(NpyFile, "npy_file", "Writes a batch as a NumPy array, float32.",
          "{x: [3, 4], path: rows.npy}")

}  // namespace
}  // namespace weft
