// Pages of a database file in memory (https://sqlite.org/fileformat.html, section 1.6).
#pragma once

#include "core/errors.h"
#include "page_images/record.h"

namespace sqlamarr {

constexpr uint8_t LEAF = 0x0d, INTERIOR = 0x05;
constexpr size_t LEAF_HEADER = 8, INTERIOR_HEADER = 12, POINTER = 2;

// The pages of the image, one after another.
class Pages {
public:
    Pages(uint8_t *out, int64_t capacity, size_t size) : out_(out), capacity_(capacity), size_(size) {}

    size_t size() const { return size_; }
    uint32_t count() const { return count_; }
    uint8_t *at(uint32_t number) { return out_ + (number - 1) * size_; }
    uint32_t take() {
        if (static_cast<int64_t>((count_ + 1) * size_) > capacity_)
            throw Error(SQLAMARR_INTERNAL, "A page image of tables became larger than calculated.");
        return ++count_;
    }
    void give_back(uint32_t count) { count_ = count; }

private:
    uint8_t *out_;
    int64_t capacity_;
    size_t size_;
    uint32_t count_ = 0;
};

// A page of a B-tree: pointers to its cells grow from the front, the cells from the end.
class Page {
public:
    Page(uint8_t *page, size_t size, uint8_t type, size_t begin = 0)
        : page_(page), head_(page + begin), pointers_(begin + (type == LEAF ? LEAF_HEADER : INTERIOR_HEADER)),
          content_(size) {
        std::memset(head_, 0, pointers_ - begin);
        head_[0] = type;
    }

    bool has_room(size_t cell) const { return pointers_ + POINTER + cell <= content_; }
    uint8_t *cell(size_t bytes) { // where a new one goes
        content_ -= bytes;
        put_big_endian(page_ + pointers_, content_, POINTER);
        pointers_ += POINTER;
        ++cells_;
        return page_ + content_;
    }
    void finish() {
        put_big_endian(head_ + 3, cells_, 2);
        put_big_endian(head_ + 5, content_, 2); // 65536 becomes 0, as it shall
    }
    void last_child(uint32_t page) { put_big_endian(head_ + 8, page, 4); }

private:
    uint8_t *page_, *head_;
    size_t pointers_, content_;
    uint32_t cells_ = 0;
};

} // namespace sqlamarr
