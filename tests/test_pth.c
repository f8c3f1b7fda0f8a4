/* models/pth, pickle and zip_stored: files made by code byte by byte, hostile pickles one by one, every truncation,
   refused memory, and, where the system's Python has torch, files that torch itself has written. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "core/crc32.h"
#include "core/memory.h"
#include "core/npy.h"
#include "core/rng.h"
#include "models/pth.h"
#include "tests/support/temporary.h"
#include "tests/support/tiny.h"

/* ---- writing bytes ---- */

typedef struct {
    unsigned char at[1 << 16];
    size_t size;
} bytes;

static void add(bytes *b, const void *data, size_t n)
{
    ck_assert_uint_le(b->size + n, sizeof b->at);
    memcpy(b->at + b->size, data, n);
    b->size += n;
}

static void number(bytes *b, uint64_t value, size_t n)
{
    add(b, &value, n);
}

#define TEXT(b, literal) add(b, literal, sizeof(literal) - 1)

/* ---- a zip archive of stored members ---- */

typedef struct {
    const char *name;
    const void *data;
    size_t size;
} member;

enum zip_kind { PLAIN, WIDE, DEFLATED, ENCRYPTED, WRONG_CRC, NO_CRC, COMMENT };

static void local_header(bytes *out, const member *m, enum zip_kind kind, uint32_t crc)
{
    TEXT(out, "PK\3\4");
    number(out, 45, 2);
    number(out, kind == ENCRYPTED, 2);
    number(out, kind == DEFLATED ? 8 : 0, 2);
    number(out, 0, 4);
    number(out, crc, 4);
    number(out, m->size, 4);
    number(out, m->size, 4);
    number(out, strlen(m->name), 2);
    number(out, 7, 2);
    add(out, m->name, strlen(m->name));
    TEXT(out, "FB\3\0ZZZ");
    add(out, m->data, m->size);
}

static void central_entry(bytes *out, const member *m, enum zip_kind kind, uint32_t crc, size_t at)
{
    bool wide = kind == WIDE;
    TEXT(out, "PK\1\2");
    number(out, 45 << 16 | 45, 4);
    number(out, kind == ENCRYPTED, 2);
    number(out, kind == DEFLATED ? 8 : 0, 2);
    number(out, 0, 4);
    number(out, crc, 4);
    number(out, wide ? 0xffffffff : m->size, 4);
    number(out, wide ? 0xffffffff : m->size, 4);
    number(out, strlen(m->name), 2);
    number(out, wide ? 33 : 0, 2);
    number(out, 0, 8);
    number(out, 0, 2);
    number(out, wide ? 0xffffffff : at, 4);
    add(out, m->name, strlen(m->name));
    if (!wide) return;
    TEXT(out, "xx\1\0y\1\0\30\0");
    number(out, m->size, 8);
    number(out, m->size, 8);
    number(out, at, 8);
}

static void end_records(bytes *out, size_t count, size_t begin, enum zip_kind kind)
{
    size_t length = out->size - begin, end64 = out->size;
    bool wide = kind == WIDE;
    if (wide) {
        TEXT(out, "PK\6\6");
        number(out, 44, 8);
        number(out, 45 << 16 | 45, 4);
        number(out, 0, 8);
        number(out, count, 8);
        number(out, count, 8);
        number(out, length, 8);
        number(out, begin, 8);
        TEXT(out, "PK\6\7");
        number(out, 0, 4);
        number(out, end64, 8);
        number(out, 1, 4);
    }
    TEXT(out, "PK\5\6");
    number(out, 0, 4);
    number(out, wide ? 0xffff : count, 2);
    number(out, wide ? 0xffff : count, 2);
    number(out, wide ? 0xffffffff : length, 4);
    number(out, wide ? 0xffffffff : begin, 4);
    number(out, kind == COMMENT ? 5 : 0, 2);
    if (kind == COMMENT) TEXT(out, "hello");
}

static void make_zip(bytes *out, const member *members, size_t count, enum zip_kind kind)
{
    size_t at[8];
    uint32_t crc[8];
    out->size = 0;
    for (size_t i = 0; i < count; i++) {
        at[i] = out->size;
        crc[i] = kind == NO_CRC ? 0 : reel_crc32(0, members[i].data, members[i].size) ^ (kind == WRONG_CRC);
        local_header(out, &members[i], kind, crc[i]);
    }
    size_t begin = out->size;
    for (size_t i = 0; i < count; i++) central_entry(out, &members[i], kind, crc[i], at[i]);
    end_records(out, count, begin, kind);
}

