#include "hepmc/line.h"

#include <cmath>
#include <limits>

namespace sqlamarr::hepmc {

std::string excerpt(std::string_view text) {
    constexpr size_t longest = 40;
    std::string out(text.substr(0, longest));
    for (char &c : out) {
        if (c < ' ' || c > '~') c = '?';
    }
    return text.size() > longest ? out + "..." : out;
}

double Line::finite(const char *field) {
    const double value = real(field);
    if (!(std::fabs(value) <= std::numeric_limits<double>::max()))
        fail(std::string(field) + " must be a finite number, found " + (std::isnan(value) ? "NaN" : "infinity"));
    return value;
}

int64_t Line::count(const char *field, int64_t at_most) {
    const int64_t value = integer(field);
    if (value < 0 || value > at_most)
        fail(std::string(field) + " must lie between 0 and " + std::to_string(at_most) + ", found " +
             std::to_string(value));
    return value;
}

std::string_view Line::word(const char *field) {
    const char *begin = start(field, "a word");
    position_ = end_of_field(begin, last_);
    return {begin, static_cast<size_t>(position_ - begin)};
}

void Line::fail(const std::string &what) const {
    throw Malformed{number_,
                    what + " (the line begins \"" + excerpt({first_, static_cast<size_t>(last_ - first_)}) + "\")"};
}

void Line::missing(const char *field, const char *expected) const {
    fail(std::string("too few fields: expected ") + expected + " for " + field + ", found the end of the line");
}

void Line::mismatch(const char *field, const char *expected) const {
    const char *end = end_of_field(position_, last_);
    fail(std::string("expected ") + expected + " for " + field + ", found \"" +
         excerpt({position_, static_cast<size_t>(end - position_)}) + "\"");
}

void Line::surplus() const {
    fail("too many fields: expected the end of the line, found \"" + excerpt({position_, size()}) + "\"");
}

} // namespace sqlamarr::hepmc
