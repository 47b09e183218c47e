#include <algorithm>

#include "framework/formats/npy.h"
#include "framework/node/node.h"
#include "framework/node/plugin.h"
#include "nodes/sinks/batch_file.h"

namespace weft {
namespace {

class NpyFile final : public Node {
  In x{this, "x", "Numbers of any shape.", {.grad = false}};
  Param<std::string> path{this, "path", "The file; later batches put their number before `.`.",
                          required};

  bool whole_batch() const override { return true; }
  void infer() override { check_batch_file(*path, ".npy"); }

  void forward(const Step& step) override {
    const bool rows = x.shape().rank() > 0;
    const int64_t n = rows ? std::min(step.rows, x.rows()) : 1;
    const Shape shape = rows ? x.shape().with_front(n) : x.shape();
    write_batch_file(output(*path), step.number, encode_npy(shape, x.data()));
  }
};

WEFT_NODE(NpyFile, "npy_file", "Writes a batch as a NumPy array, float32.",
          "{x: [3, 4], path: rows.npy}")

}  // namespace
}  // namespace weft
