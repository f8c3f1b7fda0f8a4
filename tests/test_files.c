/* core/file, core/crc32 and core/npy: round trips, hostile files, and every way in which saving can fail. System calls
   are made to fail by this program's own write, fsync, close and rename, which the linker prefers to libc's. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/crc32.h"
#include "core/file.h"
#include "core/memory.h"
#include "core/npy.h"
#include "core/rng.h"
#include "tests/support/temporary.h"
#include "tests/support/tiny.h"

/* ---- failing system calls ---- */

enum call { WRITE, FSYNC, CLOSE, RENAME, CALLS };
static struct {
    bool armed;
    int fail_at[CALLS], seen[CALLS]; /* fail_at counts from 1; 0 never */
    int with;                        /* errno */
    size_t short_write;              /* at most so many bytes a write; 0 no limit */
    char order[64];                  /* first letters of the calls */
} inject;

static bool told_to_fail(enum call call, char letter)
{
    if (!inject.armed) return false;
    size_t n = strlen(inject.order);
    if (n + 1 < sizeof inject.order) inject.order[n] = letter;
    if (++inject.seen[call] != inject.fail_at[call]) return false;
    errno = inject.with;
    return true;
}

ssize_t write(int fd, const void *data, size_t bytes)
{
    if (told_to_fail(WRITE, 'w')) return -1;
    if (inject.armed && inject.short_write && bytes > inject.short_write) bytes = inject.short_write;
    return syscall(SYS_write, fd, data, bytes);
}

int fsync(int fd)
{
    return told_to_fail(FSYNC, 's') ? -1 : (int)syscall(SYS_fsync, fd);
}

int close(int fd)
{
    int result = (int)syscall(SYS_close, fd);
    return told_to_fail(CLOSE, 'c') ? -1 : result;
}

int rename(const char *from, const char *to)
{
    return told_to_fail(RENAME, 'r') ? -1 : (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
}

static void arm(int with)
{
    memset(&inject, 0, sizeof inject);
    inject.armed = true;
    inject.with = with;
}

static void disarm(void)
{
    inject.armed = false;
}

static void check_contents(const char *path, const void *data, size_t bytes)
{
    unsigned char *read;
    size_t n;
    reel_error error = {0};
    ck_assert_msg(reel_file_read(path, 1 << 26, &read, &n, &error) == REEL_OK, "%s", error.text);
    ck_assert_uint_eq(n, bytes);
    ck_assert(memcmp(read, data, bytes) == 0);
    reel_free(read);
}

/* ---- checksums ---- */

START_TEST(checksums_match_their_published_check_values)
{
    unsigned char text[300];
    ck_assert_uint_eq(reel_crc32c(0, "123456789", 9), 0xe3069283u);
    ck_assert_uint_eq(reel_crc32(0, "123456789", 9), 0xcbf43926u);
    ck_assert_uint_eq(reel_crc32c(0, "", 0), 0);
    for (unsigned i = 0; i < sizeof text; i++) text[i] = (unsigned char)reel_random(1, i);
    for (unsigned cut = 0; cut <= sizeof text; cut++)
        ck_assert_uint_eq(reel_crc32c(reel_crc32c(0, text, cut), text + cut, sizeof text - cut),
                          reel_crc32c(0, text, sizeof text));
}
END_TEST

/* ---- reading ---- */

START_TEST(reads_whole_files_up_to_the_limit)
{
    const char *path = temporary_path(temporary_folder(), "a");
    unsigned char *data;
    size_t bytes;
    reel_error error = {0};
    ck_assert(temporary_file(path, "12345", 5));
    ck_assert_int_eq(reel_file_read(path, 5, &data, &bytes, &error), REEL_OK);
    ck_assert_str_eq((char *)data, "12345");
    ck_assert_uint_eq(bytes, 5);
    reel_free(data);
    ck_assert_int_eq(reel_file_read(path, 4, &data, &bytes, &error), REEL_BAD_DATA);
    ck_assert_ptr_null(data);
    ck_assert_ptr_nonnull(strstr(error.text, path));
    ck_assert(temporary_file(path, "", 0));
    ck_assert_int_eq(reel_file_read(path, 0, &data, &bytes, NULL), REEL_OK);
    ck_assert_uint_eq(bytes, 0);
    reel_free(data);
}
END_TEST

START_TEST(refuses_what_is_no_regular_file)
{
    const char *folder = temporary_folder(), *fifo = temporary_path(folder, "fifo"),
               *loop = temporary_path(folder, "l");
    const char *secret = temporary_path(folder, "secret");
    ck_assert_int_eq(mkfifo(fifo, 0600), 0);
    ck_assert_int_eq(symlink("l", loop), 0);
    ck_assert(temporary_file(secret, "x", 1));
    ck_assert_int_eq(chmod(secret, 0), 0);
    const char *paths[] = {folder, fifo, loop, "/dev/null", temporary_path(folder, "missing"), secret, ""};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        unsigned char *data;
        size_t bytes;
        reel_error error = {0};
        if (paths[i] == secret && geteuid() == 0) continue; /* permissions do not bind root */
        ck_assert_int_eq(reel_file_read(paths[i], 100, &data, &bytes, &error), REEL_IO);
        ck_assert_ptr_nonnull(strstr(error.text, paths[i]));
        ck_assert_ptr_null(strchr(error.text, '\n'));
    }
}
END_TEST

