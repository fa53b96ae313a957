// Compiled models of whole events: n input rows make m output rows and the links between them.
#include "models/guarded.h"
#include "models/shared_library.h"
#include "sqlamarr_plugin.h"

#include <limits>
#include <memory>
#include <vector>

namespace {

using sqlamarr::Error;
using EventFunction = int32_t (*)(const sqlamarr_event_input *, sqlamarr_event_output *);
using InfoFunction = const sqlamarr_event_info *(*)();

constexpr size_t SLACK = 256; // values behind the room that show whether a model writes too much
constexpr float UNTOUCHED = -7.25e9F;
constexpr sqlamarr_link NO_LINK{-1, -1, UNTOUCHED};

} // namespace

struct sqlamarr_event_model {
    sqlamarr::SharedLibrary library;
    std::string function;
    EventFunction event;
    const sqlamarr_event_info *info = nullptr;

    sqlamarr_event_model(const char *path, const char *name)
        : library(path), function(name), event(library.get<EventFunction>(function + "_event")) {
        if (const auto describe = library.find<InfoFunction>(function + "_event_info")) info = describe();
        if (info != nullptr) sqlamarr::check_abi(info->abi, label());
    }
    std::string label() const { return "Model '" + function + "' of " + library.path(); }
};

namespace {

std::string counted(int64_t n, const char *what) { return std::to_string(n) + " " + what + (n == 1 ? "" : "s"); }

// The memory in which a model writes its result of one event. Values that it leaves out are NaN, never those of the
// previous event.
class Room {
public:
    Room(const sqlamarr_event_model &model, int32_t max_rows, int32_t max_links, int n_out)
        : model_(model), max_rows_(max_rows), max_links_(max_links), n_out_(static_cast<size_t>(n_out)),
          rows_(static_cast<size_t>(max_rows) * n_out_ + SLACK), links_(static_cast<size_t>(max_links) + SLACK) {
        rows_.fill(UNTOUCHED);
        links_.fill(NO_LINK);
        std::fill_n(rows_.data(), rows_.size() - SLACK, std::numeric_limits<float>::quiet_NaN());
    }

    // The number of output rows.
    int32_t call(const sqlamarr_event_input &event) {
        out_ = {max_rows_, max_links_, rows_.data(), links_.data(), 0};
        const int32_t n = model_.event(&event, &out_);
        check_room();
        check_count(n, event);
        check_links(n, event);
        return n;
    }
    const float *rows() const { return rows_.data(); }
    const sqlamarr_link *links() const { return links_.data(); }
    int32_t n_links() const { return out_.n_links; }
    void clear(int32_t n) {
        std::fill_n(rows_.data(), static_cast<size_t>(n) * n_out_, std::numeric_limits<float>::quiet_NaN());
        std::fill_n(links_.data(), out_.n_links, NO_LINK);
    }

private:
    [[noreturn]] void fail(const std::string &what) const { throw Error(SQLAMARR_MODEL, model_.label() + " " + what); }

    void check_room() const {
        const float *beyond = rows_.data() + rows_.size() - SLACK;
        if (sqlamarr::last_changed(beyond, static_cast<int64_t>(SLACK), UNTOUCHED) > 0)
            fail("writes beyond its space for " + counted(max_rows_, "row") + ", so its code is wrong.");
        const sqlamarr_link *far = links_.data() + links_.size() - SLACK;
        if (sqlamarr::last_changed(far, static_cast<int64_t>(SLACK), NO_LINK) > 0)
            fail("writes beyond its space for " + counted(max_links_, "link") + ", so its code is wrong.");
    }
    void check_count(int32_t n, const sqlamarr_event_input &event) const {
        const std::string for_event = " for an event of " + counted(event.n, "input row") + ".";
        if (n == SQLAMARR_TOO_MANY_ROWS)
            fail("needs more than the " + counted(max_rows_, "output row") + " that max_rows allows" + for_event +
                 " Raise max_rows in the pipeline.");
        if (n == SQLAMARR_TOO_MANY_LINKS)
            fail("needs more than the " + counted(max_links_, "link") + " that max_links allows" + for_event +
                 " Raise max_links in the pipeline.");
        if (n < 0) fail("failed with code " + std::to_string(n) + for_event);
        if (n > max_rows_)
            fail("returns " + counted(n, "row") + " where max_rows allows " + std::to_string(max_rows_) + for_event);
        if (out_.n_links < 0 || out_.n_links > max_links_)
            fail("returns " + counted(out_.n_links, "link") + " where max_links allows " + std::to_string(max_links_) +
                 for_event);
    }
    void check_links(int32_t n, const sqlamarr_event_input &event) const {
        for (int32_t k = 0; k < out_.n_links; ++k) {
            const sqlamarr_link &link = links_.data()[k];
            if (link.out < 0 || link.out >= n || link.in < 0 || link.in >= event.n)
                fail("links output row " + std::to_string(link.out) + " of " + std::to_string(n) + " to input row " +
                     std::to_string(link.in) + " of " + std::to_string(event.n) + ".");
        }
    }