/* ---- pickles ---- */

#define P "\x80\x02"
#define S(length, text) "X" length "\0\0\0" text
#define STORAGE(class, key, count)                                                                                     \
    "(" S("\7", "storage") "ctorch\n" class "\n" S("\1", key) S("\3", "cpu") "K" count "tQ"
#define OLD(class, key, count, view)                                                                                   \
    "(" S("\7", "storage") "ctorch\n" class "\n" S("\1", key) S("\3", "cpu") "K" count view "tQ"
#define REBUILD "ctorch._utils\n_rebuild_tensor_v2\n"
#define ODICT "ccollections\nOrderedDict\n)R"
#define TENSOR(storage, offset, size, stride) REBUILD "(" storage "K" offset size stride "\x89" ODICT "tR"
#define TWO(a, b) "K" a "K" b "\x86"
#define F6 STORAGE("FloatStorage", "0", "\6")
#define GOOD TENSOR(F6, "\0", TWO("\2", "\3"), TWO("\3", "\1"))

static const float six[6] = {0, 1, 2, 3, 4, 5};

static void make_pth(bytes *out, const void *pickle, size_t size, enum zip_kind kind)
{
    member members[] = {
        {"model/data.pkl", pickle, size}, {"model/data/0", six, sizeof six}, {"model/version", "3\n", 2}};
    make_zip(out, members, 3, kind);
}

static reel_status open_bytes(reel_pth *file, const bytes *b, reel_error *error)
{
    const char *path = temporary_memory_file(b->at, b->size);
    *error = (reel_error){0};
    reel_status status = reel_pth_open(file, path, error);
    ck_assert(status == error->status);
    ck_assert(status == REEL_OK || strstr(error->text, path));
    for (const char *c = error->text; *c; c++) ck_assert_msg((unsigned char)*c >= 0x20, "%s", error->text);
    return status;
}

static bytes file_bytes;

/* Opens a zip with this object; the values of tensor `name` must be `expected`. */
static void expect_values(const void *pickle, size_t size, const char *name, const float *expected, size_t count)
{
    reel_pth file;
    reel_error error;
    float values[8];
    make_pth(&file_bytes, pickle, size, PLAIN);
    ck_assert_msg(!open_bytes(&file, &file_bytes, &error), "%s: %s", name, error.text);
    const reel_stored *t = reel_pth_find(&file, name);
    ck_assert_msg(t != NULL, "%s is not there", name);
    ck_assert_uint_eq(t->elements, count);
    ck_assert_msg(!reel_pth_read(&file, t, values, &error), "%s: %s", name, error.text);
    ck_assert(memcmp(values, expected, count * sizeof(float)) == 0);
    reel_pth_close(&file);
}

#define VALUES(pickle, name, count, ...) expect_values(pickle, sizeof(pickle) - 1, name, (float[]){__VA_ARGS__}, count)

START_TEST(tensors_are_found_wherever_they_are)
{
    VALUES(P "}" S("\1", "a") GOOD "s.", "a", 6, 0, 1, 2, 3, 4, 5);
    VALUES(P ODICT "(" S("\1", "a") GOOD S("\1", "n") "K\3u}" S("\1", "_") "Nsb.", "a", 6, 0, 1, 2, 3, 4, 5);
    VALUES(P "}" S("\1", "m") "}" S("\1", "w") GOOD "ss.", "m.w", 6, 0, 1, 2, 3, 4, 5);
    VALUES(P "}K\7](" GOOD GOOD "es.", "7.1", 6, 0, 1, 2, 3, 4, 5);
    VALUES(P "]" GOOD "a.", "0", 6, 0, 1, 2, 3, 4, 5);
    VALUES(P GOOD ".", "", 6, 0, 1, 2, 3, 4, 5);
    VALUES(P "}(U\1a" GOOD "U\1b\x88U\1cG\0\0\0\0\0\0\0\0U\1dJ\xff\xff\xff\xffU\1eM\1\2U\1f\x8fu.", "a", 6, 0, 1, 2, 3,
           4, 5);
    VALUES(P "ccollections\nOrderedDict\n]]" S("\1", "a") "a" GOOD "aa\x85R.", "a", 6, 0, 1, 2, 3, 4, 5);
    VALUES(P "}" S("\1", "a") "ctorch._utils\n_rebuild_parameter\n" GOOD "\x88" ODICT "\x87Rs.", "a", 6, 0, 1, 2, 3, 4,
           5);
    VALUES(P "}" S("\1", "a") "ctorch.nn.parameter\nParameter\n" GOOD "\x85\x81s.", "a", 6, 0, 1, 2, 3, 4, 5);
    VALUES(P "}" S("\1", "a") GOOD "q\6s" S("\1", "b") "h\6s.", "b", 6, 0, 1, 2, 3, 4, 5);
    VALUES(P "}" S("\1", "a") GOOD "r\0\0\1\0s" S("\1", "b") "j\0\0\1\0s.", "b", 6, 0, 1, 2, 3, 4, 5);
}
END_TEST

