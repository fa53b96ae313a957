// Where the records of HepMC text begin, found in one pass without parsing.
#include "sqlamarr.h"

#include <cstring>
#include <string_view>

namespace sqlamarr {

namespace {

bool begins_record(std::string_view rest) {
    return rest.starts_with("E ") || (rest.front() == 'H' && rest.starts_with("HepMC::"));
}

} // namespace

} // namespace sqlamarr

int64_t sqlamarr_hepmc_borders(const char *text, int64_t length, int64_t start, int64_t *places, int64_t *lines,
                               int64_t n_places) {
    const std::string_view all(text, static_cast<size_t>(length));
    int64_t found = 0, line = 0;
    size_t position = 0;
    while (position < all.size()) {
        const void *newline = std::memchr(text + position, '\n', all.size() - position);
        if (newline == nullptr) break;
        position = static_cast<size_t>(static_cast<const char *>(newline) - text) + 1;
        ++line;
        if (position >= all.size()) break;
        if (static_cast<int64_t>(position) <= start || !sqlamarr::begins_record(all.substr(position))) continue;
        if (found == n_places) return -1;
        places[found] = static_cast<int64_t>(position);
        lines[found++] = line;
    }
    return found;
}