    const sqlamarr_event_model &model_;
    int32_t max_rows_, max_links_;
    size_t n_out_;
    sqlamarr::Guarded<float> rows_;
    sqlamarr::Guarded<sqlamarr_link> links_;
    sqlamarr_event_output out_{};
};

struct Answers : sqlamarr_event_answers {
    std::vector<int64_t> event_begin{0}, out, in;
    std::vector<float> values, weights;

    void take(const Room &room, int32_t n, int n_out, int64_t first_in) {
        const int64_t first_out = event_begin.back();
        values.insert(values.end(), room.rows(), room.rows() + static_cast<size_t>(n) * static_cast<size_t>(n_out));
        for (int32_t k = 0; k < room.n_links(); ++k) {
            out.push_back(first_out + room.links()[k].out);
            in.push_back(first_in + room.links()[k].in);
            weights.push_back(room.links()[k].weight);
        }
        event_begin.push_back(first_out + n);
    }
    void publish() {
        n_rows = event_begin.back();
        n_links = static_cast<int64_t>(out.size());
        offsets = event_begin.data();
        rows = values.data();
        link_out = out.data();
        link_in = in.data();
        link_weight = weights.data();
    }
};

sqlamarr_event_input event_of(const sqlamarr_event_batch &batch, const sqlamarr_event_sizes &sizes, int64_t k) {
    const int64_t first = batch.offsets[k];
    return {static_cast<int32_t>(batch.offsets[k + 1] - first), batch.rows + first * sizes.n_in,
            batch.event + k * sizes.n_event_in, batch.random + first * sizes.n_random,
            batch.event_random + k * sizes.n_event_random};
}

} // namespace

int sqlamarr_event_model_open(const char *path, const char *function, sqlamarr_event_model **out) {
    return sqlamarr::guard([&] { *out = new sqlamarr_event_model(path, function); });
}

void sqlamarr_event_model_free(sqlamarr_event_model *model) { delete model; }

int sqlamarr_event_model_sizes(const sqlamarr_event_model *model, sqlamarr_event_sizes *out) {
    return sqlamarr::guard([&] {
        if (model->info == nullptr) throw Error(SQLAMARR_MODEL, model->label() + " does not declare its sizes.");
        const auto &info = *model->info;
        *out = {info.n_in, info.n_event_in, info.n_out, info.n_random, info.n_event_random};
    });
}

const char *sqlamarr_event_model_origin(const sqlamarr_event_model *model) {
    return model->info != nullptr ? model->info->origin : nullptr;
}

const char *sqlamarr_event_model_name(const sqlamarr_event_model *model, int which, int index) {
    if (model->info == nullptr) return nullptr;
    const auto &info = *model->info;
    const char *const *names = which == 0 ? info.in_names : which == 1 ? info.event_in_names : info.out_names;
    const int count = which == 0 ? info.n_in : which == 1 ? info.n_event_in : info.n_out;
    return names != nullptr && index >= 0 && index < count ? names[index] : nullptr;
}

int sqlamarr_event_model_outside(const sqlamarr_event_model *model, int64_t n, int n_in, const float *in,
                                 int64_t *counts) {
    return sqlamarr::guard([&] {
        const auto *info = model->info;
        sqlamarr::count_outside(info ? info->in_min : nullptr, info ? info->in_max : nullptr, n, n_in, in, counts);
    });
}