START_TEST(views_become_row_major)
{
    VALUES(P TENSOR(F6, "\0", TWO("\3", "\2"), TWO("\1", "\3")) ".", "", 6, 0, 3, 1, 4, 2, 5);
    VALUES(P TENSOR(F6, "\1", TWO("\2", "\2"), TWO("\3", "\1")) ".", "", 4, 1, 2, 4, 5);
    VALUES(P TENSOR(F6, "\4", ")", ")") ".", "", 1, 4);
    VALUES(P TENSOR(F6, "\2", "K\3\x85", "K\1\x85") ".", "", 3, 2, 3, 4);
    VALUES(P TENSOR(F6, "\1", TWO("\1", "\2"), TWO("\x63", "\4")) ".", "", 2, 1, 5);
    VALUES(P TENSOR(F6, "\6", TWO("\0", "\2"), TWO("\2", "\1")) ".", "", 0, 0);
    VALUES(P REBUILD "(" F6 "K\0ctorch\nSize\n" TWO("\2", "\3") "\x85R" TWO("\3", "\1") "\x89" ODICT "tR.", "", 6, 0, 1,
           2, 3, 4, 5);
    VALUES(P "ctorch._utils\n_rebuild_tensor\n(" F6 "K\0" TWO("\2", "\3") TWO("\3", "\1") "tR.", "", 6, 0, 1, 2, 3, 4,
           5);
}
END_TEST

#define BAD(pickle)                                                                                                    \
    {                                                                                                                  \
        pickle, sizeof(pickle) - 1                                                                                     \
    }

