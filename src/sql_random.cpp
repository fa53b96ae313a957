// Random SQL functions.
#include "extension.h"

namespace sqlamarr {
int register_random_functions(sqlite3 *, ConnectionState *) { return SQLITE_OK; }
} // namespace sqlamarr
