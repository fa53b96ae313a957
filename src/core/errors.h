// Errors inside the library are exceptions; at its C border they become a status and a message.
#pragma once

#include "sqlamarr.h"

#include <stdexcept>
#include <string>
#include <utility>

namespace sqlamarr {

class Error : public std::runtime_error {
public:
    Error(sqlamarr_status status, const std::string &message) : std::runtime_error(message), status_(status) {}
    sqlamarr_status status() const { return status_; }

private:
    sqlamarr_status status_;
};

void set_last_error(std::string message) noexcept;

// Run `body`; turn whatever it throws into a status and the thread's error message.
template <class Body> int guard(Body &&body) noexcept {
    try {
        std::forward<Body>(body)();
        return SQLAMARR_OK;
    } catch (const Error &error) {
        set_last_error(error.what());
        return error.status();
    } catch (const std::bad_alloc &) {
        set_last_error("Out of memory.");
        return SQLAMARR_INTERNAL;
    } catch (const std::exception &error) {
        set_last_error(error.what());
        return SQLAMARR_INTERNAL;
    } catch (...) {
        set_last_error("Unknown native exception.");
        return SQLAMARR_INTERNAL;
    }
}

} // namespace sqlamarr