START_TEST(a_file_that_shrinks_is_an_error)
{
    const char *path = temporary_path(temporary_folder(), "a");
    int fd;
    uint64_t bytes;
    char buffer[8];
    reel_error error = {0};
    ck_assert(temporary_file(path, "12345678", 8));
    ck_assert_int_eq(reel_file_open(path, &fd, &bytes, &error), REEL_OK);
    ck_assert_uint_eq(bytes, 8);
    ck_assert_int_eq(truncate(path, 3), 0);
    ck_assert_int_eq(reel_file_read_at(fd, path, 0, buffer, 8, &error), REEL_BAD_DATA);
    close(fd);
}
END_TEST

/* ---- writing ---- */

START_TEST(writes_replace_the_file_and_keep_its_permissions)
{
    const char *folder = temporary_folder(), *path = temporary_path(folder, "a");
    size_t size = 700001;
    unsigned char *data = reel_alloc_raw(size, 1);
    struct stat about;
    reel_writer w;
    reel_error error = {0};
    for (size_t i = 0; i < size; i++) data[i] = (unsigned char)reel_random(2, i);
    ck_assert_int_eq(reel_file_write(path, "old", 3, &error), REEL_OK);
    ck_assert_int_eq(chmod(path, 0640), 0);
    ck_assert_int_eq(reel_writer_open(&w, path, &error), REEL_OK);
    for (size_t at = 0, n = 1; at < size; at += n, n = n * 3 + 1) {
        if (n > size - at) n = size - at;
        ck_assert_int_eq(reel_writer_write(&w, data + at, n, &error), REEL_OK);
    }
    check_contents(path, "old", 3);
    ck_assert_int_eq(reel_writer_commit(&w, &error), REEL_OK);
    reel_writer_abandon(&w);
    check_contents(path, data, size);
    ck_assert_int_eq(stat(path, &about), 0);
    ck_assert_int_eq(about.st_mode & 0777, 0640);
    ck_assert_int_eq(temporary_entries(folder), 1);
    reel_free(data);
}
END_TEST

START_TEST(abandoning_leaves_the_old_file_and_nothing_else)
{
    const char *folder = temporary_folder(), *path = temporary_path(folder, "a");
    reel_writer w;
    reel_error error = {0};
    ck_assert_int_eq(reel_file_write(path, "old", 3, &error), REEL_OK);
    ck_assert_int_eq(reel_writer_open(&w, path, &error), REEL_OK);
    ck_assert_int_eq(reel_writer_write(&w, "new", 3, &error), REEL_OK);
    reel_writer_abandon(&w);
    check_contents(path, "old", 3);
    ck_assert_int_eq(temporary_entries(folder), 1);
    ck_assert_int_eq(reel_writer_write(&w, "x", 1, &error), REEL_USAGE);
    ck_assert_int_eq(reel_writer_commit(&w, NULL), REEL_USAGE);
}
END_TEST

