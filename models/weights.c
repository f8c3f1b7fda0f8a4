/* See weights.h. */
#include "models/weights.h"

#include "core/file.h"
#include "core/memory.h"

#include <string.h>
#include <unistd.h>

/* PyTorch's files begin as a zip archive or as a pickle of protocol 2. */
static reel_status looks_like_pth(const char *path, bool *yes, reel_error *error)
{
    unsigned char first[4] = {0};
    uint64_t bytes;
    int fd;
    reel_status status = reel_file_open(path, &fd, &bytes, error);
    if (status) return status;
    status = reel_file_read_at(fd, path, 0, first, bytes < sizeof first ? (size_t)bytes : sizeof first, error);
    close(fd);
    *yes = !memcmp(first, "PK\3\4", 4) || (first[0] == 0x80 && first[1] == 2);
    return status;
}

reel_status reel_weights_open(reel_weights *w, const char *path, reel_error *error)
{
    reel_status status = looks_like_pth(path, &w->is_pth, error);
    if (status) return status;
    return w->is_pth ? reel_pth_open(&w->file.pth, path, error)
                     : reel_safetensors_open(&w->file.safetensors, path, error);
}

void reel_weights_close(reel_weights *w)
{
    if (w->is_pth)
        reel_pth_close(&w->file.pth);
    else
        reel_safetensors_close(&w->file.safetensors);
}

const reel_stored *reel_weights_list(const reel_weights *w, size_t *count)
{
    *count = w->is_pth ? w->file.pth.count : w->file.safetensors.count;
    return w->is_pth ? w->file.pth.tensors : w->file.safetensors.tensors;
}

const reel_stored *reel_weights_find(const reel_weights *w, const char *name)
{
    size_t count;
    const reel_stored *list = reel_weights_list(w, &count);
    return reel_stored_find(list, count, name);
}

const char *reel_weights_path(const reel_weights *w)
{
    return w->is_pth ? w->file.pth.path : w->file.safetensors.path;
}

reel_status reel_weights_read(const reel_weights *w, const reel_stored *stored, float *to, reel_error *error)
{
    void *raw = reel_alloc_raw(stored->bytes, 1);
    if (!raw) return reel_fail_memory(error);
    reel_status status = w->is_pth ? reel_pth_read(&w->file.pth, stored, raw, error)
                                   : reel_safetensors_read(&w->file.safetensors, stored, raw, error);
    if (!status && !reel_stored_to_f32(stored->dtype, raw, stored->elements, to))
        status = reel_fail(error, REEL_BAD_DATA, "%s: %s is %s, expected floats", reel_weights_path(w), stored->name,
                           reel_stored_dtype_name(stored->dtype));
    if (!status && !reel_stored_is_finite(REEL_STORED_F32, to, stored->elements))
        status =
            reel_fail(error, REEL_NONFINITE, "%s: %s holds a NaN or an infinity", reel_weights_path(w), stored->name);
    reel_free(raw);
    return status;
}
