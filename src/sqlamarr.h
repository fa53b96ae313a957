/* The native library's C API: everything Python (through cffi) may call.
 *
 * Rules that hold for every function that returns int:
 *   - the result is one of the sqlamarr_status values; no exception ever crosses this border;
 *   - on failure sqlamarr_last_error() of the same thread holds one readable sentence or more;
 *   - objects handed out through `T **out` belong to the caller and are released by T's _free.
 * `sqlite3 *` arguments are connections into which this same library was loaded as an extension.
 * Units: MeV, mm, mm/c unless a comment says otherwise.
 */
#ifndef SQLAMARR_H
#define SQLAMARR_H

#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define SQLAMARR_API __attribute__((visibility("default")))
#else
#define SQLAMARR_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

typedef struct sqlite3 sqlite3;

typedef enum sqlamarr_status {
    SQLAMARR_OK = 0,
    SQLAMARR_INTERNAL = 1, /* a defect of ours, or out of memory */
    SQLAMARR_SQL = 2,      /* SQLite refused: syntax, schema, constraint */
    SQLAMARR_DATA = 3,     /* the data are not what they must be */
    SQLAMARR_MODEL = 4     /* a compiled model cannot be loaded, or does not do what it declares */
} sqlamarr_status;

/* From now on this process keeps up to 256 MB of memory that is free, instead of giving it back to the system (glibc).
 */
SQLAMARR_API void sqlamarr_keep_memory(void);

SQLAMARR_API const char *sqlamarr_version(void);
SQLAMARR_API const char *sqlamarr_last_error(void);

/* ---- columns: tables in native memory --------------------------------------------------- */

typedef enum sqlamarr_type {
    SQLAMARR_INT64 = 1,   /* int64_t[rows] */
    SQLAMARR_FLOAT64 = 2, /* double[rows]; NULL is NaN */
    SQLAMARR_TEXT = 3     /* UTF-8 bytes, with rows + 1 offsets */
} sqlamarr_type;

/* One column, as both sides see it. `nulls` has a byte per row (1: NULL) or is a null pointer. */
typedef struct sqlamarr_column {
    const char *name;
    int type;
    const void *data;
    const int64_t *offsets; /* text only */
    const uint8_t *nulls;
} sqlamarr_column;

typedef struct sqlamarr_columns sqlamarr_columns; /* an owned set of columns of equal length */

SQLAMARR_API int64_t sqlamarr_columns_rows(const sqlamarr_columns *columns);
SQLAMARR_API int sqlamarr_columns_count(const sqlamarr_columns *columns);
SQLAMARR_API int sqlamarr_columns_get(const sqlamarr_columns *columns, int index, sqlamarr_column *out);
SQLAMARR_API void sqlamarr_columns_free(sqlamarr_columns *columns);
/* Texts one after another: row i is what begins at begins[i] of data, and goes to offsets[i] to offsets[i + 1]. */
SQLAMARR_API void sqlamarr_text_take(const char *data, const int64_t *begins, int64_t rows, char *out,
                                     const int64_t *offsets);

/* A value bound to a statement: name "x" of :x, @x or $x, or a null pointer for the next position. */
typedef struct sqlamarr_value {
    const char *name;
    int type; /* 0: NULL */
    int64_t integer;
    double real;
    const char *text;
    int64_t length; /* bytes of text */
} sqlamarr_value;

/* A query, compiled once, that gives its result as columns, in its own order of rows. `types` has an entry per column
 * (0: found from the values) or is a null pointer. A value that does not fit its column's declared type is an error
 * that names column and row. Free the query before its connection is closed. */
typedef struct sqlamarr_query sqlamarr_query;
SQLAMARR_API int sqlamarr_query_open(sqlite3 *db, const char *sql, const int *types, sqlamarr_query **out);
SQLAMARR_API int sqlamarr_query_run(sqlamarr_query *query, const sqlamarr_value *values, int n_values,
                                    sqlamarr_columns **out);
SQLAMARR_API void sqlamarr_query_free(sqlamarr_query *query);
/* Whether a result column is taken from its table of columns as it stands there, without SQLite's passing its values:
 * it is a plain column of the table, whose id is in the result as well. */
SQLAMARR_API int sqlamarr_query_is_plain(const sqlamarr_query *query, int column);