START_TEST(targets_that_cannot_be_replaced_are_refused)
{
    const char *folder = temporary_folder();
    const char *paths[] = {"/dev/null",    folder, temporary_path(folder, "no/such/a"),
                           "/proc/self/a", "",     temporary_path(folder, "b/")};
    reel_writer w;
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        reel_error error = {0};
        ck_assert_int_eq(reel_writer_open(&w, paths[i], &error), REEL_IO);
        ck_assert_ptr_nonnull(strstr(error.text, paths[i]));
        reel_writer_abandon(&w);
    }
    ck_assert_int_eq(temporary_entries(folder), 0);
}
END_TEST

START_TEST(a_temporary_file_left_by_a_killed_process_does_not_stop_saving)
{
    const char *folder = temporary_folder(), *path = temporary_path(folder, "a");
    char stale[1200];
    snprintf(stale, sizeof stale, "%s.tmp.%ld", path, (long)getpid());
    ck_assert(temporary_file(stale, "half", 4));
    ck_assert_int_eq(reel_file_write(path, "new", 3, NULL), REEL_OK);
    check_contents(path, "new", 3);
    ck_assert_int_eq(temporary_entries(folder), 1);
}
END_TEST

START_TEST(folders_are_made_with_those_above_them)
{
    reel_error error = {0};
    char path[4200];
    const char *folder = temporary_folder();
    snprintf(path, sizeof path, "%s/a/b//c/", folder);
    ck_assert_msg(!reel_make_folders(path, &error), "%s", error.text);
    ck_assert_msg(!reel_make_folders(path, &error), "%s", error.text);
    struct stat about;
    ck_assert(!stat(path, &about) && S_ISDIR(about.st_mode));
    snprintf(path, sizeof path, "%s/a/file", folder);
    ck_assert(temporary_file(path, "x", 1));
    strcat(path, "/b");
    ck_assert_int_eq(reel_make_folders(path, &error), REEL_IO);
    ck_assert_int_eq(reel_make_folders("", NULL), REEL_USAGE);
    memset(path, 'a', sizeof path - 1);
    path[sizeof path - 1] = 0;
    ck_assert_int_eq(reel_make_folders(path, NULL), REEL_USAGE);
}
END_TEST

START_TEST(a_bare_name_is_saved_in_the_current_directory)
{
    char before[4096];
    const char *folder = temporary_folder();
    ck_assert_ptr_nonnull(getcwd(before, sizeof before));
    ck_assert_int_eq(chdir(folder), 0);
    ck_assert_int_eq(reel_file_write("bare", "x", 1, NULL), REEL_OK);
    check_contents("bare", "x", 1);
    ck_assert_int_eq(chdir(before), 0);
}
END_TEST

START_TEST(saving_syncs_then_renames_then_syncs_the_folder)
{
    const char *path = temporary_path(temporary_folder(), "a");
    arm(0);
    reel_status status = reel_file_write(path, "new", 3, NULL);
    disarm();
    ck_assert_int_eq(status, REEL_OK);
    ck_assert_str_eq(inject.order, "wscrsc");
}
END_TEST

START_TEST(every_failing_call_leaves_the_old_file)
{
    static const int reasons[] = {ENOSPC, EIO, EDQUOT};
    const char *folder = temporary_folder(), *path = temporary_path(folder, "a");
    size_t size = 600000;
    unsigned char *data = reel_alloc(size, 1);
    for (int call = 0; call < CALLS; call++)
        for (size_t r = 0; r < 3; r++)
            for (int at = 1; at <= (call == WRITE ? 5 : 1); at++) {
                reel_error error = {0};
                reel_writer w;
                ck_assert_int_eq(reel_file_write(path, "old", 3, NULL), REEL_OK);
                ck_assert_int_eq(reel_writer_open(&w, path, NULL), REEL_OK);
                arm(reasons[r]);
                inject.short_write = 100000;
                inject.fail_at[call] = at;
                for (size_t i = 0; i < size; i += 100000) reel_writer_write(&w, data + i, 100000, NULL);
                reel_status status = reel_writer_commit(&w, &error);
                disarm();
                ck_assert_int_eq(status, REEL_IO);
                ck_assert_ptr_nonnull(strstr(error.text, path));
                ck_assert_ptr_nonnull(strstr(error.text, strerror(reasons[r])));
                check_contents(path, "old", 3);
                ck_assert_int_eq(temporary_entries(folder), 1);
            }
    reel_free(data);
}
END_TEST

