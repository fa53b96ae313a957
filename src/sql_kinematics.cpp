// Kinematic SQL functions.
#include "extension.h"

namespace sqlamarr {
int register_kinematic_functions(sqlite3 *) { return SQLITE_OK; }
} // namespace sqlamarr
