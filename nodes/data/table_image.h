// The image that a table's rows name, as an output.
#pragma once

#include <optional>
#include <string>

#include "framework/node/source.h"
#include "nodes/data/image_params.h"
#include "nodes/data/image_store.h"
#include "nodes/data/table_rows.h"

namespace weft {

struct TableImage {
  Source* owner;
  Out image{owner, "image", "[batch, height, width, channels]; [batch, 0] without `image`."};
  Param<std::string> column{owner, "image", "The column that names an image file.", ""};
  ImageParams form{owner};
  std::optional<ImageStore> store{};

  Columns columns() const { return column->empty() ? Columns{} : Columns{*column}; }

  void open(const TableRows& rows) {
    image.shape({*owner->batch, 0});
    if (column->empty()) return;
    const ImageForm its = form.form();
    store.emplace(rows.files(*column), its);
    image.shape({*owner->batch, its.height, its.width, its.channels});
  }

  std::string complaint(size_t from) const { return store ? store->complaint(from) : ""; }

  void load(size_t from, const Row& row) const {
    if (store && image.wanted()) store->read(from, row[image], *form.range);
  }
};

}  // namespace weft