START_TEST(interrupted_and_short_writes_are_continued)
{
    const char *path = temporary_path(temporary_folder(), "a");
    unsigned char data[50];
    for (int i = 0; i < 50; i++) data[i] = (unsigned char)i;
    for (int at = 1; at <= 17; at++) {
        arm(EINTR);
        inject.short_write = 3;
        inject.fail_at[WRITE] = at;
        inject.fail_at[CLOSE] = 1;
        reel_status status = reel_file_write(path, data, sizeof data, NULL);
        disarm();
        ck_assert_int_eq(status, REEL_OK);
        check_contents(path, data, sizeof data);
    }
}
END_TEST

START_TEST(a_folder_that_cannot_be_synced_is_told_but_the_file_is_there)
{
    const char *path = temporary_path(temporary_folder(), "a");
    reel_error error = {0};
    for (int with = 0; with < 2; with++) {
        arm(with ? EIO : EINVAL);
        inject.fail_at[FSYNC] = 2;
        reel_status status = reel_file_write(path, "new", 3, &error);
        disarm();
        ck_assert_int_eq(status, with ? REEL_IO : REEL_OK);
        check_contents(path, "new", 3);
    }
}
END_TEST

START_TEST(a_full_disk_leaves_the_old_file)
{
    const char *folder = temporary_folder(), *path = temporary_path(folder, "a");
    struct rlimit before, small;
    size_t size = 1 << 20;
    char *data = reel_alloc(size, 1);
    reel_error error = {0};
    ck_assert_int_eq(reel_file_write(path, "old", 3, &error), REEL_OK);
    signal(SIGXFSZ, SIG_IGN);
    ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &before), 0);
    small = before;
    small.rlim_cur = 300000;
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &small), 0);
    reel_status status = reel_file_write(path, data, size, &error);
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &before), 0);
    ck_assert_int_eq(status, REEL_IO);
    ck_assert_ptr_nonnull(strstr(error.text, "space"));
    check_contents(path, "old", 3);
    ck_assert_int_eq(temporary_entries(folder), 1);
    reel_free(data);
}
END_TEST

/* ---- npy ---- */

static const char *const dtypes[] = {"<f2", "<f4", "<f8", "|i1", "<i2", "<i4",
                                     "<i8", "|u1", "<u2", "<u4", "<u8", "|b1"};

START_TEST(npy_round_trips_every_dtype_and_rank)
{
    const char *path = temporary_path(temporary_folder(), "a.npy");
    unsigned char data[2048];
    for (size_t d = 0; d < 12; d++)
        for (int rank = 0; rank <= 8; rank++)
            for (int empty = 0; empty <= (rank > 0); empty++) {
                int64_t shape[8];
                size_t bytes = (size_t)(dtypes[d][2] - '0');
                reel_npy a;
                reel_error error = {0};
                for (int i = 0; i < rank; i++) bytes *= (size_t)(shape[i] = empty && i == rank / 2 ? 0 : 1 + i % 2);
                for (size_t i = 0; i < bytes; i++)
                    data[i] = (unsigned char)(reel_random(d, i) & (dtypes[d][1] == 'b' ? 1 : 255));
                ck_assert_msg(!reel_npy_write(path, dtypes[d], rank, shape, data, &error), "%s", error.text);
                ck_assert_msg(!reel_npy_read(&a, path, &error), "%s", error.text);
                ck_assert_str_eq(a.dtype, dtypes[d]);
                ck_assert_int_eq(a.rank, rank);
                ck_assert(memcmp(a.shape, shape, (size_t)rank * 8) == 0);
                ck_assert_uint_eq(a.bytes, bytes);
                ck_assert(memcmp(a.data, data, bytes) == 0);
                reel_npy_free(&a);
            }
}
END_TEST

