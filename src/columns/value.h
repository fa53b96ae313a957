// One value of a column in native memory, given to SQLite.
#pragma once

#include "sqlamarr.h"
#include "sqlite/connection.h"

#include <cstdint>

namespace sqlamarr {

constexpr uintptr_t BYTES_AHEAD = 256; // four cache lines, 32 rows

inline void give_value(sqlite3_context *context, const sqlamarr_column &column, size_t row) {
    if (column.nulls != nullptr && column.nulls[row]) return;
    switch (column.type) {
    case SQLAMARR_INT64: sqlite3_result_int64(context, static_cast<const int64_t *>(column.data)[row]); break;
    case SQLAMARR_FLOAT64: {
        const double *place = static_cast<const double *>(column.data) + row;
        // A query that reads many columns beside one another is faster than the processor foresees them.
        // An address beyond the column may be asked for, but no pointer there may be computed.
        // NOLINTNEXTLINE(performance-no-int-to-ptr)
        __builtin_prefetch(reinterpret_cast<const void *>(reinterpret_cast<uintptr_t>(place) + BYTES_AHEAD));
        sqlite3_result_double(context, *place);
        break;
    }
    default:
        // The buffer outlives the statement.
        sqlite3_result_text64(context, static_cast<const char *>(column.data) + column.offsets[row],
                              static_cast<sqlite3_uint64>(column.offsets[row + 1] - column.offsets[row]), SQLITE_STATIC,
                              SQLITE_UTF8);
    }
}

} // namespace sqlamarr
