#include "core/errors.h"

namespace sqlamarr {

namespace {
thread_local std::string last_error;
}

void set_last_error(std::string message) noexcept { last_error = std::move(message); }

} // namespace sqlamarr

const char *sqlamarr_last_error(void) { return sqlamarr::last_error.c_str(); }

const char *sqlamarr_version(void) { return SQLAMARR_VERSION; }