/* What a virtual table made by `CREATE VIRTUAL TABLE name USING sqlamarr_table([ascending,] column TYPE, ...)`
 * shows from now on: these columns, one for each that it declares and in their order. They are not copied:
 * the buffers must live until the next call for this table, or until the connection is closed. Columns
 * of type INTEGER can be looked up (=) without a scan, whatever their order. With the word `ascending`
 * the first column must strictly ascend, and queries that ask for its order get it without sorting. */
SQLAMARR_API int sqlamarr_table_set(sqlite3 *db, const char *table, const sqlamarr_column *columns, int n_columns,
                                    int64_t rows);

/* Insert columns into an existing table. A name that the table lacks is an error. */
SQLAMARR_API int sqlamarr_insert(sqlite3 *db, const char *table, const sqlamarr_column *columns, int n_columns,
                                 int64_t rows);

/* Checksums of the rows of a table, by block of 1,000 events: columns block, rows, checksum (the bits of a uint64_t),
 * in the order of the blocks. A checksum is the sum, modulo 2^64, of a hash of each row: over all columns in their
 * order, NULL other than any value, -0.0 as 0.0, text by its length and bytes. It begins with the table's name.
 * `event` is the index of the column with the events' ids; -1: the rows belong to no event, and stand in block -1, as
 * do those whose event is NULL. */
SQLAMARR_API int sqlamarr_checksums(const char *name, const sqlamarr_column *columns, int n_columns, int64_t rows,
                                    int event, sqlamarr_columns **out);

/* ---- tables as the content of a database file ---------------------------------------------------- */

typedef struct sqlamarr_image_table {
    const char *name;
    const char *sql; /* its CREATE TABLE statement */
    const sqlamarr_column *columns;
    int n_columns;           /* as many as it declares, in their order and of their types */
    const uint8_t *required; /* 1 for a column without NULL */
    int key;                 /* the column that is its INTEGER PRIMARY KEY */
    int64_t rows;
} sqlamarr_image_table;

/* A database with these tables in `out`, of which `size` bytes are used; `capacity` is at least what
 * sqlamarr_image_bound says. written[i] is 0 for a table that it could not take: its ids do not ascend, a row needs
 * more than a page, there is a NULL where there must be none. */
SQLAMARR_API int64_t sqlamarr_image_bound(const sqlamarr_image_table *tables, int n_tables);
SQLAMARR_API int sqlamarr_image_make(const sqlamarr_image_table *tables, int n_tables, uint8_t *out, int64_t capacity,
                                     uint8_t *written, int64_t *size);
/* Let an attached database show an image, for reading. The bytes must live until it is detached. */
SQLAMARR_API int sqlamarr_image_show(sqlite3 *db, const char *schema, const uint8_t *image, int64_t size);

/* ---- what statements may do -------------------------------------------------------------------- */

typedef enum sqlamarr_policy {
    SQLAMARR_TRUSTED = 0,  /* everything: statements of the package itself */
    SQLAMARR_USING = 1,    /* read, call functions, write the named tables and temporary ones */
    SQLAMARR_DECLARING = 2 /* also make tables, indexes and views */
} sqlamarr_policy;

/* Statements that are prepared on this connection from now on may do what the policy allows; others fail
 * with SQLITE_AUTH. Nothing but TRUSTED allows ATTACH, VACUUM, PRAGMAs that change something, triggers, virtual
 * tables, transactions or loading extensions. A statement that was prepared before keeps what it had. */
SQLAMARR_API int sqlamarr_set_policy(sqlite3 *db, int policy, const char *const *writable, int n_writable);
/* What the last refused statement tried to do, as the end of a sentence: "ATTACH a database"; empty if none. */
SQLAMARR_API const char *sqlamarr_denied(sqlite3 *db);

/* Note from now on (on = 1), or no longer (0), which tables the statements read that are prepared on this connection.
 * One that SQLite or its caller has kept prepared is not seen. */
SQLAMARR_API int sqlamarr_record_reads(sqlite3 *db, int on);
/* The tables of "main" noted since (and others of which no column was asked), each followed by a line feed; valid until
 * the next call. */
SQLAMARR_API const char *sqlamarr_tables_read(sqlite3 *db);

/* ---- random numbers: Philox4x32-10, key = 64 bits, counter = (id low, id high, block, stream) ---- */