/* magic, version, length and header, then `bytes` zero bytes; returns the size */
static size_t make_npy(unsigned char *out, int version, const char *header, size_t bytes)
{
    size_t n = strlen(header), begin = version == 1 ? 10 : 12;
    memset(out, 0, begin);
    memcpy(out, "\x93NUMPY", 6);
    out[6] = (unsigned char)version;
    out[8] = (unsigned char)n;
    out[9] = (unsigned char)(n >> 8);
    memcpy(out + begin, header, n);
    memset(out + begin + n, 0, bytes);
    return begin + n + bytes;
}

START_TEST(npy_headers_good_and_bad)
{
    static const struct {
        bool good;
        int version;
        size_t bytes;
        const char *header;
    } cases[] = {
        {true, 1, 24, "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }\n"},
        {true, 2, 24, "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }    \n"},
        {true, 3, 24, "{\"shape\":(2,3),\"descr\":\"<f4\",\"fortran_order\":False}"},
        {true, 1, 24, "{'descr': '<f8', 'fortran_order': True, 'shape': (3,)}"},
        {true, 1, 8, "{'descr': '<i8', 'fortran_order': False, 'shape': ()}"},
        {true, 1, 0, "{'descr': '<i8', 'fortran_order': True, 'shape': (0, 7)}"},
        {false, 4, 24, "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }\n"},
        {false, 1, 23, "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }\n"},
        {false, 1, 25, "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }\n"},
        {false, 1, 24, "{'descr': '>f4', 'fortran_order': False, 'shape': (2, 3), }\n"},
        {false, 1, 24, "{'descr': '|O', 'fortran_order': False, 'shape': (2, 3), }\n"},
        {false, 1, 24, "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2, 3), }\n"},
        {false, 1, 24, "{'descr': '<f4', 'fortran_order': 0, 'shape': (2, 3), }\n"},
        {false, 1, 24, "{'descr': '<f4', 'fortran_order': False, 'shape': (2, -3), }\n"},
        {false, 1, 24, "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3.0), }\n"},
        {false, 1, 24, "{'descr': '<f4', 'fortran_order': False, 'shape': (2 3), }\n"},
        {false, 1, 24, "{'descr': '<f4', 'fortran_order': False, 'shape': (, 3), }\n"},
        {false, 1, 24, "{'descr': '<f4', 'fortran_order': False, 'shape': (6), }\n"},
        {false, 1, 24, "{'descr': '<f4', 'fortran_order': False, 'shape': [6], }\n"},
        {false, 1, 24, "{'descr': '<f4', 'fortran_order': False, 'shape': (6,), 'shape': (6,)}\n"},
        {false, 1, 24, "{'descr': '<f4', 'fortran_order': False, 'shape': (6,), 'more': (6,)}\n"},
        {false, 1, 24, "{'descr': '<f4', 'shape': (6,)}\n"},
        {false, 1, 24, "{'descr': '<f4', 'fortran_order': False, 'shape': (6,)} x\n"},
        {false, 1, 24, "{'descr': '<f4' 'fortran_order': False, 'shape': (6,)}\n"},
        {false, 1, 24, "{'descr': '<f4', 'fortran_order' False, 'shape': (6,)}\n"},
        {false, 1, 24, "{'descr': '<f4, 'fortran_order': False, 'shape': (6,)}\n"},
        {false, 1, 24, "{'descr': '\\x3cf4', 'fortran_order': False, 'shape': (6,)}\n"},
        {false, 1, 24, "{'descr': '<f4', 'fortran_order': False, 'shape': (6,)"},
        {false, 1, 24, "{'descr': '<f4', 'fortran_order': False, 'shape': (6,"},
        {false, 1, 24, ""},
        {false, 1, 24, "[]"},
        {false, 1, 0, "{'descr': '<f4', 'fortran_order': False, 'shape': (9223372036854775808,)}"},
        {false, 1, 0, "{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296)}"},
        {false, 1, 0, "{'descr': '<f4', 'fortran_order': False, 'shape': (4611686018427387904,)}"},
        {false, 1, 0, "{'descr': '<f4', 'fortran_order': False, 'shape': (0, 4294967296, 4294967296)}"},
        {false, 1, 4, "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 1, 1, 1, 1, 1, 1, 1, 1)}"},
        {false, 1, 0, "{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999,)}"},
    };
    unsigned char file[512];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        reel_npy a;
        reel_error error = {0};
        const char *path =
            temporary_memory_file(file, make_npy(file, cases[i].version, cases[i].header, cases[i].bytes));
        reel_status status = reel_npy_read(&a, path, &error);
        ck_assert_msg(status == (cases[i].good ? REEL_OK : REEL_BAD_DATA), "%s: %d %s", cases[i].header, status,
                      error.text);
        ck_assert(cases[i].good || (strstr(error.text, path) && !strchr(error.text, '\n')));
        reel_npy_free(&a);
    }
    size_t n = make_npy(file, 2, "{}", 0);
    file[11] = 0x7f; /* a header of 2 GB */
    ck_assert_int_eq(reel_npy_read(&(reel_npy){0}, temporary_memory_file(file, n), NULL), REEL_BAD_DATA);
    n = make_npy(file, 1, "{'descr': '|b1', 'fortran_order': False, 'shape': (1,)}", 1);
    file[n - 1] = 2;
    ck_assert_int_eq(reel_npy_read(&(reel_npy){0}, temporary_memory_file(file, n), NULL), REEL_BAD_DATA);
}
END_TEST

