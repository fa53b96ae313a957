// What this folder registers on a connection.
#pragma once

#include "sqlite/connection.h"

namespace sqlamarr {

int register_kinematic_functions(sqlite3 *db);
int register_random_functions(sqlite3 *db, ConnectionState *state);
int register_required(sqlite3 *db); // sqlamarr_required

} // namespace sqlamarr
