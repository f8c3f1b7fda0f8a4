/* See pth.h. A tensor is a call of torch._utils._rebuild_tensor_v2(storage, offset, size, stride, ...), all counted in
   elements. Element (i, j, ...) lies at offset + i stride[0] + j stride[1] + ...; it is inside the storage for all
   indices when it is for the largest ones, as strides are not negative. */
#include "models/pth.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/crc32.h"
#include "core/file.h"
#include "core/memory.h"
#include "models/pth_storage.h"

enum { DEPTH = 64, VISITS = 1 << 20, TENSORS = 1 << 15, NAME = 1024 };

typedef struct {
    reel_pth *file;
    const reel_pickle *object;
    const reel_storages *storages;
    size_t room, visits;
    char name[NAME];
    reel_error *error;
} walk;

static reel_status walk_node(walk *w, const reel_pickle_node *node, size_t name, int depth);

static reel_status bad(const walk *w, const char *what)
{
    return reel_fail(w->error, REEL_BAD_DATA, "%s: tensor '%.200s': %s", w->file->path, w->name, what);
}

/* ---- one tensor ---- */

/* A tuple of whole, non-negative numbers, perhaps wrapped as torch.Size. */
static bool read_tuple(const walk *w, const reel_pickle_node *tuple, int *rank, int64_t *values)
{
    if (tuple && tuple->kind == REEL_PICKLE_CALL && tuple->integer == REEL_GLOBAL_SIZE)
        tuple = reel_pickle_item(w->object, tuple, 0);
    if (!tuple || tuple->kind != REEL_PICKLE_TUPLE || tuple->count > REEL_MAX_RANK) return false;
    *rank = (int)tuple->count;
    for (int i = 0; i < *rank; i++) {
        const reel_pickle_node *value = reel_pickle_item(w->object, tuple, (uint32_t)i);
        if (value->kind != REEL_PICKLE_INT || value->integer < 0) return false;
        values[i] = value->integer;
    }
    return true;
}

/* The storage of a persistent id, and the window of it that a view of older files may use. */
static const reel_storage *read_storage(const walk *w, const reel_pickle_node *id, uint64_t *begin, uint64_t *count)
{
    if (!id || id->kind != REEL_PICKLE_PERSISTENT) return NULL;
    const reel_pickle_node *key = reel_pickle_item(w->object, id, 2), *view = reel_pickle_item(w->object, id, 5);
    const reel_storage *s = reel_storages_find(w->storages, key->text, key->count);
    *begin = 0;
    *count = s ? s->elements : 0;
    if (!s || !view || view->kind == REEL_PICKLE_NONE) return s;
    const reel_pickle_node *from = reel_pickle_item(w->object, view, 1), *size = reel_pickle_item(w->object, view, 2);
    if (view->kind != REEL_PICKLE_TUPLE || view->count != 3 || from->kind != REEL_PICKLE_INT ||
        size->kind != REEL_PICKLE_INT || from->integer < 0 || size->integer < 0 ||
        (uint64_t)from->integer > s->elements || (uint64_t)size->integer > s->elements - (uint64_t)from->integer)
        return NULL;
    *begin = (uint64_t)from->integer;
    *count = (uint64_t)size->integer;
    return s;
}

/* The largest distance of an element from the first; false when it passes `limit`. */
static bool reach(const reel_stored *t, uint64_t limit, uint64_t *last)
{
    *last = 0;
    for (int i = 0; i < t->shape.rank; i++) {
        uint64_t step;
        if (__builtin_mul_overflow((uint64_t)t->shape.size[i] - 1, (uint64_t)t->stride[i], &step) ||
            __builtin_add_overflow(*last, step, last) || *last >= limit)
            return false;
    }
    return *last < limit;
}

static bool row_major(const reel_stored *t)
{
    int64_t step = 1;
    for (int i = t->shape.rank - 1; i >= 0; i--) {
        if (t->shape.size[i] != 1 && t->stride[i] != step) return false;
        step *= t->shape.size[i];
    }
    return true;
}