SQLAMARR_API void sqlamarr_philox4x32(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4]);

/* float32 deviates, row-major n x draws: row i from ids[i], draw d from lane d mod 4 of block d div 4. */
SQLAMARR_API int sqlamarr_normals(uint64_t key, uint32_t stream, const int64_t *ids, int64_t n, int64_t draws,
                                  float *out);
SQLAMARR_API int sqlamarr_uniforms(uint64_t key, uint32_t stream, const int64_t *ids, int64_t n, int64_t draws,
                                   float *out);

/* Let uniform_at, normal_at and category_at work on this connection, with this key; 0: stop them.
 * `active` guards against use outside a step. */
SQLAMARR_API int sqlamarr_random_begin(sqlite3 *db, uint64_t key);
SQLAMARR_API int sqlamarr_random_end(sqlite3 *db);

/* ---- particle properties from the PDG numbering --------------------------------------------- */

/* Three times the electric charge in units of e, from the digits of the PDG code; SQLAMARR_DATA
 * if the code says nothing about it. */
SQLAMARR_API int sqlamarr_pdg_three_charge(int64_t pdg_id, int *three_charge);

/* ---- HepMC ASCII ------------------------------------------------------------------------------ */

typedef struct sqlamarr_hepmc_record {
    int64_t begin, end; /* bytes of the record in `text`: its E line up to the next record */
    int64_t line;       /* number of its E line in its file, from 1 */
    int64_t event_id;   /* the event that this collision belongs to */
    int64_t datasource_id;
    int32_t collision; /* position of this collision in its event, from 0 */
    int32_t format;    /* 2 or 3 */
} sqlamarr_hepmc_record;

/* Where lines that begin with "E " or "HepMC::" stand: their first `n_places` positions after `start`, the first
 * line of the text apart, and how many lines end before each. Returns how many there are; -1: `n_places` are not
 * enough. */
SQLAMARR_API int64_t sqlamarr_hepmc_borders(const char *text, int64_t length, int64_t start, int64_t *places,
                                            int64_t *lines, int64_t n_places);

typedef struct sqlamarr_hepmc sqlamarr_hepmc; /* the result of parsing */

/* Parse the records. An event with a malformed record contributes no row but one of `errors`. */
SQLAMARR_API int sqlamarr_hepmc_parse(const char *text, int64_t length, const sqlamarr_hepmc_record *records,
                                      int64_t n_records, sqlamarr_hepmc **out);
/* One of GenEvents, GenVertices, GenParticles, GenWeights, errors; the columns belong to `parsed`. */
SQLAMARR_API const sqlamarr_columns *sqlamarr_hepmc_table(const sqlamarr_hepmc *parsed, const char *name);
SQLAMARR_API void sqlamarr_hepmc_free(sqlamarr_hepmc *parsed);

/* ---- particle gun ------------------------------------------------------------------------------- */

/* How a number is drawn. Every one of these takes a single uniform number, by inversion. */
typedef struct sqlamarr_distribution {
    int32_t kind; /* 0: a; 1: flat; 2: flat in the logarithm; 3: exponential with mean c; 4: power law x^c;
                     5: Gaussian of mean c and width d; 6: histogram. All but the first within [a, b]. */
    int32_t n;    /* bins of the histogram */
    int64_t at;   /* its place in `numbers`: n + 1 edges, then n contents */
    double a, b, c, d;
} sqlamarr_distribution;

typedef struct sqlamarr_gun_species { /* a particle where it stands in a decay chain */
    int64_t pid;
    double mass, width, ctau;     /* MeV, MeV, mm; a width makes the mass vary, else ctau makes it fly */
    int32_t channels, n_channels; /* its decays; 0: stable */
    int32_t status_made;          /* HepMC status of a daughter of its kind */
    int32_t status_first;         /* HepMC status where it comes from the collision itself */
} sqlamarr_gun_species;

typedef struct sqlamarr_gun_channel {
    double fraction; /* relative to the particle's other channels */
    int32_t daughters, n_daughters;
} sqlamarr_gun_channel;

typedef struct sqlamarr_gun_choice {
    double fraction;
    int32_t species;
} sqlamarr_gun_choice;