static const struct {
    const char *pickle;
    size_t size;
} hostile[] = {
    BAD(""),
    BAD(P),
    BAD(P "."),
    BAD(P "(."),
    BAD(P "NN."),
    BAD(P "N.N"),
    BAD("\x80\x04N."),
    BAD(P "cos\nsystem\n" S("\2", "ls") "\x85R."),
    BAD(P "cbuiltins\neval\n."),
    BAD(P "ctorch\nload\n."),
    BAD(P "c\033[31m\n\n."),
    BAD(P "cos"),
    BAD(P "i"),
    BAD(P "\xff"),
    BAD(P "0."),
    BAD(P "t."),
    BAD(P "u."),
    BAD(P "e."),
    BAD(P "a."),
    BAD(P "s."),
    BAD(P "R."),
    BAD(P "b."),
    BAD(P "Q."),
    BAD(P "q\0."),
    BAD(P "h\0."),
    BAD(P "Nq\1h\0."),
    BAD(P "j\xff\xff\xff\xff."),
    BAD(P "Nr\xff\xff\xff\xff."),
    BAD(P "\x85."),
    BAD(P "N\x86."),
    BAD(P "NN\x87."),
    BAD(P "N(\x85."),
    BAD(P "N(t"),
    BAD(P "](R"),
    BAD(P "NNa."),
    BAD(P "N(Ne."),
    BAD(P "](Nu."),
    BAD(P "}(Nu."),
    BAD(P "}(NNNu."),
    BAD(P "(](Ns"),
    BAD(P ")NNs."),
    BAD(P "NNR."),
    BAD(P "N)R."),
    BAD(P "ccollections\nOrderedDict\nNR."),
    BAD(P "ccollections\nOrderedDict\nN\x85R."),
    BAD(P "ccollections\nOrderedDict\n]Na\x85R."),
    BAD(P "ccollections\nOrderedDict\n])a\x85R."),
    BAD(P "NNb."),
    BAD(P "NQ."),
    BAD(P "X\xff\xff\xff\x7f."),
    BAD(P "X\1\0\x10\0."),
    BAD(P "X\4\0\0\0abc"),
    BAD(P "K"),
    BAD(P "J\0\0\0"),
    BAD(P "G\0\0\0"),
    BAD(P "\x8a\xff"),
    BAD(P "\x8a"),
    BAD(P "((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((N."),
    /* sound pickles of unsound objects */
    BAD(P "}N" GOOD "s."),
    BAD(P "}" S("\1", "\n") GOOD "s."),
    BAD(P "}" S("\1", "\0") GOOD "s."),
    BAD(P "}(" S("\1", "a") GOOD S("\1", "a") GOOD "u."),
    BAD(P "}(" S("\3", "a.b") GOOD S("\1", "a") "}" S("\1", "b") GOOD "su."),
    BAD(P "]q\0h\0a."),
    BAD(P "ctorch._utils\n_rebuild_parameter\n)R."),
    BAD(P REBUILD ")R."),
    BAD(P REBUILD "NNNN(" F6 "tR."),
    BAD(P REBUILD "(NK\0" TWO("\2", "\3") TWO("\3", "\1") "tR."),
    BAD(P REBUILD "(" F6 "tR."),
    BAD(P REBUILD "(" F6 "NNNtR."),
    BAD(P REBUILD "(" F6 "K\0" TWO("\2", "\3") "tR."),
    BAD(P REBUILD "(" F6 "K\0" TWO("\2", "\3") "K\1\x85tR."),
    BAD(P REBUILD "(" F6 "K\0NNtR."),
    BAD(P REBUILD "(" F6 "J\xff\xff\xff\xff" TWO("\2", "\3") TWO("\3", "\1") "tR."),
    BAD(P REBUILD "(" F6 "K\0K\2J\xff\xff\xff\xff\x86" TWO("\3", "\1") "tR."),
    BAD(P REBUILD "(" F6 "K\0" TWO("\2", "\3") "K\3J\xff\xff\xff\xff\x86tR."),
    BAD(P REBUILD "(" F6 "K\0(K\1K\1K\1K\1K\1K\1K\1K\1K\1t(K\1K\1K\1K\1K\1K\1K\1K\1K\1ttR."),
    BAD(P REBUILD "(" F6 "K\0K\2\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7f\x86" TWO("\3", "\1") "tR."),
    BAD(P REBUILD "(" F6 "K\0" TWO("\2", "\3") "\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7fK\1\x86tR."),
    BAD(P REBUILD "(" F6
                  "K\0(K\2K\2t(\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7f\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7fttR."),
    BAD(P TENSOR(F6, "\1", TWO("\2", "\3"), TWO("\3", "\1")) "."),
    BAD(P TENSOR(F6, "\0", TWO("\2", "\3"), TWO("\3", "\2")) "."),
    BAD(P TENSOR(F6, "\6", "K\1\x85", "K\1\x85") "."),
    BAD(P TENSOR(F6, "\0", TWO("\x7f", "\3"), TWO("\0", "\1")) "."),
    BAD(P TENSOR(STORAGE("FloatStorage", "0", "\5"), "\0", "K\5\x85", "K\1\x85") "."),
    BAD(P TENSOR(STORAGE("DoubleStorage", "0", "\6"), "\0", "K\5\x85", "K\1\x85") "."),
    BAD(P TENSOR(STORAGE("FloatStorage", "1", "\6"), "\0", "K\5\x85", "K\1\x85") "."),
    BAD(P TENSOR(STORAGE("Size", "0", "\6"), "\0", "K\5\x85", "K\1\x85") "."),
    BAD(P TENSOR(STORAGE("FloatStorage", "\0", "\6"), "\0", "K\5\x85", "K\1\x85") "."),
    BAD(P "]" F6 "a" STORAGE("DoubleStorage", "0", "\3") "a."),
    BAD(P "(" S("\6", "module") "NNNNtQ."),
    BAD(P "(" S("\7", "storage") "tQ."),
    BAD(P "(" S("\7", "storage") "NNNNtQ."),
    BAD(P "(" S("\7", "storage") "ctorch\nFloatStorage\n" S("\1", "0") "NNtQ."),
    BAD(P "(" S("\7", "storage") "ctorch\nFloatStorage\n" S("\1", "0") "NJ\xff\xff\xff\xfftQ."),
    BAD(P "(" S("\7", "storage") "ctorch\nFloatStorage\nNNK\6tQ."),
};

