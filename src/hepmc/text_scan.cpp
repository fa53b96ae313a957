#include "hepmc/text_scan.h"

#include <clocale>
#include <cstdlib>
#include <cstring>
#include <string>

#if defined(__APPLE__)
#include <xlocale.h>
#else
#include <locale.h>
#endif

namespace sqlamarr {
namespace {

locale_t c_locale() {
    static const locale_t locale = newlocale(LC_ALL_MASK, "C", nullptr);
    return locale;
}

// strtod takes more than a decimal number: hexadecimal digits, nan(...), leading white space.
bool looks_decimal(const char *first, const char *last) {
    if (first != last && (*first == '+' || *first == '-')) ++first;
    if (first == last) return false;
    if (*first == '.' || *first == 'i' || *first == 'I' || *first == 'n' || *first == 'N') return true;
    const bool hexadecimal = last - first > 1 && (first[1] == 'x' || first[1] == 'X');
    return *first >= '0' && *first <= '9' && !hexadecimal;
}

} // namespace

const char *scan_real_slowly(const char *first, const char *last, double &value) {
    const char *end = end_of_field(first, last);
    if (!looks_decimal(first, end)) return first;
    constexpr size_t short_field = 64;
    const auto length = static_cast<size_t>(end - first);
    char buffer[short_field + 1];
    std::string long_buffer;
    const char *text = buffer;
    if (length <= short_field) {
        std::memcpy(buffer, first, length);
        buffer[length] = '\0';
    } else {
        long_buffer.assign(first, length);
        text = long_buffer.c_str();
    }
    char *stop = nullptr;
    value = strtod_l(text, &stop, c_locale());
    return first + (stop - text);
}

} // namespace sqlamarr
