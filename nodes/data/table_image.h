// The image of a table's row.
#pragma once

#include <memory>
#include <string>
#include <tuple>

#include "nodes/data/image_params.h"
#include "nodes/data/image_store.h"
#include "nodes/data/shared.h"
#include "nodes/data/table_rows.h"

namespace weft {

struct TableImage {
  Source* owner;
  Out image{owner, "image", "[batch, height, width, channels]; [batch, 0] without `image`."};
  Param<std::string> column{owner, "image", "The column that names an image file.", ""};
  ImageParams form{owner};
  std::shared_ptr<ImageStore> store{};

  Columns columns() const { return column->empty() ? Columns{} : Columns{*column}; }

  void open(const TableRows& rows) {
    image.shape({*owner->batch, 0});
    if (column->empty()) return;
    const ImageForm its = form.form();
    store = shared<ImageStore>(std::tuple(rows.query, *column, its), [&] {
      return std::make_shared<ImageStore>(rows.files(*column), its);
    });
    image.shape({*owner->batch, its.height, its.width, its.channels});
  }

  std::string complaint(size_t from) const { return store ? store->complaint(from) : ""; }

  void load(size_t from, int64_t row) {
    if (store) store->read(from, image.data() + row * image.row_size(), *form.range);
  }
};

}  // namespace weft
