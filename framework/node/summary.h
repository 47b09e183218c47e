// Numbers about the whole batch that a node in lanes needs, such as the means that normalise it.
//
// summarize() writes what a lane has to say of its rows, join() makes of all lanes' parts what is
// said of the batch, and forward() or backward() reads that. Lanes may run on many threads and in
// many processes: parts are joined in the order of the rows, so results have the same bits. Where a
// batch is not cut, there is one part, of all rows.
#pragma once

#include "framework/node/node.h"

namespace weft {

class WEFT_API Summary {
 public:
  // `pass` is forward or backward: what it is made before.
  Summary(Node* owner, const char* name, const char* doc, Pass pass);
  Summary(const Summary&) = delete;

  // infer() calls it, or leaves the summary absent: how many numbers each lane writes, and how many
  // are made of them.
  void shape(int64_t part, int64_t whole);
  int64_t parts() const { return parts_; }
  double* part(int64_t i) const { return numbers_ + i * stride(); }  // of the i-th lane
  double* part() const { return part(own_); }                        // of this one
  double* whole() const { return numbers_ + parts_ * stride(); }

  const char* const name;
  const char* const doc;
  const Pass pass;

 private:
  friend struct Host;
  int64_t stride() const { return (size_ + 7) / 8 * 8; }  // whole cache lines

  double* numbers_ = nullptr;
  int64_t size_ = 0, whole_ = 0, parts_ = 1, own_ = 0;
  bool present_ = false;
};

}  // namespace weft