int sqlamarr_event_model_call(const sqlamarr_event_model *model, const sqlamarr_event_sizes *sizes,
                              const sqlamarr_event_batch *batch, int64_t *failed, const sqlamarr_event_answers **out) {
    return sqlamarr::guard([&] {
        *failed = -1;
        auto answers = std::make_unique<Answers>();
        Room room(*model, batch->max_rows, batch->max_links, sizes->n_out);
        for (int64_t k = 0; k < batch->n_events; ++k) {
            *failed = k;
            const int32_t n = room.call(event_of(*batch, *sizes, k));
            answers->take(room, n, sizes->n_out, batch->offsets[k]);
            room.clear(n);
        }
        *failed = -1;
        answers->publish();
        *out = answers.release();
    });
}

void sqlamarr_event_answers_free(const sqlamarr_event_answers *answers) {
    delete static_cast<const Answers *>(answers);
}

namespace {

// One event of two rows, on guarded memory.
struct Trial {
    static constexpr int32_t n = 2;
    static constexpr size_t slack = 4096;
    const sqlamarr_event_model &model;
    const sqlamarr_event_sizes &sizes;
    int32_t max_rows, max_links;
    sqlamarr::Guarded<float> inputs[4]{
        sqlamarr::Guarded<float>(room(n * sizes.n_in)), sqlamarr::Guarded<float>(room(sizes.n_event_in)),
        sqlamarr::Guarded<float>(room(n * sizes.n_random)), sqlamarr::Guarded<float>(room(sizes.n_event_random))};
    sqlamarr::Guarded<float> rows;
    sqlamarr::Guarded<sqlamarr_link> links;
    sqlamarr_event_output out{};

    Trial(const sqlamarr_event_model &the_model, const sqlamarr_event_sizes &the_sizes, int32_t rows_allowed,
          int32_t links_allowed)
        : model(the_model), sizes(the_sizes), max_rows(rows_allowed), max_links(links_allowed),
          rows(static_cast<size_t>(max_rows) * static_cast<size_t>(sizes.n_out) + slack),
          links(static_cast<size_t>(max_links) + slack) {}

    static size_t room(int count) { return count > 0 ? static_cast<size_t>(count) + slack : 0; }
    int declared(int which) const {
        const int counts[] = {n * sizes.n_in, sizes.n_event_in, n * sizes.n_random, sizes.n_event_random};
        return counts[which];
    }

    // Ordinary values, and `padding` behind those of one kind.
    int32_t call(int padded, float padding, float pattern) {
        for (int which = 0; which < 4; ++which) {
            inputs[which].fill(which == padded ? padding : 0.0F);
            for (int i = 0; i < declared(which); ++i)
                inputs[which].data()[i] = which < 2 ? 0.5F : 0.1F * static_cast<float>(i % 7 - 3);
        }
        rows.fill(pattern);
        const sqlamarr_event_input event{n, inputs[0].data(), inputs[1].data(), inputs[2].data(), inputs[3].data()};
        out = {max_rows, max_links, rows.data(), links.data(), 0};
        return model.event(&event, &out);
    }
    int64_t written(float pattern) const {
        return sqlamarr::last_changed(rows.data(), static_cast<int64_t>(rows.size()), pattern);
    }
    bool reads_beyond(int which) {
        if (declared(which) == 0) return false; // there, even the first value is unreadable
        const int32_t plain = call(-1, 0.0F, UNTOUCHED);
        const std::vector<float> before(rows.data(), rows.data() + rows.size());
        const int32_t padded = call(which, std::numeric_limits<float>::quiet_NaN(), UNTOUCHED);
        return plain != padded || std::memcmp(before.data(), rows.data(), before.size() * sizeof(float)) != 0;
    }
};

} // namespace

int sqlamarr_event_model_probe(const sqlamarr_event_model *model, const sqlamarr_event_sizes *sizes, int32_t max_rows,
                               int32_t max_links, int *rows, int64_t *written, int *reads_beyond) {
    return sqlamarr::guard([&] {
        Trial trial(*model, *sizes, max_rows, max_links);
        *rows = trial.call(-1, 0.0F, UNTOUCHED);
        *written = trial.written(UNTOUCHED);
        trial.call(-1, 0.0F, 3.5e-11F);
        *written = std::max(*written, trial.written(3.5e-11F));
        *reads_beyond = 0;
        for (int which = 0; which < 4; ++which) *reads_beyond |= trial.reads_beyond(which) << which;
    });
}