START_TEST(hostile_pickles_are_refused)
{
    for (size_t i = 0; i < sizeof hostile / sizeof *hostile; i++) {
        reel_pth file;
        reel_error error;
        make_pth(&file_bytes, hostile[i].pickle, hostile[i].size, PLAIN);
        reel_status status = open_bytes(&file, &file_bytes, &error);
        ck_assert_msg(status == REEL_BAD_DATA, "pickle %zu (%s) gave %d %s", i, hostile[i].pickle, status, error.text);
    }
    reel_pth file;
    reel_error error;
    make_pth(&file_bytes, P "cos\nsystem\n.", 13, PLAIN);
    ck_assert_int_eq(open_bytes(&file, &file_bytes, &error), REEL_BAD_DATA);
    ck_assert_ptr_nonnull(strstr(error.text, "os.system"));
}
END_TEST

/* 60 pairs, each of the one before with itself: 2^60 visits if nobody counts. */
START_TEST(a_billion_laughs_are_refused)
{
    static bytes pickle;
    reel_pth file;
    reel_error error;
    pickle.size = 0;
    TEXT(&pickle, P "N\x85q\0");
    for (unsigned char i = 0; i < 60; i++) {
        TEXT(&pickle, "h");
        number(&pickle, i, 1);
        TEXT(&pickle, "\x86q"); /* the tuple (previous, previous) */
        number(&pickle, i + 1u, 1);
    }
    TEXT(&pickle, ".");
    make_pth(&file_bytes, pickle.at, pickle.size, PLAIN);
    ck_assert_int_eq(open_bytes(&file, &file_bytes, &error), REEL_BAD_DATA);
    ck_assert_ptr_nonnull(strstr(error.text, "nested"));
}
END_TEST

/* ---- containers ---- */

#define OBJECT P "}" S("\1", "a") GOOD "s."

START_TEST(zip_containers_are_read_or_refused)
{
    static const struct {
        enum zip_kind kind;
        reel_status open, read;
    } cases[] = {{PLAIN, REEL_OK, REEL_OK},           {WIDE, REEL_OK, REEL_OK},
                 {COMMENT, REEL_OK, REEL_OK},         {NO_CRC, REEL_OK, REEL_OK},
                 {WRONG_CRC, REEL_OK, REEL_BAD_DATA}, {DEFLATED, REEL_BAD_DATA, REEL_OK},
                 {ENCRYPTED, REEL_BAD_DATA, REEL_OK}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        reel_pth file;
        reel_error error;
        float values[6];
        make_pth(&file_bytes, OBJECT, sizeof OBJECT - 1, cases[i].kind);
        ck_assert_msg(open_bytes(&file, &file_bytes, &error) == cases[i].open, "%zu: %s", i, error.text);
        if (cases[i].open == REEL_OK)
            ck_assert_int_eq(reel_pth_read(&file, reel_pth_find(&file, "a"), values, NULL), cases[i].read);
        reel_pth_close(&file);
    }
}
END_TEST

START_TEST(zip_members_must_fit)
{
    member good[] = {
        {"m/data.pkl", OBJECT, sizeof OBJECT - 1}, {"m/data/0", six, sizeof six}, {"m/byteorder", "little", 6}};
    reel_pth file;
    reel_error error;
    make_zip(&file_bytes, good, 3, PLAIN);
    ck_assert_int_eq(open_bytes(&file, &file_bytes, &error), REEL_OK);
    reel_pth_close(&file);
    for (int wrong = 0; wrong < 7; wrong++) {
        member m[3];
        memcpy(m, good, sizeof m);
        if (wrong == 0) m[2] = (member){"m/byteorder", "big", 3};
        if (wrong == 1) m[2] = (member){"m/byteorder", "bigger", 6};
        if (wrong == 2) m[2].name = "m/data/0";
        if (wrong == 3) m[0].name = "data.pkl";
        if (wrong == 4) m[1].size -= 4;
        if (wrong == 5) m[1].name = "n/data/0";
        if (wrong == 6) m[0].size -= 1;
        make_zip(&file_bytes, m, 3, PLAIN);
        ck_assert_msg(open_bytes(&file, &file_bytes, &error) == REEL_BAD_DATA, "%d: %s", wrong, error.text);
    }
}
END_TEST

