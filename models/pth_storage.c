/* See pth_storage.h. In the zip container a storage with key 17 is the member "<stem>/data/17". In the older one, five
   pickles stand in a row (a magic number, a version, facts on the machine, the object, the list of keys), and after
   them each storage in the order of the keys: 64 bits of length, then the values. */
#include "models/pth_storage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/array_size.h"
#include "core/file.h"
#include "core/memory.h"
#include "models/zip_stored.h"

enum { PICKLE = 16 << 20, STORAGES = 1 << 16, KEY = 255, STEM = 1024 };

static reel_status bad(const char *path, reel_error *error, const char *what)
{
    return reel_fail(error, REEL_BAD_DATA, "%s: not a sound PyTorch file: %s", path, what);
}

/* ---- the table ---- */

static int compare_keys(const char *a, size_t a_length, const char *b, size_t b_length)
{
    int order = memcmp(a, b, a_length < b_length ? a_length : b_length);
    return order ? order : (a_length > b_length) - (a_length < b_length);
}

static int by_key(const void *left, const void *right)
{
    const reel_storage *a = left, *b = right;
    return compare_keys(a->key, a->key_length, b->key, b->key_length);
}

reel_storage *reel_storages_find(const reel_storages *list, const char *key, size_t length)
{
    size_t low = 0, high = list->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = compare_keys(key, length, list->at[middle].key, list->at[middle].key_length);
        if (order == 0) return &list->at[middle];
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

void reel_storages_free(reel_storages *list)
{
    reel_free(list->at);
    *list = (reel_storages){.count = 0};
}

static bool is_text(const reel_pickle_node *node, const char *text)
{
    return node && node->kind == REEL_PICKLE_STRING && node->count == strlen(text) &&
           memcmp(node->text, text, node->count) == 0;
}

/* The persistent id ("storage", class, key, device, elements), in older files with a sixth item. */
static const char *read_id(const reel_pickle *pickle, const reel_pickle_node *id, reel_storage *s)
{
    static const reel_stored_dtype dtypes[10] = {REEL_STORED_F32, REEL_STORED_F64, REEL_STORED_F16, REEL_STORED_BF16,
                                                 REEL_STORED_I64, REEL_STORED_I32, REEL_STORED_I16, REEL_STORED_I8,
                                                 REEL_STORED_U8,  REEL_STORED_BOOL};
    if (is_text(reel_pickle_item(pickle, id, 0), "module"))
        return "it holds a whole module; save its state_dict() instead";
    if ((id->count != 5 && id->count != 6) || !is_text(reel_pickle_item(pickle, id, 0), "storage"))
        return "a persistent id is not that of a storage";
    const reel_pickle_node *class = reel_pickle_item(pickle, id, 1), *key = reel_pickle_item(pickle, id, 2);
    const reel_pickle_node *elements = reel_pickle_item(pickle, id, 4);
    if (class->kind != REEL_PICKLE_GLOBAL || class->integer < REEL_GLOBAL_STORAGE)
        return "a storage is of an unknown class";
    if (key->kind != REEL_PICKLE_STRING || key->count == 0 || key->count > KEY || memchr(key->text, 0, key->count))
        return "a storage has no proper key";
    int64_t count = elements->kind == REEL_PICKLE_INT ? elements->integer : -1;
    *s = (reel_storage){.key = key->text, .key_length = key->count};
    s->dtype = dtypes[class->integer - REEL_GLOBAL_STORAGE];
    if (!reel_array_size(1, &count, reel_stored_dtype_size(s->dtype), &s->elements, &s->bytes))
        return "a storage has an impossible size";
    return NULL;
}

/* Sorts, and drops what was named more than once. */
static const char *merge(reel_storages *list)
{
    size_t kept = 0;
    if (list->count > 1) qsort(list->at, list->count, sizeof *list->at, by_key);
    for (size_t i = 0; i < list->count; i++) {
        const reel_storage *s = &list->at[i], *last = kept ? &list->at[kept - 1] : NULL;
        if (last && by_key(last, s) == 0) {
            if (last->dtype != s->dtype || last->elements != s->elements) return "a storage is described in two ways";
        } else
            list->at[kept++] = *s;
    }
    list->count = kept;
    return NULL;
}

reel_status reel_storages_collect(reel_storages *list, const reel_pickle *pickle, const char *path, reel_error *error)
{
    size_t count = 0;
    const char *wrong = NULL;
    for (uint32_t i = 1; i < pickle->node_count; i++) count += pickle->nodes[i].kind == REEL_PICKLE_PERSISTENT;
    if (count > STORAGES) return bad(path, error, "it has more than 65,536 storages");
    if (!(list->at = reel_alloc(count, sizeof *list->at))) return reel_fail_memory(error);
    for (uint32_t i = 1; i < pickle->node_count && !wrong; i++)
        if (pickle->nodes[i].kind == REEL_PICKLE_PERSISTENT)
            wrong = read_id(pickle, &pickle->nodes[i], &list->at[list->count++]);
    if (!wrong) wrong = merge(list);
    return wrong ? bad(path, error, wrong) : REEL_OK;
}

/* ---- the zip container ---- */

/* The member "<stem>/data.pkl"; the stem is the name that the file had when it was saved. */
static const reel_zip_member *find_object(const reel_zip *zip, size_t *stem)
{
    static const char tail[] = "/data.pkl";
    for (size_t i = 0; i < zip->count; i++) {
        const char *slash = strchr(zip->members[i].name, '/');
        if (!slash || strcmp(slash, tail) != 0) continue;
        *stem = (size_t)(slash - zip->members[i].name);
        return *stem < STEM ? &zip->members[i] : NULL;
    }
    return NULL;
}

static reel_status check_byte_order(const reel_zip *zip, int fd, const char *path, const char *stem, int stem_length,
                                    reel_error *error)
{
    char name[STEM + 32], order[6];
    snprintf(name, sizeof name, "%.*s/byteorder", stem_length, stem);
    const reel_zip_member *m = reel_zip_find(zip, name);
    if (!m) return REEL_OK; /* written by a torch that knew little endian only */
    if (m->bytes != 6) return bad(path, error, "expected little-endian byte order");
    reel_status status = reel_file_read_at(fd, path, m->offset, order, 6, error);
    if (status != REEL_OK) return status;
    return memcmp(order, "little", 6) == 0 ? REEL_OK : bad(path, error, "expected little-endian byte order");
}

static reel_status place_members(reel_storages *list, const reel_zip *zip, const char *path, const char *stem,
                                 int stem_length, reel_error *error)
{
    char name[STEM + KEY + 16];
    for (size_t i = 0; i < list->count; i++) {
        reel_storage *s = &list->at[i];
        snprintf(name, sizeof name, "%.*s/data/%.*s", stem_length, stem, (int)s->key_length, s->key);
        const reel_zip_member *m = reel_zip_find(zip, name);
        if (!m) return bad(path, error, "a storage is missing");
        if (m->bytes != s->bytes) return bad(path, error, "a storage has another size than its pickle says");
        s->offset = m->offset;
        s->checksum = m->checksum;
        s->placed = true;
    }
    return REEL_OK;
}

static reel_status read_members(const reel_zip *zip, int fd, const char *path, unsigned char **text,
                                reel_pickle *object, reel_storages *storages, reel_error *error)
{
    size_t stem = 0, used;
    const reel_zip_member *m = find_object(zip, &stem);
    if (!m) return bad(path, error, "it has no data.pkl");
    if (m->bytes > PICKLE) return bad(path, error, "its pickle is longer than 16 MiB");
    reel_status status = check_byte_order(zip, fd, path, m->name, (int)stem, error);
    if (status != REEL_OK) return status;
    if (!(*text = reel_alloc_raw((size_t)m->bytes, 1))) return reel_fail_memory(error);
    status = reel_file_read_at(fd, path, m->offset, *text, (size_t)m->bytes, error);
    if (status == REEL_OK) status = reel_pickle_read(object, *text, (size_t)m->bytes, &used, path, error);
    if (status == REEL_OK && used != m->bytes) status = bad(path, error, "bytes follow its pickle");
    if (status == REEL_OK) status = reel_storages_collect(storages, object, path, error);
    return status == REEL_OK ? place_members(storages, zip, path, m->name, (int)stem, error) : status;
}

reel_status reel_pth_read_zip(int fd, const char *path, uint64_t size, unsigned char **text, reel_pickle *object,
                              reel_storages *storages, reel_error *error)
{
    reel_zip zip;
    reel_status status = reel_zip_read(&zip, fd, path, size, error);
    if (status != REEL_OK) return status;
    status = read_members(&zip, fd, path, text, object, storages, error);
    reel_zip_free(&zip);
    return status;
}

/* ---- the older container ---- */

typedef struct {
    int fd;
    const char *path;
    uint64_t size;
    const unsigned char *text;
    size_t at, end;
    reel_error *error;
} row;

static reel_status next_pickle(row *r, reel_pickle *pickle)
{
    size_t used;
    reel_status status = reel_pickle_read(pickle, r->text + r->at, r->end - r->at, &used, r->path, r->error);
    r->at += used;
    return status;
}

static bool little_endian(const reel_pickle *facts)
{
    const reel_pickle_node *root = &facts->nodes[facts->root];
    for (uint32_t i = 0; root->kind == REEL_PICKLE_DICT && i < root->count && i < 16; i += 2)
        if (is_text(reel_pickle_item(facts, root, i), "little_endian")) {
            const reel_pickle_node *value = reel_pickle_item(facts, root, i + 1);
            return value->kind == REEL_PICKLE_BOOL && value->integer == 1;
        }
    return false;
}

static reel_status check_preamble(row *r)
{
    reel_pickle pickle;
    reel_status status = next_pickle(r, &pickle);
    if (status != REEL_OK) return status;
    const reel_pickle_node *version = &pickle.nodes[pickle.root];
    bool known = version->kind == REEL_PICKLE_INT && version->integer == 1001;
    reel_pickle_free(&pickle);
    if (!known) return bad(r->path, r->error, "expected version 1001");
    status = next_pickle(r, &pickle);
    if (status != REEL_OK) return status;
    known = little_endian(&pickle);
    reel_pickle_free(&pickle);
    return known ? REEL_OK : bad(r->path, r->error, "expected little-endian byte order");
}

static reel_status place_one(row *r, reel_storages *list, const reel_pickle_node *key, uint64_t *at)
{
    unsigned char length[8];
    uint64_t elements = 0;
    reel_storage *s = key->kind == REEL_PICKLE_STRING ? reel_storages_find(list, key->text, key->count) : NULL;
    if (!s || s->placed) return bad(r->path, r->error, "its list of storages does not fit its object");
    reel_status status = reel_file_read_at(r->fd, r->path, *at, length, 8, r->error);
    if (status != REEL_OK) return status;
    for (int i = 7; i >= 0; i--) elements = elements << 8 | length[i];
    if (elements != s->elements) return bad(r->path, r->error, "a storage has another size than its pickle says");
    if (s->bytes > r->size - *at - 8) return bad(r->path, r->error, "it is cut off");
    s->offset = *at + 8;
    s->placed = true;
    *at += 8 + s->bytes;
    return REEL_OK;
}

static reel_status place_in_order(row *r, reel_storages *list)
{
    reel_pickle keys;
    reel_status status = next_pickle(r, &keys);
    if (status != REEL_OK) return status;
    const reel_pickle_node *root = &keys.nodes[keys.root];
    uint64_t at = r->at;
    if (root->kind != REEL_PICKLE_LIST || root->count != list->count)
        status = bad(r->path, r->error, "its list of storages does not fit its object");
    uint32_t cell = root->head;
    for (uint32_t i = 0; i < root->count && status == REEL_OK; i++, cell = keys.cells[cell].next)
        status = place_one(r, list, &keys.nodes[keys.cells[cell].node], &at);
    reel_pickle_free(&keys);
    if (status == REEL_OK && at != r->size) status = bad(r->path, r->error, "bytes follow its storages");
    return status;
}

reel_status reel_pth_read_legacy(int fd, const char *path, uint64_t size, unsigned char **text, reel_pickle *object,
                                 reel_storages *storages, reel_error *error)
{
    enum { MAGIC = 15 }; /* a pickle of the magic number, compared as bytes by the caller */
    row r = {.fd = fd, .path = path, .size = size, .at = MAGIC, .error = error};
    r.end = size < PICKLE ? (size_t)size : PICKLE;
    if (!(*text = reel_alloc_raw(r.end, 1))) return reel_fail_memory(error);
    r.text = *text;
    reel_status status = reel_file_read_at(fd, path, 0, *text, r.end, error);
    if (status == REEL_OK) status = check_preamble(&r);
    if (status == REEL_OK) status = next_pickle(&r, object);
    if (status == REEL_OK) status = reel_storages_collect(storages, object, path, error);
    return status == REEL_OK ? place_in_order(&r, storages) : status;
}