static reel_status add_tensor(walk *w, const reel_pickle_node *call)
{
    uint64_t begin, count, last;
    reel_stored t = {.name = NULL};
    int strides = 0;
    const reel_storage *s = read_storage(w, reel_pickle_item(w->object, call, 0), &begin, &count);
    const reel_pickle_node *offset = reel_pickle_item(w->object, call, 1);
    if (!s) return bad(w, "its storage is missing or malformed");
    t.dtype = s->dtype;
    if (!offset || offset->kind != REEL_PICKLE_INT || offset->integer < 0) return bad(w, "it has no proper offset");
    if (!read_tuple(w, reel_pickle_item(w->object, call, 2), &t.shape.rank, t.shape.size) ||
        !read_tuple(w, reel_pickle_item(w->object, call, 3), &strides, t.stride) || strides != t.shape.rank)
        return bad(w, "expected a size and strides of at most eight whole numbers");
    if (!reel_stored_measure(&t)) return bad(w, "its shape is larger than any memory");
    uint64_t first = (uint64_t)offset->integer;
    if (t.elements > count) return bad(w, "it is larger than its storage; save a clone() of an expanded tensor");
    if (t.elements && (first >= count || !reach(&t, count - first, &last)))
        return bad(w, "it reaches outside its storage");
    t.offset = s->offset + (t.elements ? (begin + first) * reel_stored_dtype_size(t.dtype) : 0);
    if (t.elements == s->elements && t.offset == s->offset && row_major(&t)) t.checksum = s->checksum;
    if (w->file->count == TENSORS) return bad(w, "there are more than 32,768 tensors");
    if (w->file->count == w->room) {
        size_t more = w->room ? 2 * w->room : 64;
        reel_stored *grown = reel_grow(w->file->tensors, w->room, more, sizeof *grown);
        if (!grown) return reel_fail_memory(w->error);
        w->file->tensors = grown;
        w->room = more;
    }
    if (!(t.name = reel_copy_string(w->name))) return reel_fail_memory(w->error);
    w->file->tensors[w->file->count++] = t;
    return REEL_OK;
}

/* ---- the object ---- */

/* Adds ".text" to the name, whose first `name` bytes stay; the new length in *after. */
static reel_status extend_name(walk *w, size_t name, const char *text, size_t length, size_t *after)
{
    size_t dot = name > 0;
    if (length > NAME - 2 - name || memchr(text, 0, length)) return bad(w, "a name in it is too long or malformed");
    if (dot) w->name[name] = '.';
    memcpy(w->name + name + dot, text, length);
    *after = name + dot + length;
    w->name[*after] = 0;
    if (reel_stored_name_allowed(w->name + name)) return REEL_OK;
    w->name[name] = 0;
    return bad(w, "a name in it holds a control character");
}

static reel_status walk_items(walk *w, const reel_pickle_node *node, size_t name, int depth)
{
    const reel_pickle_cell *cells = w->object->cells;
    uint32_t cell = node->head, keyed = node->kind == REEL_PICKLE_DICT;
    for (uint32_t i = 0; i < node->count; i += 1 + keyed) {
        char number[24];
        size_t after = name;
        const reel_pickle_node *key = keyed ? &w->object->nodes[cells[cell].node] : NULL;
        if (keyed) cell = cells[cell].next;
        const reel_pickle_node *value = &w->object->nodes[cells[cell].node];
        cell = cells[cell].next;
        if (key && key->kind != REEL_PICKLE_STRING && key->kind != REEL_PICKLE_INT)
            return bad(w, "a dictionary in it has a key that is neither text nor a whole number");
        int length = snprintf(number, sizeof number, "%lld", key ? (long long)key->integer : (long long)i);
        bool text = key && key->kind == REEL_PICKLE_STRING;
        reel_status status =
            extend_name(w, name, text ? key->text : number, text ? key->count : (size_t)length, &after);
        if (status == REEL_OK) status = walk_node(w, value, after, depth + 1);
        if (status != REEL_OK) return status;
    }
    w->name[name] = 0;
    return REEL_OK;
}

/* Values can hold one another in a ring or many times over, so depth and visits are bounded. */
static reel_status walk_node(walk *w, const reel_pickle_node *node, size_t name, int depth)
{
    if (depth > DEPTH || ++w->visits > VISITS) return bad(w, "it is nested too deeply or too often");
    if (node->kind == REEL_PICKLE_DICT || node->kind == REEL_PICKLE_LIST || node->kind == REEL_PICKLE_TUPLE)
        return walk_items(w, node, name, depth);
    if (node->kind != REEL_PICKLE_CALL) return REEL_OK;
    if (node->integer == REEL_GLOBAL_REBUILD_TENSOR || node->integer == REEL_GLOBAL_REBUILD_TENSOR_V2)
        return add_tensor(w, node);
    if (node->integer != REEL_GLOBAL_REBUILD_PARAMETER && node->integer != REEL_GLOBAL_PARAMETER) return REEL_OK;
    const reel_pickle_node *tensor = reel_pickle_item(w->object, node, 0);
    return tensor ? walk_node(w, tensor, name, depth + 1) : bad(w, "a parameter is empty");
}