START_TEST(npy_turns_fortran_order_into_c_order)
{
    unsigned char file[512];
    reel_npy a;
    size_t n = make_npy(file, 1, "{'descr': '<i2', 'fortran_order': True, 'shape': (2, 3, 4), }\n", 48);
    int16_t value = 0;
    for (int k = 0; k < 4; k++)
        for (int j = 0; j < 3; j++)
            for (int i = 0; i < 2; i++) {
                int16_t label = (int16_t)(100 * i + 10 * j + k);
                memcpy(file + n - 48 + 2 * value++, &label, 2);
            }
    ck_assert_int_eq(reel_npy_read(&a, temporary_memory_file(file, n), NULL), REEL_OK);
    for (int i = 0; i < 2; i++)
        for (int j = 0; j < 3; j++)
            for (int k = 0; k < 4; k++) ck_assert_int_eq(((int16_t *)a.data)[i * 12 + j * 4 + k], 100 * i + 10 * j + k);
    reel_npy_free(&a);
}
END_TEST

START_TEST(npy_truncated_anywhere_is_an_error)
{
    const char *path = temporary_path(temporary_folder(), "a.npy");
    unsigned char *file;
    size_t bytes;
    reel_npy a;
    ck_assert_int_eq(reel_npy_write(path, "<f8", 2, (int64_t[]){3, 5}, (double[15]){0}, NULL), REEL_OK);
    ck_assert_int_eq(reel_file_read(path, 1000, &file, &bytes, NULL), REEL_OK);
    ck_assert_uint_eq(bytes % 64, 120 % 64);
    for (size_t n = 0; n < bytes; n++)
        ck_assert_int_eq(reel_npy_read(&a, temporary_memory_file(file, n), NULL), REEL_BAD_DATA);
    for (int i = 0; i < 20000; i++) { /* whatever the header says, no crash and no leak */
        unsigned char hostile[512];
        memcpy(hostile, file, bytes);
        for (unsigned k = 0; k <= reel_below(1, (uint64_t)i, 4); k++)
            hostile[reel_below(10 + k, (uint64_t)i, 128)] = (unsigned char)reel_random(20 + k, (uint64_t)i);
        if (reel_npy_read(&a, temporary_memory_file(hostile, bytes), NULL) == REEL_OK) ck_assert_uint_le(a.bytes, 120);
        reel_npy_free(&a);
    }
    reel_free(file);
}
END_TEST

