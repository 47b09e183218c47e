#include "framework/node/node.h"

#include "framework/node/host.h"

namespace weft {

Node::Node() : host_(std::make_unique<Host>()) {}

Node::~Node() = default;

Mode Node::mode() const {
  return host_->setting.mode;
}

bool Node::frozen() const {
  return host_->setting.frozen;
}

int64_t Node::turns() const {
  return host_->setting.turns;
}

int64_t Node::first_row() const {
  return host_->setting.first_row;
}

uint64_t Node::random_key() const {
  return host_->setting.random_key;
}

uint64_t Node::module_key() const {
  return host_->setting.module_key;
}

std::shared_ptr<const std::string> Node::fitted(const std::string& name) const {
  const Fitted* const found = host_->fitted(name);
  if (found && !found->dispute.empty()) throw Error(Exit::checkpoint, found->dispute);
  return found ? found->bytes : nullptr;
}

}  // namespace weft
