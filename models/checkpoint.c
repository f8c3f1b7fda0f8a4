/* See checkpoint.h. */
#include "models/checkpoint.h"

#include "core/element.h"
#include "core/memory.h"

#include <stdio.h>
#include <string.h>

static reel_stored_dtype stored_dtype(reel_dtype dtype)
{
    static const reel_stored_dtype map[REEL_DTYPES] = {[REEL_F32] = REEL_STORED_F32,
                                                       [REEL_F64] = REEL_STORED_F64,
                                                       [REEL_I32] = REEL_STORED_I32,
                                                       [REEL_U8] = REEL_STORED_U8,
                                                       [REEL_BF16] = REEL_STORED_BF16};
    return map[dtype];
}

/* --- saving --- */

static reel_status fetch(void *parameter, void *buffer, reel_error *error)
{
    return reel_parameter_read(parameter, buffer, error);
}

reel_status reel_checkpoint_save(const char *path, reel_parameters *set, const reel_metadata *metadata, size_t count,
                                 reel_error *error)
{
    int n = reel_parameters_count(set);
    reel_stored_source *source = reel_alloc((size_t)n, sizeof *source);
    if (!source) return reel_fail_memory(error);
    for (int i = 0; i < n; i++) {
        reel_parameter *p = reel_parameter_at(set, i);
        source[i] = (reel_stored_source){
            .name = p->name, .dtype = stored_dtype(p->dtype), .shape = p->shape, .fetch = fetch, .context = p};
    }
    reel_status status = reel_safetensors_write(path, source, (size_t)n, metadata, count, error);
    reel_free(source);
    return status;
}

/* --- loading --- */

static bool is_wanted(const reel_parameter *p, reel_load what)
{
    return p->trained || what == REEL_LOAD_ALL;
}

static bool fits(const reel_parameter *p, const reel_stored *s)
{
    bool floats = reel_dtype_is_float(p->dtype) &&
                  (s->dtype == REEL_STORED_F32 || s->dtype == REEL_STORED_F64 || s->dtype == REEL_STORED_BF16);
    return reel_shape_equal(&p->shape, &s->shape) && (floats || s->dtype == stored_dtype(p->dtype));
}

/* Adds one fault to a line that names the first few. */
static void add_fault(char *text, size_t size, const reel_parameter *p, const reel_stored *s)
{
    char want[REEL_SHAPE_TEXT], have[REEL_SHAPE_TEXT];
    size_t used = strlen(text);
    reel_shape_text(&p->shape, want);
    if (s)
        snprintf(text + used, size - used, "%s%s is %s %s, wanted %s", used ? "; " : "", p->name,
                 reel_stored_dtype_name(s->dtype), reel_shape_text(&s->shape, have), want);
    else
        snprintf(text + used, size - used, "%s%s %s is missing", used ? "; " : "", p->name, want);
}

static void convert(void *to, reel_dtype dtype, const void *from, reel_stored_dtype stored, size_t n)
{
    reel_dtype source = stored == REEL_STORED_F64 ? REEL_F64 : stored == REEL_STORED_F32 ? REEL_F32 : REEL_BF16;
    for (int64_t i = 0; i < (int64_t)n; i++) reel_set_element(to, dtype, i, reel_element(from, source, i));
}

static reel_status load_one(const reel_safetensors *file, const reel_stored *s, reel_parameter *p, reel_error *error)
{
    void *raw = reel_alloc_raw(s->bytes, 1), *values = raw;
    bool same = s->dtype == stored_dtype(p->dtype);
    if (raw && !same) values = reel_alloc_raw(p->bytes, 1);
    reel_status status = raw && values ? reel_safetensors_read(file, s, raw, error) : reel_fail_memory(error);
    if (!status && !reel_stored_is_finite(s->dtype, raw, s->elements))
        status = reel_fail(error, REEL_NONFINITE, "%s: %s has NaN or infinite values; take an earlier checkpoint",
                           file->path, s->name);
    if (!status && !same) convert(values, p->dtype, raw, s->dtype, s->elements);
    if (!status) status = reel_parameter_write(p, values, error);
    if (values != raw) reel_free(values);
    reel_free(raw);
    return status;
}

reel_status reel_checkpoint_load(const reel_safetensors *file, reel_parameters *set, reel_load what, int *loaded,
                                 reel_error *error)
{
    enum { NAMED = 3 };
    char faults[700] = "", more[32] = "";
    int wrong = 0, trained = 0, count = 0;
    for (int i = 0; what != REEL_LOAD_COMMON && i < reel_parameters_count(set); i++) {
        const reel_parameter *p = reel_parameter_at(set, i);
        const reel_stored *s = reel_safetensors_find(file, p->name);
        if (!is_wanted(p, what) || (s && fits(p, s))) continue;
        trained += p->trained;
        if (wrong++ < NAMED) add_fault(faults, sizeof faults, p, s);
    }
    if (wrong > NAMED) snprintf(more, sizeof more, "; and %d more", wrong - NAMED);
    if (wrong)
        return reel_fail(error, REEL_BAD_DATA, "%s: %d parameters do not fit this %s: %s%s", file->path, wrong,
                         trained ? "network" : "optimiser, go on with the one it was trained with", faults, more);
    for (int i = 0; i < reel_parameters_count(set); i++) {
        reel_parameter *p = reel_parameter_at(set, i);
        const reel_stored *s = reel_safetensors_find(file, p->name);
        if (!s || !is_wanted(p, what) || !fits(p, s)) continue;
        reel_status status = load_one(file, s, p, error);
        if (status) return status;
        count++;
    }
    if (loaded) *loaded = count;
    return REEL_OK;
}
