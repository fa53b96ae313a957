// One line of HepMC text as a sequence of fields. Faults are thrown as Malformed.
#pragma once

#include "hepmc/text_scan.h"

#include <exception>
#include <string>
#include <string_view>
#include <utility>

namespace sqlamarr::hepmc {

struct Malformed : std::exception {
    int64_t line;
    std::string message;

    Malformed(int64_t in_line, std::string what_is_wrong) : line(in_line), message(std::move(what_is_wrong)) {}
    const char *what() const noexcept override { return message.c_str(); }
};

class Line {
public:
    Line(const char *first, const char *last, int64_t number)
        : position_(first), last_(last), first_(first), number_(number) {}

    char kind() const { return position_ == last_ ? '\0' : *position_; }
    int64_t number() const { return number_; }
    std::string_view rest() {
        position_ = skip_blanks(position_, last_);
        return {position_, size()};
    }

    void skip_kind() {
        ++position_;
        if (position_ != last_ && !is_blank(*position_)) fail("an unknown kind of line");
    }
    bool at_end() {
        position_ = skip_blanks(position_, last_);
        return position_ == last_;
    }
    int64_t integer(const char *field) {
        int64_t value = 0;
        accept(scan_integer(start(field, "an integer"), last_, value), field, "an integer");
        return value;
    }
    double real(const char *field) {
        double value = 0;
        accept(scan_real(start(field, "a number"), last_, value), field, "a number");
        return value;
    }
    double finite(const char *field); // a real that is neither NaN nor infinite
    int64_t count(const char *field, int64_t at_most);
    std::string_view word(const char *field);
    void expect_end() {
        if (!at_end()) surplus();
    }

    [[noreturn]] void fail(const std::string &what) const;

private:
    const char *position_, *last_, *first_;
    int64_t number_;

    size_t size() const { return static_cast<size_t>(last_ - position_); }
    const char *start(const char *field, const char *expected) {
        position_ = skip_blanks(position_, last_);
        if (position_ == last_) missing(field, expected);
        return position_;
    }
    void accept(const char *end, const char *field, const char *expected) {
        if (end == position_ || (end != last_ && !is_blank(*end))) mismatch(field, expected);
        position_ = end;
    }
    [[noreturn]] void missing(const char *field, const char *expected) const;
    [[noreturn]] void mismatch(const char *field, const char *expected) const;
    [[noreturn]] void surplus() const;
};

// Printable, short: for error messages.
std::string excerpt(std::string_view text);

} // namespace sqlamarr::hepmc
