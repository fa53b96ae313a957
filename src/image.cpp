// Tables as the content of an SQLite database file in memory (https://sqlite.org/fileformat.html), built straight from
// columns. SQLite copies the rows of such a database into another one as they are, without taking them apart:
// INSERT INTO t SELECT * FROM image.t between tables of equal declarations ("transfer optimization").
#include "errors.h"
#include "extension.h"
#include "sqlamarr.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace sqlamarr {

namespace {

constexpr size_t FILE_HEADER = 100;
constexpr size_t SMALL_PAGE = 16384, LARGE_PAGE = 65536; // bytes; the schema must fit into one
constexpr int64_t SMALL_IMAGE = 1 << 20;
constexpr int64_t LARGEST_IMAGE = 1 << 30; // SQLite keeps the page behind this for its locks
constexpr uint8_t LEAF = 0x0d, INTERIOR = 0x05;
constexpr size_t LEAF_HEADER = 8, INTERIOR_HEADER = 12, POINTER = 2;
constexpr size_t LONGEST_VARINT = 9, LONGEST_CELL_HEADER = 2 * LONGEST_VARINT;
constexpr int64_t LARGEST_REAL_AS_INTEGER = 140737488355327; // 2^47 - 1: beyond, SQLite saves no space by it

// A row, or the schema, that has no place in an image: its table is left to others.
struct NoPlace {};

void put_big_endian(uint8_t *out, uint64_t value, size_t bytes) {
    for (size_t i = bytes; i-- > 0; value >>= 8) out[i] = static_cast<uint8_t>(value);
}

size_t put_varint(uint8_t *out, uint64_t value) {
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

// The pages of the image, one after another.
class Pages {
public:
    Pages(uint8_t *out, int64_t capacity, size_t size) : out_(out), capacity_(capacity), size_(size) {}

    size_t size() const { return size_; }
    uint32_t count() const { return count_; }
    uint8_t *at(uint32_t number) { return out_ + (number - 1) * size_; }
    uint32_t take() {
        if (static_cast<int64_t>((count_ + 1) * size_) > capacity_)
            throw Error(SQLAMARR_INTERNAL, "An image of tables became larger than was foreseen.");
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

void put_row(Page &page, int64_t rowid, const Record &record, bool &fits) {
    uint8_t header[LONGEST_CELL_HEADER];
    size_t n = put_varint(header, record.size());
    n += put_varint(header + n, static_cast<uint64_t>(rowid));
    fits = page.has_room(n + record.size());
    if (!fits) return;
    uint8_t *cell = page.cell(n + record.size());
    std::memcpy(cell, header, n);
    record.put(cell + n);
}

struct Child {
    uint32_t page;
    int64_t last; // greatest rowid below it
};

// The levels above the leaves; returns the root.
uint32_t build_interior(Pages &pages, std::vector<Child> level) {
    const size_t most = (pages.size() - INTERIOR_HEADER) / (POINTER + 4 + LONGEST_VARINT) + 1;
    while (level.size() > 1) {
        std::vector<Child> above;
        const size_t groups = (level.size() + most - 1) / most; // of two children or more each
        for (size_t group = 0; group < groups; ++group) {
            const size_t begin = level.size() * group / groups, end = level.size() * (group + 1) / groups;
            const uint32_t number = pages.take();
            Page page(pages.at(number), pages.size(), INTERIOR);
            for (size_t i = begin; i + 1 < end; ++i) {
                uint8_t key[LONGEST_VARINT];
                const size_t n = put_varint(key, static_cast<uint64_t>(level[i].last));
                uint8_t *cell = page.cell(4 + n);
                put_big_endian(cell, level[i].page, 4);
                std::memcpy(cell + 4, key, n);
            }
            page.last_child(level[end - 1].page);
            page.finish();
            above.push_back({number, level[end - 1].last});
        }
        level = std::move(above);
    }
    return level.front().page;
}

void refuse_without_order(const sqlamarr_image_table &table) {
    const sqlamarr_column &key = table.columns[table.key];
    const auto *ids = static_cast<const int64_t *>(key.data);
    if (key.type != SQLAMARR_INT64 || key.nulls != nullptr ||
        std::adjacent_find(ids, ids + table.rows, std::greater_equal<>()) != ids + table.rows)
        throw NoPlace();
}

void append(Record &record, const sqlamarr_column &column, size_t row) {
    if (column.nulls != nullptr && column.nulls[row]) return record.null();
    switch (column.type) {
    case SQLAMARR_INT64: return record.integer(static_cast<const int64_t *>(column.data)[row]);
    case SQLAMARR_FLOAT64: return record.real(static_cast<const double *>(column.data)[row]);
    default:
        return record.text({static_cast<const char *>(column.data) + column.offsets[row],
                            static_cast<size_t>(column.offsets[row + 1] - column.offsets[row])});
    }
}

// The B-tree of a table; returns its root page.
uint32_t build_table(Pages &pages, const sqlamarr_image_table &table) {
    refuse_without_order(table);
    const auto *ids = static_cast<const int64_t *>(table.columns[table.key].data);
    Record record(pages.size());
    record.reserve(table.n_columns);
    std::vector<Child> leaves;
    uint32_t number = pages.take();
    Page page(pages.at(number), pages.size(), LEAF);
    for (int64_t row = 0; row < table.rows; ++row) {
        record.clear();
        for (int i = 0; i < table.n_columns; ++i)
            i == table.key ? record.null() : append(record, table.columns[i], static_cast<size_t>(row));
        if (record.size() > pages.size() - 35) throw NoPlace(); // it would go on elsewhere
        bool fits = false;
        put_row(page, ids[row], record, fits);
        if (fits) continue;
        page.finish();
        leaves.push_back({number, ids[row - 1]});
        number = pages.take();
        page = Page(pages.at(number), pages.size(), LEAF);
        put_row(page, ids[row], record, fits);
    }
    page.finish();
    leaves.push_back({number, table.rows ? ids[table.rows - 1] : 0});
    return build_interior(pages, std::move(leaves));
}

void put_file_header(uint8_t *out, size_t page_size, uint32_t pages) {
    std::memset(out, 0, FILE_HEADER);
    std::memcpy(out, "SQLite format 3", 16);
    put_big_endian(out + 16, page_size == 65536 ? 1 : page_size, 2);
    out[18] = out[19] = 1; // written and read with a rollback journal
    out[21] = 64, out[22] = out[23] = 32;
    put_big_endian(out + 24, 1, 4); // changes
    put_big_endian(out + 28, pages, 4);
    put_big_endian(out + 40, 1, 4);       // of the schema
    put_big_endian(out + 44, 4, 4);       // format
    put_big_endian(out + 56, 1, 4);       // UTF-8
    put_big_endian(out + 92, 1, 4);       // changes when the next was written:
    put_big_endian(out + 96, 3040000, 4); // by this SQLite
}

struct Entry {
    const sqlamarr_image_table *table;
    uint32_t root;
};

// The first page: what tables there are.
void put_schema(Pages &pages, const std::vector<Entry> &entries) {
    put_file_header(pages.at(1), pages.size(), pages.count());
    Page page(pages.at(1), pages.size(), LEAF, FILE_HEADER);
    Record record(pages.size());
    record.reserve(5);
    int64_t rowid = 0;
    for (const Entry &entry : entries) {
        record.clear();
        record.text("table");
        record.text(entry.table->name);
        record.text(entry.table->name);
        record.integer(entry.root);
        record.text(entry.table->sql);
        bool fits = false;
        put_row(page, ++rowid, record, fits);
        if (!fits) throw Error(SQLAMARR_DATA, "The tables' declarations do not fit into a page.");
    }
    page.finish();
}

int64_t text_bytes(const sqlamarr_column &column, int64_t rows) {
    return column.type == SQLAMARR_TEXT ? column.offsets[rows] : 0;
}

// What the rows need at most, whatever is lost at the end of a page.
int64_t content_bound(const sqlamarr_image_table &table) {
    int64_t bytes = table.rows * (static_cast<int64_t>(LONGEST_CELL_HEADER + POINTER) + 3);
    for (int i = 0; i < table.n_columns; ++i) {
        const bool is_text = table.columns[i].type == SQLAMARR_TEXT;
        bytes +=
            table.rows * static_cast<int64_t>(is_text ? LONGEST_VARINT : 9) + text_bytes(table.columns[i], table.rows);
    }
    return bytes;
}

size_t schema_bytes(const sqlamarr_image_table *tables, int n) {
    size_t bytes = FILE_HEADER + LEAF_HEADER;
    for (int i = 0; i < n; ++i) bytes += 2 * std::strlen(tables[i].name) + std::strlen(tables[i].sql) + 64;
    return bytes;
}

size_t page_size(const sqlamarr_image_table *tables, int n) {
    int64_t bytes = 0;
    for (int i = 0; i < n; ++i) bytes += content_bound(tables[i]);
    return bytes < SMALL_IMAGE && schema_bytes(tables, n) < SMALL_PAGE ? SMALL_PAGE : LARGE_PAGE;
}

// A page is left when the next row does not fit: rows of up to half a page fill at least half of every page. Longer
// ones take a page each at worst, which is less than twice their bytes.
int64_t bound(const sqlamarr_image_table *tables, int n) {
    const auto page = static_cast<int64_t>(page_size(tables, n));
    int64_t bytes = page;
    for (int i = 0; i < n; ++i) {
        const int64_t leaves = 2 * content_bound(tables[i]) / (page - static_cast<int64_t>(LEAF_HEADER)) + 2;
        bytes += (leaves + leaves / 100 + 4) * page;
    }
    return bytes;
}

int64_t make(const sqlamarr_image_table *tables, int n, uint8_t *out, int64_t capacity, uint8_t *written) {
    std::memset(written, 0, static_cast<size_t>(n));
    Pages pages(out, capacity, page_size(tables, n));
    if (capacity > LARGEST_IMAGE || schema_bytes(tables, n) > pages.size()) return 0;
    pages.take(); // the first is written last
    std::vector<Entry> entries;
    for (int i = 0; i < n; ++i) {
        const uint32_t before = pages.count();
        try {
            entries.push_back({&tables[i], build_table(pages, tables[i])});
            written[i] = 1;
        } catch (const NoPlace &) {
            pages.give_back(before);
        }
    }
    put_schema(pages, entries);
    return static_cast<int64_t>(pages.count() * pages.size());
}

constexpr int FIRST_WITH_DESERIALIZE = 3036000;

void show(sqlite3 *db, const char *schema, const uint8_t *image, int64_t size) {
    connection_state(db);
    if (sqlite3_libversion_number() < FIRST_WITH_DESERIALIZE)
        throw Error(SQLAMARR_SQL, "Images of tables need SQLite 3.36 or later.");
    // Not said to be read-only, for BEGIN IMMEDIATE takes every attached database for writing; nobody writes to this.
    auto *bytes = const_cast<unsigned char *>(static_cast<const unsigned char *>(image));
    check_sql(db, sqlite3_deserialize(db, schema, bytes, size, size, 0), "Showing an image");
}

} // namespace

} // namespace sqlamarr

int64_t sqlamarr_image_bound(const sqlamarr_image_table *tables, int n_tables) {
    return sqlamarr::bound(tables, n_tables);
}

int sqlamarr_image_make(const sqlamarr_image_table *tables, int n_tables, uint8_t *out, int64_t capacity,
                        uint8_t *written, int64_t *size) {
    return sqlamarr::guard([&] { *size = sqlamarr::make(tables, n_tables, out, capacity, written); });
}

int sqlamarr_image_show(sqlite3 *db, const char *schema, const uint8_t *image, int64_t size) {
    return sqlamarr::guard([&] { sqlamarr::show(db, schema, image, size); });
}