typedef struct sqlamarr_gun_head { /* one particle of every event */
    int32_t choices, n_choices;
    int32_t size, size_kind;   /* distribution of: 0 p, 1 pT, 2 energy, 3 kinetic energy [MeV] */
    int32_t angle, angle_kind; /* distribution of: 0 theta [rad], 1 eta, 2 rapidity, 3 cos(theta) */
    int32_t phi;               /* distribution of phi [rad] */
    int32_t joint;             /* -1, or the place in `numbers` of a histogram in size and angle */
    int32_t joint_n[2];        /* its bins; edges in size, edges in angle, contents by rows of size */
    int32_t place[3];          /* distributions of x, y, z of its vertex relative to the collision [mm]; -1: there */
} sqlamarr_gun_head;

typedef struct sqlamarr_gun {
    const sqlamarr_distribution *distributions;
    const double *numbers;
    const sqlamarr_gun_species *species;
    const sqlamarr_gun_channel *channels;
    const int32_t *daughters; /* indices of species */
    const sqlamarr_gun_choice *choices;
    const sqlamarr_gun_head *heads;
    int32_t n_distributions, n_heads;
    int32_t origin[4]; /* distributions of x, y, z [mm] and t [mm/c] of the collision */
} sqlamarr_gun;

typedef struct sqlamarr_gun_event {
    int64_t event_id, datasource_id, number;
    int32_t collision;
} sqlamarr_gun_event;

/* Make events; each depends on (key, event_id + collision) alone. The tables are read as those of
 * parsed HepMC text. Indices in `gun` are trusted. `stop`, unless it is null, is asked now and
 * then; if it answers other than 0, the call fails. */
SQLAMARR_API int sqlamarr_gun_make(const sqlamarr_gun *gun, uint64_t key, const sqlamarr_gun_event *events, int64_t n,
                                   int (*stop)(void), sqlamarr_hepmc **out);

/* ---- truth ------------------------------------------------------------------------------------ */

typedef struct sqlamarr_truth_options {
    const int64_t *statuses; /* kept whatever the particle is */
    int64_t n_statuses;
    int keep_decayed;      /* also what decayed, but for partons, neutrinos and the like */
    int collapse_copies;   /* chains of copies of one particle become their last */
    int64_t signal_status; /* status that marks the signal */
} sqlamarr_truth_options;

typedef struct sqlamarr_truth_input { /* columns of GenParticles and GenVertices, sorted by id */
    int64_t n_particles, n_vertices;
    const int64_t *genparticle_id, *p_event_id, *p_genevent_id, *p_hepmc_id, *production_vertex, *end_vertex;
    const uint8_t *production_null, *end_null; /* may be null pointers */
    const int64_t *pid, *status;
    const double *pe, *px, *py, *pz, *m;
    const int64_t *genvertex_id, *v_event_id, *v_genevent_id, *v_hepmc_id, *v_status, *is_primary;
    const double *t, *x, *y, *z;
} sqlamarr_truth_input;

/* The ids (genvertex_id) of the vertices to flag as primary in collisions that have none flagged. */
SQLAMARR_API int sqlamarr_find_primaries(const sqlamarr_truth_input *input, int64_t signal_status,
                                         sqlamarr_columns **primaries);
SQLAMARR_API int sqlamarr_select_truth(const sqlamarr_truth_input *input, const sqlamarr_truth_options *options,
                                       sqlamarr_columns **mcparticles, sqlamarr_columns **mcvertices);

/* ---- compiled models ---------------------------------------------------------------------------- */

typedef struct sqlamarr_model sqlamarr_model;

/* Load `function` of the shared library at `path`, with its _batch and _info where it has them. */
SQLAMARR_API int sqlamarr_model_open(const char *path, const char *function, sqlamarr_model **out);
SQLAMARR_API void sqlamarr_model_free(sqlamarr_model *model);
/* The sizes that the model itself declares; SQLAMARR_MODEL if it declares none. */
SQLAMARR_API int sqlamarr_model_sizes(const sqlamarr_model *model, int *n_in, int *n_out, int *n_random);
SQLAMARR_API const char *sqlamarr_model_origin(const sqlamarr_model *model);
SQLAMARR_API const char *sqlamarr_model_name(const sqlamarr_model *model, int output, int index);
/* Inputs outside the range that the model declares: counts[n_in], zero where it declares none. */
SQLAMARR_API int sqlamarr_model_outside(const sqlamarr_model *model, int64_t n, int n_in, const float *in,
                                        int64_t *counts);
