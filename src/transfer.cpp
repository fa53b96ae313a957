// Columns in and out of SQLite.
#include "extension.h"

namespace sqlamarr {
int register_column_transfer(sqlite3 *) { return SQLITE_OK; }
} // namespace sqlamarr