static void make_legacy(bytes *out, const void *object, size_t size)
{
    out->size = 0;
    TEXT(out, "\x80\2\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.");
    TEXT(out, P "M\xe9\3.");
    TEXT(out, P "}(" S("\x10", "protocol_version") "M\xe9\3" S("\x0d", "little_endian") "\x88u.");
    add(out, object, size);
    TEXT(out, P "](" S("\1", "0") "e.");
    number(out, 6, 8);
    add(out, six, sizeof six);
}

#define OLD_OBJECT(view, offset, size, stride)                                                                         \
    P "}" S("\1", "a") TENSOR(OLD("FloatStorage", "0", "\6", view), offset, size, stride) "s."

START_TEST(the_older_container_is_read)
{
    static const char whole[] = OLD_OBJECT("N", "\0", TWO("\2", "\3"), TWO("\3", "\1"));
    static const char view[] = OLD_OBJECT("(" S("\1", "v") "K\2K\3t", "\1", "K\2\x85", "K\1\x85");
    static const char outside[] = OLD_OBJECT("(" S("\1", "v") "K\2K\3t", "\2", "K\2\x85", "K\1\x85");
    static const char beyond[] = OLD_OBJECT("(" S("\1", "v") "K\4K\3t", "\0", "K\2\x85", "K\1\x85");
    static const char odd[] = OLD_OBJECT("K\1", "\0", "K\2\x85", "K\1\x85");
    static const char other[] = P "}" S("\1", "a") TENSOR(OLD("FloatStorage", "9", "\6", "N"), "\0", ")", ")") "s.";
    reel_pth file;
    reel_error error;
    float values[6];
    make_legacy(&file_bytes, whole, sizeof whole - 1);
    ck_assert_msg(!open_bytes(&file, &file_bytes, &error), "%s", error.text);
    ck_assert_int_eq(reel_pth_read(&file, reel_pth_find(&file, "a"), values, NULL), REEL_OK);
    ck_assert(memcmp(values, six, sizeof six) == 0);
    reel_pth_close(&file);
    make_legacy(&file_bytes, view, sizeof view - 1);
    ck_assert_msg(!open_bytes(&file, &file_bytes, &error), "%s", error.text);
    ck_assert_int_eq(reel_pth_read(&file, reel_pth_find(&file, "a"), values, NULL), REEL_OK);
    ck_assert(values[0] == 3 && values[1] == 4);
    reel_pth_close(&file);
    make_legacy(&file_bytes, outside, sizeof outside - 1);
    ck_assert_int_eq(open_bytes(&file, &file_bytes, &error), REEL_BAD_DATA);
    make_legacy(&file_bytes, beyond, sizeof beyond - 1);
    ck_assert_int_eq(open_bytes(&file, &file_bytes, &error), REEL_BAD_DATA);
    make_legacy(&file_bytes, odd, sizeof odd - 1);
    ck_assert_int_eq(open_bytes(&file, &file_bytes, &error), REEL_BAD_DATA);
    make_legacy(&file_bytes, other, sizeof other - 1);
    ck_assert_int_eq(open_bytes(&file, &file_bytes, &error), REEL_BAD_DATA);
    make_legacy(&file_bytes, whole, sizeof whole - 1);
    number(&file_bytes, 0, 1);
    ck_assert_int_eq(open_bytes(&file, &file_bytes, &error), REEL_BAD_DATA);
    make_legacy(&file_bytes, whole, sizeof whole - 1);
    file_bytes.at[file_bytes.size - sizeof six - 8] = 5;
    ck_assert_int_eq(open_bytes(&file, &file_bytes, &error), REEL_BAD_DATA);
    make_legacy(&file_bytes, whole, sizeof whole - 1);
    file_bytes.at[18] = 0; /* the version */
    ck_assert_int_eq(open_bytes(&file, &file_bytes, &error), REEL_BAD_DATA);
    make_legacy(&file_bytes, whole, sizeof whole - 1);
    *(unsigned char *)memchr(file_bytes.at + 20, 0x88, 60) = 0x89; /* big-endian */
    ck_assert_int_eq(open_bytes(&file, &file_bytes, &error), REEL_BAD_DATA);
}
END_TEST