/* Evaluate all rows in one call if the library can (use_batch), else one by one. */
SQLAMARR_API int sqlamarr_model_call(const sqlamarr_model *model, int use_batch, int64_t n, int n_in, int n_out,
                                     int n_random, const float *in, const float *random, float *out);
/* The same, with the random numbers drawn on the way: those that sqlamarr_normals gives to ids[i], where the model does
 * not say that it does not read them. */
SQLAMARR_API int sqlamarr_model_draw(const sqlamarr_model *model, int use_batch, int64_t n, int n_in, int n_out,
                                     int n_random, const float *in, uint64_t key, uint32_t stream, const int64_t *ids,
                                     float *out);

/* What the function really does with one row, found by calling it on guarded memory: how many values
 * it writes, and whether values after the declared inputs or random numbers change the result. It may
 * crash, that is its purpose: call it in a process of its own. */
SQLAMARR_API int sqlamarr_model_probe(const sqlamarr_model *model, int n_in, int n_out, int n_random, int *written,
                                      int *reads_beyond_in, int *reads_beyond_random);

/* ---- compiled models of whole events --------------------------------------------------------------- */

typedef struct sqlamarr_event_model sqlamarr_event_model;

typedef struct sqlamarr_event_sizes {
    int n_in, n_event_in, n_out, n_random, n_event_random;
} sqlamarr_event_sizes;

typedef struct sqlamarr_event_batch { /* some events: input rows offsets[k] to offsets[k + 1] belong to event k */
    int64_t n_events;
    const int64_t *offsets;                            /* n_events + 1 */
    const float *rows, *event, *random, *event_random; /* per row and per event, row-major */
    int32_t max_rows, max_links;                       /* per event */
} sqlamarr_event_batch;

typedef struct sqlamarr_event_answers { /* output rows offsets[k] to offsets[k + 1] belong to event k */
    int64_t n_rows, n_links;
    const int64_t *offsets;            /* n_events + 1 */
    const float *rows;                 /* n_rows x n_out */
    const int64_t *link_out, *link_in; /* rows of the answers and of the batch */
    const float *link_weight;
} sqlamarr_event_answers;

/* Load `function`_event of the shared library at `path`, with its _event_info where it has one. */
SQLAMARR_API int sqlamarr_event_model_open(const char *path, const char *function, sqlamarr_event_model **out);
SQLAMARR_API void sqlamarr_event_model_free(sqlamarr_event_model *model);
/* The sizes that the model itself declares; SQLAMARR_MODEL if it declares none. */
SQLAMARR_API int sqlamarr_event_model_sizes(const sqlamarr_event_model *model, sqlamarr_event_sizes *out);
SQLAMARR_API const char *sqlamarr_event_model_origin(const sqlamarr_event_model *model);
/* Name of an input (which = 0), an input of the event (1) or an output (2); a null pointer if it has none. */
SQLAMARR_API const char *sqlamarr_event_model_name(const sqlamarr_event_model *model, int which, int index);
SQLAMARR_API int sqlamarr_event_model_outside(const sqlamarr_event_model *model, int64_t n, int n_in, const float *in,
                                              int64_t *counts);
/* All events of a batch. An event that the model cannot answer stops it: `failed` is its index in the batch,
 * else -1. What the model writes beyond its room is found, and never reaches other memory. */
SQLAMARR_API int sqlamarr_event_model_call(const sqlamarr_event_model *model, const sqlamarr_event_sizes *sizes,
                                           const sqlamarr_event_batch *batch, int64_t *failed,
                                           const sqlamarr_event_answers **out);
SQLAMARR_API void sqlamarr_event_answers_free(const sqlamarr_event_answers *answers);
/* What the function really does with an event of two rows, as in sqlamarr_model_probe. `reads_beyond` is a sum of
 * 1 (input rows), 2 (inputs of the event), 4 (random numbers of rows), 8 (random numbers of the event). */
SQLAMARR_API int sqlamarr_event_model_probe(const sqlamarr_event_model *model, const sqlamarr_event_sizes *sizes,
                                            int32_t max_rows, int32_t max_links, int *rows, int64_t *written,
                                            int *reads_beyond);

#ifdef __cplusplus
} /* extern C */
#endif

#endif
