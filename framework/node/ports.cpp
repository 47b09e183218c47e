#include "framework/node/ports.h"

#include "framework/node/host.h"

namespace weft {

In::In(Node* owner, const char* name, const char* doc, PortTraits traits)
    : name(name), doc(doc), traits(traits) {
  if (owner) owner->host().ins.push_back(this);
}

Ins::Ins(Node* owner, const char* name, const char* doc, PortTraits traits)
    : name(name), doc(doc), traits(traits) {
  owner->host().lists.push_back(this);
}

Out::Out(Node* owner, const char* name, const char* doc, DType dtype)
    : name(name), doc(doc), index(owner->host().outs.size()) {
  value_.dtype = dtype;
  owner->host().outs.push_back(this);
}

Out::Out(Node* owner, const char* name, const char* doc, const In& like) : Out(owner, name, doc) {
  like_ = &like;
}

Out::Out(Node* owner, const char* name, const char* doc, const Ins& like) : Out(owner, name, doc) {
  likes_ = &like;
}

void Out::shape(const Shape& shape) {
  (void)shape.elements();  // refuses what cannot exist
  value_.shape = shape;
  if (like_ || likes_) value_.dtype = (like_ ? *like_ : (*likes_)[0]).dtype();
  shaped_ = true;
}

Saved::Saved(Node* owner, const char* name, const char* doc, DType dtype)
    : name(name), doc(doc), dtype(dtype) {
  value_.dtype = dtype;
  owner->host().saved.push_back(this);
}

Weight::Weight(Node* owner, const char* name, const char* doc) : name(name), doc(doc) {
  owner->host().weights.push_back(this);
}

void Weight::shape(const Shape& shape, Init init) {
  (void)shape.elements();
  value_.shape = shape;
  init_ = init;
  present_ = true;
}

State::State(Node* owner, const char* name, const char* doc) : name(name), doc(doc) {
  owner->host().states.push_back(this);
}

void State::shape(const Shape& shape, Init init) {
  (void)shape.elements();
  value_.shape = shape;
  init_ = init;
  shaped_ = true;
}

}  // namespace weft