START_TEST(other_files_are_refused)
{
    static bytes tar;
    reel_pth file;
    reel_error error;
    tar.size = 1024;
    memcpy(tar.at + 257, "ustar", 5);
    ck_assert_int_eq(open_bytes(&file, &tar, &error), REEL_BAD_DATA);
    ck_assert_ptr_nonnull(strstr(error.text, "tar"));
    tar.size = 0;
    ck_assert_int_eq(open_bytes(&file, &tar, &error), REEL_BAD_DATA);
    TEXT(&tar, "PK\3\4");
    ck_assert_int_eq(open_bytes(&file, &tar, &error), REEL_BAD_DATA);
    ck_assert_int_eq(reel_pth_open(&file, "/", NULL), REEL_IO);
    ck_assert_int_eq(reel_pth_open(&file, "/no/such", NULL), REEL_IO);
}
END_TEST

/* ---- damage ---- */

START_TEST(truncated_and_mutated_files_never_crash)
{
    static bytes whole, work;
    static const char old[] = OLD_OBJECT("N", "\0", TWO("\2", "\3"), TWO("\3", "\1"));
    for (int kind = 0; kind < 3; kind++) {
        reel_pth file;
        reel_error error;
        if (kind < 2)
            make_pth(&whole, OBJECT, sizeof OBJECT - 1, kind ? WIDE : PLAIN);
        else
            make_legacy(&whole, old, sizeof old - 1);
        for (work = whole, work.size = 0; work.size < whole.size; work.size++)
            ck_assert_int_eq(open_bytes(&file, &work, &error), REEL_BAD_DATA);
        for (uint64_t round = 0; round < 10000; round++) {
            memcpy(work.at, whole.at, whole.size);
            work.size = whole.size;
            uint64_t key = reel_key((uint64_t)kind, round), changes = 1 + reel_below(key, 0, 3);
            for (uint64_t c = 0; c < changes; c++)
                work.at[reel_below(key, 2 * c + 1, whole.size)] = (unsigned char)reel_random(key, 2 * c + 2);
            if (open_bytes(&file, &work, &error) == REEL_OK)
                for (size_t i = 0; i < file.count; i++) {
                    ck_assert_uint_le(file.tensors[i].bytes, whole.size);
                    reel_pth_read(&file, &file.tensors[i], file_bytes.at, NULL);
                }
            reel_pth_close(&file);
        }
    }
}
END_TEST

START_TEST(refused_memory_is_an_error_everywhere)
{
    static const char pickle[] = P "}" S("\1", "a") TENSOR(F6, "\0", TWO("\3", "\2"), TWO("\1", "\3")) "s.";
    static const char old[] = OLD_OBJECT("N", "\0", TWO("\3", "\2"), TWO("\1", "\3"));
    for (int legacy = 0; legacy < 2; legacy++) {
        bool done = false;
        if (legacy)
            make_legacy(&file_bytes, old, sizeof old - 1);
        else
            make_pth(&file_bytes, pickle, sizeof pickle - 1, PLAIN);
        for (uint64_t at = 1; !done; at++)
            for (int after = 0; after < 2; after++) {
                reel_pth file;
                float values[6];
                const char *path = temporary_memory_file(file_bytes.at, file_bytes.size);
                reel_alloc_fail(at, after);
                reel_status status = reel_pth_open(&file, path, NULL);
                if (status == REEL_OK) status = reel_pth_read(&file, reel_pth_find(&file, "a"), values, NULL);
                reel_alloc_fail(0, false);
                ck_assert(status == REEL_OK || status == REEL_ENVIRONMENT);
                done = status == REEL_OK;
                ck_assert(!done || at > 8);
                reel_pth_close(&file);
            }
    }
}
END_TEST

/* ---- what torch writes ---- */

