#include "columns/columns.h"

#include "core/errors.h"

#include <algorithm>

int64_t sqlamarr_columns_rows(const sqlamarr_columns *columns) { return columns->table.rows(); }

int sqlamarr_columns_count(const sqlamarr_columns *columns) { return static_cast<int>(columns->table.columns.size()); }

int sqlamarr_columns_get(const sqlamarr_columns *columns, int index, sqlamarr_column *out) {
    return sqlamarr::guard([&] {
        const sqlamarr::Column &column = columns->table.columns.at(static_cast<size_t>(index));
        const void *data = column.bytes.data();
        if (column.type == SQLAMARR_INT64) data = column.integers.data();
        if (column.type == SQLAMARR_FLOAT64) data = column.reals.data();
        *out = {column.name.c_str(), column.type, data, column.type == SQLAMARR_TEXT ? column.offsets.data() : nullptr,
                column.nulls.empty() ? nullptr : column.nulls.data()};
    });
}

void sqlamarr_columns_free(sqlamarr_columns *columns) { delete columns; }

void sqlamarr_text_take(const char *data, const int64_t *begins, int64_t rows, char *out, const int64_t *offsets) {
    for (int64_t row = 0; row < rows; ++row)
        std::copy_n(data + begins[row], offsets[row + 1] - offsets[row], out + offsets[row]);
}
