#include "nodes/data/idx_source.h"

#include <algorithm>
#include <array>

namespace weft {

namespace {
Error bad(const std::string& sentence) {
  return Error(Exit::data, sentence);
}

std::string count(int64_t n, const char* what) {
  return std::to_string(n) + " " + what + (n == 1 ? "" : "s");
}
}  // namespace

int64_t IdxSource::open_files(const std::filesystem::path& images,
                              const std::optional<std::filesystem::path>& labels,
                              const std::function<bool(int64_t)>& wants) {
  images_ = std::make_unique<const IdxFile>(images);
  labels_ = labels ? std::make_unique<const IdxFile>(*labels) : nullptr;
  const auto& dims = images_->dims();
  if (dims.size() == 1)
    throw bad(images_->name() +
              " holds one number for each sample, not an image: are they labels?");
  if (labels_ && labels_->dims().size() != 1)
    throw bad(labels_->name() + " holds " + count(labels_->row_bytes(), "number") +
              " for each sample, not one label");
  if (labels_ && labels_->rows() != images_->rows())
    throw bad(images_->name() + " has " + count(images_->rows(), "image") + ", but " +
              labels_->name() + " has " + count(labels_->rows(), "label"));
  if (!*flatten && dims.size() == 2)
    throw Error("the images of " + images_->name() +
                " are rows of pixels without height and width: leave `flatten` true");
  if (*flatten)
    image.shape({*batch, images_->row_bytes()});
  else
    image.shape({*batch, dims[1], dims[2], dims.size() == 4 ? dims[3] : 1});
  label.shape({*batch});
  chosen_.clear();
  for (int64_t i = 0; i < images_->rows(); ++i)
    if (wants(i)) chosen_.push_back(i);
  choice.keep(chosen_, images_->rows(), [this](int64_t i) { return label_of(i); });
  limit.cut(chosen_);
  return std::ssize(chosen_);
}

void IdxSource::load(int64_t sample, const Row& row) const {
  const int64_t from = chosen_[static_cast<size_t>(sample)];
  float* out = row[image];
  std::array<uint8_t, 1 << 14> bytes;
  for (int64_t at = 0; at < images_->row_bytes(); at += std::ssize(bytes)) {
    const int64_t n = std::min<int64_t>(std::ssize(bytes), images_->row_bytes() - at);
    images_->read(from, at, std::span(bytes).first(static_cast<size_t>(n)));
    to_floats(bytes.data(), out + at, n, *range);
  }
  *row.ints(label) = label_of(from);
}

int32_t IdxSource::label_of(int64_t image) const {
  uint8_t its = 0;
  if (labels_) labels_->read(image, 0, std::span(&its, 1));
  return labels_ ? its : -1;
}

}  // namespace weft
