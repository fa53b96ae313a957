// Columns of a query that are plain columns of a table: they need not go through SQLite.
#pragma once

#include "columns/columns.h"
#include "sqlite/connection.h"

#include <memory>
#include <string>
#include <vector>

namespace sqlamarr {

// A result column that is a column of a table, whose id is in the result too: row by row the id tells where the value
// stands, so that the query has to give the ids alone.
struct PlainColumn {
    std::shared_ptr<const TableContent> table{};
    int column = 0;    // of the table
    int id_column = 0; // of the result
};

// By result column; without `table` those that the query has to give.
using PlainColumns = std::vector<PlainColumn>;

// Which columns of a prepared query are plain: those of a table that it reads in one place only, so that they are of
// one row with the id. `types`: sqlamarr_type by result column.
PlainColumns find_plain_columns(sqlite3 *db, sqlite3_stmt *statement, const std::string &sql, const int *types);

// Fills in the plain columns; the others, their ids among them, are there.
void add_plain_columns(const PlainColumns &plain, std::deque<Column> &result);

} // namespace sqlamarr