static reel_status list_tensors(reel_pth *file, const reel_pickle *object, const reel_storages *storages,
                                reel_error *error)
{
    walk w = {.file = file, .object = object, .storages = storages, .error = error};
    reel_status status = walk_node(&w, &object->nodes[object->root], 0, 0);
    if (status != REEL_OK) return status;
    reel_stored_sort(file->tensors, file->count);
    for (size_t i = 1; i < file->count; i++)
        if (strcmp(file->tensors[i - 1].name, file->tensors[i].name) == 0)
            return reel_fail(error, REEL_BAD_DATA, "%s: two tensors are named '%.200s'", file->path,
                             file->tensors[i].name);
    return REEL_OK;
}

/* ---- the interface ---- */

static reel_status open_container(reel_pth *file, uint64_t size, unsigned char **text, reel_pickle *object,
                                  reel_storages *storages, reel_error *error)
{
    static const unsigned char legacy[] = {0x80, 0x02, 0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46,
                                           0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, 0x2e};
    unsigned char begin[512] = {0};
    size_t n = size < sizeof begin ? (size_t)size : sizeof begin;
    reel_status status = reel_file_read_at(file->fd, file->path, 0, begin, n, error);
    if (status != REEL_OK) return status;
    if (memcmp(begin, "PK\3\4", 4) == 0)
        return reel_pth_read_zip(file->fd, file->path, size, text, object, storages, error);
    if (memcmp(begin, legacy, sizeof legacy) == 0)
        return reel_pth_read_legacy(file->fd, file->path, size, text, object, storages, error);
    if (memcmp(begin + 257, "ustar", 5) == 0)
        return reel_fail(error, REEL_BAD_DATA, "%s: is in the tar format of torch before 0.1.10; save it anew",
                         file->path);
    return reel_fail(error, REEL_BAD_DATA, "%s: is not a PyTorch file; expected a zip archive or torch's magic number",
                     file->path);
}

reel_status reel_pth_open(reel_pth *file, const char *path, reel_error *error)
{
    uint64_t size = 0;
    unsigned char *text = NULL;
    reel_pickle object = {.nodes = NULL};
    reel_storages storages = {.count = 0};
    *file = (reel_pth){.fd = -1};
    reel_status status = reel_file_open(path, &file->fd, &size, error);
    if (status != REEL_OK) return status;
    if ((file->path = reel_copy_string(path)))
        status = open_container(file, size, &text, &object, &storages, error);
    else
        status = reel_fail_memory(error);
    if (status == REEL_OK) status = list_tensors(file, &object, &storages, error);
    reel_storages_free(&storages);
    reel_pickle_free(&object);
    reel_free(text);
    if (status != REEL_OK) reel_pth_close(file);
    return status;
}

void reel_pth_close(reel_pth *file)
{
    if (file->fd >= 0) close(file->fd);
    reel_stored_free(file->tensors, file->count);
    reel_free(file->path);
    *file = (reel_pth){.fd = -1};
}

const reel_stored *reel_pth_find(const reel_pth *file, const char *name)
{
    return reel_stored_find(file->tensors, file->count, name);
}

static void gather(const reel_stored *t, const unsigned char *from, unsigned char *to)
{
    size_t item = reel_stored_dtype_size(t->dtype), index[REEL_MAX_RANK] = {0}, at = 0;
    for (size_t i = 0; i < t->elements; i++) {
        memcpy(to + i * item, from + at * item, item);
        for (int d = t->shape.rank - 1; d >= 0; d--) {
            at += (size_t)t->stride[d];
            if (++index[d] < (size_t)t->shape.size[d]) break;
            at -= (size_t)t->stride[d] * (size_t)t->shape.size[d];
            index[d] = 0;
        }
    }
}

reel_status reel_pth_read(const reel_pth *file, const reel_stored *t, void *buffer, reel_error *error)
{
    uint64_t last = 0;
    if (t->elements == 0) return REEL_OK;
    if (row_major(t)) {
        reel_status status = reel_file_read_at(file->fd, file->path, t->offset, buffer, t->bytes, error);
        if (status == REEL_OK && t->checksum && reel_crc32(0, buffer, t->bytes) != t->checksum)
            return reel_fail(error, REEL_BAD_DATA,
                             "%s: tensor '%.200s': its values differ from their checksum; the "
                             "file is damaged",
                             file->path, t->name);
        return status;
    }
    reach(t, UINT64_MAX, &last);
    size_t span = ((size_t)last + 1) * reel_stored_dtype_size(t->dtype);
    unsigned char *values = reel_alloc_raw(span, 1);
    if (!values) return reel_fail_memory(error);
    reel_status status = reel_file_read_at(file->fd, file->path, t->offset, values, span, error);
    if (status == REEL_OK) gather(t, values, buffer);
    reel_free(values);
    return status;
}
