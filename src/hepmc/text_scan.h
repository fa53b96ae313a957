// Numbers out of text that need not end in a NUL: never past `end`, never by the locale.
#pragma once

#include <charconv>
#include <cstdint>
#include <system_error>

namespace sqlamarr {

// strtod in the C locale on a copy of the field; returns the end of the number, `first` if there is none.
const char *scan_real_slowly(const char *first, const char *last, double &value);

inline bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r'; }

inline const char *skip_blanks(const char *first, const char *last) {
    while (first != last && is_blank(*first)) ++first;
    return first;
}

inline const char *end_of_field(const char *first, const char *last) {
    while (first != last && !is_blank(*first)) ++first;
    return first;
}

// Both return the end of the number, or `first` if no number starts there.
inline const char *scan_integer(const char *first, const char *last, int64_t &value) {
    const char *digits = first != last && *first == '+' ? first + 1 : first;
    const auto [end, code] = std::from_chars(digits, last, value);
    return code == std::errc() ? end : first;
}

inline const char *scan_real(const char *first, const char *last, double &value) {
#if defined(__cpp_lib_to_chars) && __cpp_lib_to_chars >= 201611L
    const auto [end, code] = std::from_chars(first, last, value);
    if (code == std::errc()) return end;
#endif
    return scan_real_slowly(first, last, value); // also "+1", and what over- or underflows
}

} // namespace sqlamarr