START_TEST(npy_writer_refuses_bad_requests)
{
    const char *path = temporary_path(temporary_folder(), "a.npy");
    int64_t shape[9] = {1, -1, 1, 1, 1, 1, 1, 1, 1};
    ck_assert_int_eq(reel_npy_write(path, ">f4", 1, shape, "1234", NULL), REEL_USAGE);
    ck_assert_int_eq(reel_npy_write(path, "", 1, shape, "1234", NULL), REEL_USAGE);
    ck_assert_int_eq(reel_npy_write(path, "<f4", 2, shape, "1234", NULL), REEL_USAGE);
    ck_assert_int_eq(reel_npy_write(path, "<f4", 9, shape, "1234", NULL), REEL_USAGE);
    ck_assert_int_eq(reel_npy_write(path, "<f4", -1, shape, "1234", NULL), REEL_USAGE);
    ck_assert_int_eq(reel_npy_write("/no/such/folder/a", "<f4", 1, shape, "1234", NULL), REEL_IO);
}
END_TEST

START_TEST(refused_memory_is_an_error_everywhere)
{
    const char *folder = temporary_folder(), *path = temporary_path(folder, "a.npy");
    unsigned char file[512];
    size_t n = make_npy(file, 1, "{'descr': '<i2', 'fortran_order': True, 'shape': (2, 3, 4), }\n", 48);
    uint64_t needed = 1;
    ck_assert_int_eq(reel_npy_write(path, "|u1", 0, NULL, "x", NULL), REEL_OK);
    for (uint64_t at = 1; at <= needed; at++)
        for (int after = 0; after < 2; after++) {
            reel_npy a;
            unsigned char *data = NULL;
            size_t bytes;
            reel_error error[3] = {{0}};
            reel_alloc_fail(at, after);
            reel_status read = reel_npy_read(&a, temporary_memory_file(file, n), &error[0]);
            needed = reel_alloc_count() > needed ? reel_alloc_count() : needed;
            reel_alloc_fail(at, after);
            reel_status written = reel_npy_write(path, "|u1", 0, NULL, "y", &error[1]);
            needed = reel_alloc_count() > needed ? reel_alloc_count() : needed;
            reel_alloc_fail(at, after);
            reel_status whole = reel_file_read(path, 1000, &data, &bytes, &error[2]);
            reel_alloc_fail(0, false);
            ck_assert(read == REEL_OK || read == REEL_ENVIRONMENT);
            ck_assert(written == REEL_OK || written == REEL_ENVIRONMENT);
            ck_assert(whole == REEL_OK || whole == REEL_ENVIRONMENT);
            ck_assert(at > 1 || (read && written && whole));
            ck_assert_int_eq(temporary_entries(folder), 1);
            reel_free(data);
            reel_npy_free(&a);
        }
    ck_assert_uint_ge(needed, 3);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        checksums_match_their_published_check_values,
        reads_whole_files_up_to_the_limit,
        refuses_what_is_no_regular_file,
        a_file_that_shrinks_is_an_error,
        writes_replace_the_file_and_keep_its_permissions,
        abandoning_leaves_the_old_file_and_nothing_else,
        targets_that_cannot_be_replaced_are_refused,
        a_temporary_file_left_by_a_killed_process_does_not_stop_saving,
        folders_are_made_with_those_above_them,
        a_bare_name_is_saved_in_the_current_directory,
        saving_syncs_then_renames_then_syncs_the_folder,
        every_failing_call_leaves_the_old_file,
        interrupted_and_short_writes_are_continued,
        a_folder_that_cannot_be_synced_is_told_but_the_file_is_there,
        a_full_disk_leaves_the_old_file,
        npy_round_trips_every_dtype_and_rank,
        npy_headers_good_and_bad,
        npy_turns_fortran_order_into_c_order,
        npy_truncated_anywhere_is_an_error,
        npy_writer_refuses_bad_requests,
        refused_memory_is_an_error_everywhere,
    };
    return tiny_suite("files", tests, sizeof tests / sizeof *tests);
}
