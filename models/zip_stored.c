/* See zip_stored.h. The end record is searched from the back of the file; it tells where the central directory lies,
   whose entries tell where each member's local header lies. Local headers are read only for their length. */
#include "models/zip_stored.h"

#include <stdlib.h>
#include <string.h>

#include "core/file.h"
#include "core/memory.h"

enum {
    END = 22,            /* the end record without its comment, which is at most 65,535 bytes */
    LOCATOR = 20,        /* of the 64-bit end record, just before the end record */
    END64 = 56,          /* the 64-bit end record */
    CENTRAL = 46,        /* an entry of the central directory without its texts */
    LOCAL = 30,          /* a local header without its texts */
    DIRECTORY = 16 << 20 /* bytes of central directory that are read */
};

typedef struct {
    reel_zip *zip;
    int fd;
    const char *path;
    uint64_t size;
    uint64_t begin, bytes, count; /* of the central directory */
    reel_error *error;
} reader;

static uint64_t number(const unsigned char *at, int bytes)
{
    uint64_t value = 0;
    while (bytes-- > 0) value = value << 8 | at[bytes];
    return value;
}

static reel_status bad(const reader *r, const char *what)
{
    return reel_fail(r->error, REEL_BAD_DATA, "%s: not a sound PyTorch zip file: %s", r->path, what);
}

/* ---- where the central directory is ---- */

static reel_status read_end64(reader *r, uint64_t end_at)
{
    unsigned char locator[LOCATOR], end[END64];
    if (end_at < LOCATOR) return bad(r, "it lacks the 64-bit end record");
    reel_status status = reel_file_read_at(r->fd, r->path, end_at - LOCATOR, locator, LOCATOR, r->error);
    if (status != REEL_OK) return status;
    uint64_t at = number(locator + 8, 8);
    if (number(locator, 4) != 0x07064b50 || at > end_at - LOCATOR || end_at - LOCATOR - at < END64)
        return bad(r, "it lacks the 64-bit end record");
    status = reel_file_read_at(r->fd, r->path, at, end, END64, r->error);
    if (status != REEL_OK) return status;
    if (number(end, 4) != 0x06064b50) return bad(r, "it lacks the 64-bit end record");
    if (number(end + 16, 4) != 0 || number(end + 20, 4) != 0) return bad(r, "it is one of several volumes");
    r->count = number(end + 32, 8);
    r->bytes = number(end + 40, 8);
    r->begin = number(end + 48, 8);
    return REEL_OK;
}

static reel_status use_end(reader *r, const unsigned char *end, uint64_t at)
{
    reel_status status = REEL_OK;
    r->count = number(end + 10, 2);
    r->bytes = number(end + 12, 4);
    r->begin = number(end + 16, 4);
    if (r->count == 0xffff || r->bytes == 0xffffffff || r->begin == 0xffffffff)
        status = read_end64(r, at);
    else if (number(end + 4, 2) != 0 || number(end + 6, 2) != 0)
        status = bad(r, "it is one of several volumes");
    if (status != REEL_OK) return status;
    if (r->begin > at || r->bytes > at - r->begin) return bad(r, "its table of contents lies outside the file");
    if (r->bytes > DIRECTORY) return bad(r, "its table of contents is longer than 16 MiB");
    return r->count > r->bytes / CENTRAL ? bad(r, "its table of contents is cut off") : REEL_OK;
}

static reel_status find_end(reader *r)
{
    size_t tail = r->size < END + 65535 ? (size_t)r->size : END + 65535;
    unsigned char *bytes = reel_alloc_raw(tail, 1);
    if (!bytes) return reel_fail_memory(r->error);
    reel_status status = reel_file_read_at(r->fd, r->path, r->size - tail, bytes, tail, r->error);
    size_t at = tail < END ? 0 : tail - END + 1;
    bool found = false;
    while (status == REEL_OK && !found && at-- > 0)
        found = number(bytes + at, 4) == 0x06054b50 && number(bytes + at + 20, 2) == tail - at - END;
    if (found)
        status = use_end(r, bytes + at, r->size - tail + at);
    else if (status == REEL_OK)
        status = bad(r, "it lacks the end record; the file is cut off");
    reel_free(bytes);
    return status;
}

/* ---- members ---- */

/* Takes sizes and place from the 64-bit extra field where the 32-bit fields say so by being all ones. */
static bool widen(const unsigned char *extra, size_t length, uint64_t *raw, uint64_t *stored, uint64_t *at)
{
    uint64_t *wide[3] = {raw, stored, at};
    if (*raw != 0xffffffff && *stored != 0xffffffff && *at != 0xffffffff) return true;
    while (length >= 4) {
        size_t n = (size_t)number(extra + 2, 2);
        if (n > length - 4) return false;
        if (number(extra, 2) == 1) {
            size_t used = 0;
            for (int i = 0; i < 3; i++) {
                if (*wide[i] != 0xffffffff) continue;
                if (n - used < 8) return false;
                *wide[i] = number(extra + 4 + used, 8);
                used += 8;
            }
            return true;
        }
        extra += 4 + n;
        length -= 4 + n;
    }
    return false;
}

