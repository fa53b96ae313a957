// A prepared statement that finalises itself.
#pragma once

#include "core/errors.h"
#include "sqlite/connection.h"

#include <string>

namespace sqlamarr {

class Statement {
public:
    Statement(sqlite3 *db, const std::string &sql, const char *doing) : db_(db) {
        const char *tail = nullptr;
        check_sql(db, sqlite3_prepare_v2(db, sql.c_str(), static_cast<int>(sql.size()) + 1, &handle_, &tail), doing);
        if (handle_ == nullptr) throw Error(SQLAMARR_SQL, std::string(doing) + ": the statement is empty.");
        has_tail_ = !only_space(tail);
    }
    Statement(const Statement &) = delete;
    Statement &operator=(const Statement &) = delete;
    ~Statement() { sqlite3_finalize(handle_); }

    sqlite3_stmt *get() const { return handle_; }
    bool has_tail() const { return has_tail_; }
    bool step(const char *doing) {
        const int rc = sqlite3_step(handle_);
        if (rc == SQLITE_ROW) return true;
        if (rc != SQLITE_DONE) check_sql(db_, rc, doing);
        return false;
    }

private:
    static bool starts_comment(const char *text) { return text[0] == '-' && text[1] == '-'; }
    static bool only_space(const char *text) {
        while (*text == ' ' || *text == '\t' || *text == '\n' || *text == '\r' || *text == ';' ||
               starts_comment(text)) {
            if (starts_comment(text))
                while (text[1] != '\0' && text[1] != '\n') ++text;
            ++text;
        }
        return *text == '\0';
    }

    sqlite3 *db_;
    sqlite3_stmt *handle_ = nullptr;
    bool has_tail_ = false;
};

// A name as an SQL identifier.
inline std::string quote_identifier(const std::string &name) {
    std::string quoted = "\"";
    for (const char c : name) quoted += (c == '"') ? std::string("\"\"") : std::string(1, c);
    return quoted + "\"";
}

} // namespace sqlamarr
