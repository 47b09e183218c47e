#include "framework/node/host.h"

#include <algorithm>

#include "framework/node/source.h"

namespace weft {

ParamBase* Host::param(std::string_view name) const {
  const auto found = std::find_if(params.begin(), params.end(),
                                  [&](const ParamBase* param) { return param->name == name; });
  return found == params.end() ? nullptr : *found;
}

const Fitted* Host::fitted(const std::string& name) const {
  if (!setting.fitted) return nullptr;
  const auto found = setting.fitted->find(name);
  return found == setting.fitted->end() ? nullptr : &found->second;
}

bool Host::summarizes(Pass pass) const {
  return std::ranges::any_of(summaries, [&](const Summary* summary) {
    return summary->pass == pass && summary->present_;
  });
}

void Host::follow(ParamBase& param, double least, double most) {
  param.span_ = {least, most};
}

void Host::wire(In& in, const Shape& shape, DType dtype, bool wants_grad) {
  in.value_.shape = shape;
  in.value_.dtype = dtype;
  in.wired_ = true;
  want_grad(in, wants_grad);
}

void Host::resize(Ins& list, Node& owner, size_t count) {
  while (list.all_.size() < count) {
    list.all_.push_back(std::make_unique<In>(nullptr, list.name, list.doc, list.traits));
    owner.host().ins.push_back(list.all_.back().get());
  }
}

const std::string& Host::complaint(const Fit& fit) {
  return fit.complaint_;
}

}  // namespace weft
