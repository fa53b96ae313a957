// Numbers and rows as SQLite's file format has them (https://sqlite.org/fileformat.html, sections 1.6 and 2.1).
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <exception>
#include <string_view>
#include <vector>

namespace sqlamarr {

constexpr size_t LONGEST_VARINT = 9;

// A row, or the schema, that has no place in an image: its table is left to others.
struct NoPlace : std::exception {};

inline void put_big_endian(uint8_t *out, uint64_t value, size_t bytes) {
    for (size_t i = bytes; i-- > 0; value >>= 8) out[i] = static_cast<uint8_t>(value);
}

inline size_t put_varint(uint8_t *out, uint64_t value) {
    if (value < 0x80) {
        out[0] = static_cast<uint8_t>(value);
        return 1;
    }
    if (value >= uint64_t{1} << 56) { // the ninth byte holds eight bits
        put_big_endian(out + 8, value, 1);
        value >>= 8;
        for (size_t i = 8; i-- > 0; value >>= 7) out[i] = static_cast<uint8_t>(value | 0x80);
        return LONGEST_VARINT;
    }
    size_t n = 1;
    while (value >> (7 * n)) ++n;
    for (size_t i = n; i-- > 0; value >>= 7) out[i] = static_cast<uint8_t>((value & 0x7f) | (i + 1 < n ? 0x80 : 0));
    return n;
}

constexpr int64_t LARGEST_REAL_AS_INTEGER = 140737488355327; // 2^47 - 1: beyond, SQLite saves no space by it

// A record while it is put together: serial types, then values.
class Record {
public:
    explicit Record(size_t largest) : largest_(largest), body_(largest) {}

    void clear() { n_types_ = n_body_ = 0; }

    void null() { type(0); }

    void integer(int64_t value) {
        if (value == 0 || value == 1) return type(static_cast<uint64_t>(8 + value));
        const auto bits = static_cast<size_t>(65 - std::countl_zero(static_cast<uint64_t>(value ^ (value >> 63))));
        if (bits <= 8) return number(1, static_cast<uint64_t>(value), 1);
        if (bits <= 16) return number(2, static_cast<uint64_t>(value), 2);
        if (bits <= 24) return number(3, static_cast<uint64_t>(value), 3);
        if (bits <= 32) return number(4, static_cast<uint64_t>(value), 4);
        if (bits <= 48) return number(5, static_cast<uint64_t>(value), 6);
        number(6, static_cast<uint64_t>(value), 8);
    }

    // As SQLite does, what is whole goes as an integer: a column of type REAL gives it back as a real.
    void real(double value) {
        if (value != value) return null();
        if (value >= -static_cast<double>(LARGEST_REAL_AS_INTEGER) &&
            value <= static_cast<double>(LARGEST_REAL_AS_INTEGER) &&
            value == static_cast<double>(static_cast<int64_t>(value)))
            return integer(static_cast<int64_t>(value));
        number(7, std::bit_cast<uint64_t>(value), 8);
    }

    void text(std::string_view value) {
        type(13 + 2 * static_cast<uint64_t>(value.size()));
        if (n_body_ + value.size() > largest_) throw NoPlace();
        std::memcpy(body_.data() + n_body_, value.data(), value.size());
        n_body_ += value.size();
    }

    // Bytes of the whole: length of the header, serial types, values.
    size_t size() const { return header_length() + n_body_; }

    void put(uint8_t *out) const {
        const size_t header = header_length();
        const size_t n = put_varint(out, header);
        std::memcpy(out + n, types_.data(), n_types_);
        std::memcpy(out + header, body_.data(), n_body_);
    }

    void reserve(int columns) { types_.resize(static_cast<size_t>(columns) * LONGEST_VARINT); }

private:
    size_t header_length() const { return n_types_ + (n_types_ < 127 ? 1 : n_types_ < 16382 ? 2 : 3); }
    void type(uint64_t serial) { n_types_ += put_varint(types_.data() + n_types_, serial); }
    void number(uint8_t serial, uint64_t value, size_t bytes) {
        types_[n_types_++] = serial;
        if (n_body_ + sizeof value > largest_) throw NoPlace();
        value <<= 64 - 8 * bytes;
        put_big_endian(body_.data() + n_body_, value, sizeof value); // those behind are written over
        n_body_ += bytes;
    }

    size_t largest_;
    size_t n_types_ = 0, n_body_ = 0;
    std::vector<uint8_t> types_{}, body_;
};

} // namespace sqlamarr
