#include "framework/run/reader.h"

#include <algorithm>
#include <array>

#include "framework/node/host.h"

namespace weft {

Reader::Reader(const Source& source, const SampleOrder& order, bool endless)
    : source_(source), order_(order), endless_(endless), rows_(source.host().outs.size()) {
  for (const Out* out : source.host().outs) {
    outs_.push_back(std::make_unique<Out>(this, out->name, out->doc, out->dtype()));
    outs_.back()->shape(out->shape());
    Host::want(*outs_.back(), out->wanted());
  }
}

void Reader::forward(const Step& step) {
  constexpr int64_t ahead = 4;  // samples that are fetched while one is copied
  std::array<int64_t, ahead> coming{};
  for (const auto& out : outs_) rows_[out->index] = Host::value(*out);
  const int64_t here = outs_.front()->rows();
  const int64_t end = endless_ ? here : std::min(here, order_.rows(step.number) - first_row());
  for (int64_t row = 0; row < end + ahead; ++row) {
    int64_t& sample = coming[static_cast<size_t>(row % ahead)];
    if (row >= ahead) source_.load(sample, {rows_.data(), row - ahead});
    if (row < end) {
      sample = order_.sample(step.number, first_row() + row, endless_);
      source_.expect(sample);
    }
  }
}

}  // namespace weft
