#include "framework/node/optimizer.h"

#include "framework/node/host.h"

namespace weft {

Slot::Slot(Node* owner, const char* name, const char* doc)
    : name(name), doc(doc), index(owner->host().slots.size()) {
  owner->host().slots.push_back(this);
}

}  // namespace weft