static const char script[] =
    "import sys\n"
    "try:\n"
    "    import torch, numpy, collections\n"
    "except ImportError:\n"
    "    sys.exit(77)\n"
    "torch.manual_seed(1)\n"
    "d = sys.argv[1]\n"
    "base = torch.randn(4, 5, 6)\n"
    "net = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4))\n"
    "opt = torch.optim.Adam(net.parameters())\n"
    "net(torch.randn(2, 3, 8, 8)).sum().backward()\n"
    "opt.step()\n"
    "named = {'base': base, 'turned': base.permute(2, 0, 1), 'part': base[1:3, ::2, 1:], 'scalar': torch.tensor(3.5),\n"
    "         'empty': torch.zeros(0, 3), 'p': torch.nn.Parameter(torch.randn(7)), 'f64': torch.randn(3).double(),\n"
    "         'f16': torch.randn(3).half(), 'i64': torch.arange(4), 'i32': torch.arange(4).int(),\n"
    "         'i16': torch.arange(4).short(), 'i8': torch.arange(-2, 2).char(), 'u8': torch.arange(4).byte(),\n"
    "         'bool': torch.tensor([True, False])}\n"
    "nested = {'epoch': 3, 'lr': 1e-3, 'best': None, 'net': net.state_dict(), 'opt': opt.state_dict(), 'list': "
    "[base]}\n"
    "flat = dict(named)\n"
    "def walk(o, n):\n"
    "    if torch.is_tensor(o):\n"
    "        flat['all.' + n] = o\n"
    "    elif isinstance(o, dict):\n"
    "        for k, v in o.items(): walk(v, (n + '.' if n else '') + str(k))\n"
    "    elif isinstance(o, (list, tuple)):\n"
    "        for k, v in enumerate(o): walk(v, (n + '.' if n else '') + str(k))\n"
    "walk(nested, '')\n"
    "for zipped in (True, False):\n"
    "    torch.save(dict(named, all=nested), d + ('/new.pth' if zipped else '/old.pth'),\n"
    "               _use_new_zipfile_serialization=zipped)\n"
    "torch.save(net, d + '/module.pth')\n"
    "with open(d + '/names', 'w') as f:\n"
    "    for i, (k, v) in enumerate(flat.items()):\n"
    "        numpy.save(d + '/%d.npy' % i, numpy.asarray(v.detach().numpy(), order='C'))\n"
    "        f.write(k + '\\n')\n";

static void compare_with_npy(const reel_pth *file, const char *folder, const char *name, int i)
{
    reel_npy array;
    reel_error error = {0};
    char number_name[32];
    snprintf(number_name, sizeof number_name, "%d.npy", i);
    const reel_stored *t = reel_pth_find(file, name);
    ck_assert_msg(t != NULL, "%s is not in %s", name, file->path);
    ck_assert_msg(!reel_npy_read(&array, temporary_path(folder, number_name), &error), "%s", error.text);
    ck_assert_msg(array.bytes == t->bytes && array.rank == t->shape.rank, "%s", name);
    ck_assert(memcmp(array.shape, t->shape.size, (size_t)array.rank * sizeof(int64_t)) == 0);
    void *values = reel_alloc(t->bytes, 1);
    ck_assert_msg(!reel_pth_read(file, t, values, &error), "%s", error.text);
    ck_assert_msg(memcmp(values, array.data, t->bytes) == 0, "%s differs", name);
    reel_free(values);
    reel_npy_free(&array);
}

START_TEST(files_of_torch_are_read)
{
    const char *folder = temporary_folder();
    char command[2048], name[200];
    reel_pth file;
    reel_error error = {0};
    ck_assert(temporary_file(temporary_path(folder, "make.py"), script, sizeof script - 1));
    snprintf(command, sizeof command, "/usr/bin/python3 '%s/make.py' '%s' 2>'%s/log'", folder, folder, folder);
    int result = system(command);
    if (!WIFEXITED(result) || WEXITSTATUS(result) == 77 || WEXITSTATUS(result) == 127) {
        printf("SKIP files_of_torch_are_read: /usr/bin/python3 has no torch (apt install python3-torch)\n");
        return;
    }
    ck_assert_int_eq(WEXITSTATUS(result), 0);
    for (int old = 0; old < 2; old++) {
        int i = 0;
        FILE *names = fopen(temporary_path(folder, "names"), "r");
        ck_assert_msg(!reel_pth_open(&file, temporary_path(folder, old ? "old.pth" : "new.pth"), &error), "%s",
                      error.text);
        while (fgets(name, sizeof name, names)) {
            name[strcspn(name, "\n")] = 0;
            compare_with_npy(&file, folder, name, i++);
        }
        ck_assert_int_ge(i, 30);
        ck_assert_uint_eq(file.count, (size_t)i);
        fclose(names);
        reel_pth_close(&file);
    }
    ck_assert_int_eq(reel_pth_open(&file, temporary_path(folder, "module.pth"), &error), REEL_BAD_DATA);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        tensors_are_found_wherever_they_are,
        views_become_row_major,
        hostile_pickles_are_refused,
        a_billion_laughs_are_refused,
        zip_containers_are_read_or_refused,
        zip_members_must_fit,
        the_older_container_is_read,
        other_files_are_refused,
        truncated_and_mutated_files_never_crash,
        refused_memory_is_an_error_everywhere,
        files_of_torch_are_read,
    };
    return tiny_suite("pth", tests, sizeof tests / sizeof *tests);
}
