// Tables as the content of an SQLite database file in memory (https://sqlite.org/fileformat.html), built straight from
// columns. SQLite copies the rows of such a database into another one as they are, without taking them apart:
// INSERT INTO t SELECT * FROM image.t between tables of equal declarations ("transfer optimization").
#include "page_images/pages.h"
#include "sqlite/connection.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <string>

namespace sqlamarr {

namespace {

constexpr size_t FILE_HEADER = 100;
constexpr size_t SMALL_PAGE = 16384, LARGE_PAGE = 65536; // bytes; the schema must fit into one
constexpr int64_t SMALL_IMAGE = 1 << 20;
constexpr int64_t LARGEST_IMAGE = 1 << 30; // SQLite keeps the page behind this for its locks
constexpr size_t LONGEST_CELL_HEADER = 2 * LONGEST_VARINT;

// False: the page has no room for it.
bool put_row(Page &page, int64_t rowid, const Record &record) {
    uint8_t header[LONGEST_CELL_HEADER];
    size_t n = put_varint(header, record.size());
    n += put_varint(header + n, static_cast<uint64_t>(rowid));
    if (!page.has_room(n + record.size())) return false;
    uint8_t *cell = page.cell(n + record.size());
    std::memcpy(cell, header, n);
    record.put(cell + n);
    return true;
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

bool is_null(const sqlamarr_column &column, size_t row) {
    if (column.nulls != nullptr && column.nulls[row]) return true;
    return column.type == SQLAMARR_FLOAT64 && std::isnan(static_cast<const double *>(column.data)[row]);
}

// SQLite does not look into rows that it takes over: what it would refuse is left to an ordinary INSERT.
void refuse_nulls(const sqlamarr_image_table &table) {
    for (int i = 0; i < table.n_columns; ++i)
        for (int64_t row = 0; table.required[i] && row < table.rows; ++row)
            if (is_null(table.columns[i], static_cast<size_t>(row))) throw NoPlace();
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
    refuse_nulls(table);
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
        if (put_row(page, ids[row], record)) continue;
        page.finish();
        leaves.push_back({number, ids[row - 1]});
        number = pages.take();
        page = Page(pages.at(number), pages.size(), LEAF);
        put_row(page, ids[row], record);
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
        if (!put_row(page, ++rowid, record))
            throw Error(SQLAMARR_DATA, "The declarations of the tables do not fit into one page.");
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
        throw Error(SQLAMARR_SQL, "Page images of tables need SQLite 3.36 or later.");
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