/* The values of a member follow its local header, whose texts may be longer than in the central directory. */
static reel_status place(const reader *r, uint64_t local, reel_zip_member *m)
{
    unsigned char header[LOCAL];
    if (local > r->begin || r->begin - local < LOCAL) return bad(r, "a member lies outside the file");
    reel_status status = reel_file_read_at(r->fd, r->path, local, header, LOCAL, r->error);
    if (status != REEL_OK) return status;
    if (number(header, 4) != 0x04034b50) return bad(r, "a member's header is missing");
    m->offset = local + LOCAL + number(header + 26, 2) + number(header + 28, 2);
    if (m->offset > r->begin || m->bytes > r->begin - m->offset) return bad(r, "a member lies outside the file");
    return REEL_OK;
}

static reel_status add_member(reader *r, const unsigned char *entry, const unsigned char *texts, size_t name,
                              size_t extra)
{
    reel_zip_member *m = &r->zip->members[r->zip->count];
    uint64_t stored = number(entry + 20, 4), raw = number(entry + 24, 4), at = number(entry + 42, 4);
    if (number(entry + 8, 2) & 1) return bad(r, "a member is encrypted");
    if (number(entry + 10, 2) != 0) return bad(r, "a member is compressed; PyTorch stores them as they are");
    if (!widen(texts + name, extra, &raw, &stored, &at) || raw != stored) return bad(r, "a member's size is unclear");
    if (memchr(texts, 0, name)) return bad(r, "a member's name holds a zero byte");
    if (!(m->name = reel_alloc(name + 1, 1))) return reel_fail_memory(r->error);
    memcpy(m->name, texts, name);
    r->zip->count++;
    m->bytes = stored;
    m->checksum = (uint32_t)number(entry + 16, 4);
    return place(r, at, m);
}

static reel_status walk_directory(reader *r, const unsigned char *directory)
{
    size_t at = 0;
    for (uint64_t i = 0; i < r->count; i++) {
        const unsigned char *entry = directory + at;
        if (r->bytes - at < CENTRAL || number(entry, 4) != 0x02014b50)
            return bad(r, "its table of contents is damaged");
        size_t name = (size_t)number(entry + 28, 2), extra = (size_t)number(entry + 30, 2);
        size_t comment = (size_t)number(entry + 32, 2);
        if (r->bytes - at - CENTRAL < name + extra + comment) return bad(r, "its table of contents is damaged");
        reel_status status = add_member(r, entry, entry + CENTRAL, name, extra);
        if (status != REEL_OK) return status;
        at += CENTRAL + name + extra + comment;
    }
    return REEL_OK;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const reel_zip_member *)a)->name, ((const reel_zip_member *)b)->name);
}

static reel_status sort_members(const reader *r)
{
    reel_zip *zip = r->zip;
    if (zip->count > 1) qsort(zip->members, zip->count, sizeof *zip->members, by_name);
    for (size_t i = 1; i < zip->count; i++)
        if (by_name(&zip->members[i - 1], &zip->members[i]) == 0) return bad(r, "two members have the same name");
    return REEL_OK;
}

/* ---- the interface ---- */

reel_status reel_zip_read(reel_zip *zip, int fd, const char *path, uint64_t size, reel_error *error)
{
    reader r = {.zip = zip, .fd = fd, .path = path, .size = size, .error = error};
    *zip = (reel_zip){.count = 0};
    reel_status status = find_end(&r);
    if (status != REEL_OK) return status;
    unsigned char *directory = reel_alloc_raw((size_t)r.bytes, 1);
    zip->members = reel_alloc((size_t)r.count, sizeof *zip->members);
    if (!directory || !zip->members)
        status = reel_fail_memory(error);
    else
        status = reel_file_read_at(fd, path, r.begin, directory, (size_t)r.bytes, error);
    if (status == REEL_OK) status = walk_directory(&r, directory);
    if (status == REEL_OK) status = sort_members(&r);
    reel_free(directory);
    if (status != REEL_OK) reel_zip_free(zip);
    return status;
}

void reel_zip_free(reel_zip *zip)
{
    for (size_t i = 0; i < zip->count; i++) reel_free(zip->members[i].name);
    reel_free(zip->members);
    *zip = (reel_zip){.count = 0};
}

const reel_zip_member *reel_zip_find(const reel_zip *zip, const char *name)
{
    size_t low = 0, high = zip->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(name, zip->members[middle].name);
        if (order == 0) return &zip->members[middle];
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}
