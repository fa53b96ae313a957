// What this folder registers on a connection.
#pragma once

#include "sqlite/connection.h"

namespace sqlamarr {

int register_column_reader(sqlite3 *db);                         // sqlamarr_sink
int register_column_writer(sqlite3 *db);                         // sqlamarr_source, sqlamarr_wide_source
int register_column_tables(sqlite3 *db, ConnectionState *state); // sqlamarr_table

} // namespace sqlamarr
