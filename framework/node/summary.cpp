#include "framework/node/summary.h"

#include "framework/node/host.h"

namespace weft {

Summary::Summary(Node* owner, const char* name, const char* doc, Pass pass)
    : name(name), doc(doc), pass(pass) {
  owner->host().summaries.push_back(this);
}

void Summary::shape(int64_t part, int64_t whole) {
  size_ = part, whole_ = whole, present_ = true;
}

}  // namespace weft
