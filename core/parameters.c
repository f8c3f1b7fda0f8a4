/* See parameters.h. Parameters are found by name through a small open-addressing hash table. */
#include "core/parameters.h"

#include "core/element.h"
#include "core/memory.h"
#include "core/rng.h"

#include <string.h>

struct reel_parameters {
    reel_backend *backend;
    uint64_t seed;
    reel_parameter **at;
    int count, room;
    int *slot; /* index + 1 into `at`, 0 for empty; twice `room` of them */
};

static uint64_t hash_name(const char *name)
{
    uint64_t hash = 14695981039346656037u; /* FNV-1a */
    for (; *name; name++) hash = (hash ^ (unsigned char)*name) * 1099511628211u;
    return reel_mix(hash);
}

reel_parameters *reel_parameters_new(reel_backend *backend, uint64_t seed)
{
    reel_parameters *set = reel_alloc(1, sizeof *set);
    if (!set) return NULL;
    set->backend = backend;
    set->seed = seed;
    return set;
}

void reel_parameters_free(reel_parameters *set)
{
    if (!set) return;
    for (int i = 0; i < set->count; i++) {
        if (set->at[i]->data) set->backend->release(set->backend, set->at[i]->data);
        reel_free((void *)set->at[i]->name);
        reel_free(set->at[i]);
    }
    reel_free(set->at);
    reel_free(set->slot);
    reel_free(set);
}

reel_backend *reel_parameters_backend(const reel_parameters *set)
{
    return set->backend;
}
int reel_parameters_count(const reel_parameters *set)
{
    return set->count;
}
reel_parameter *reel_parameter_at(const reel_parameters *set, int i)
{
    return set->at[i];
}

/* The slot where `name` is or would go. */
static int *slot_of(const reel_parameters *set, const char *name)
{
    uint64_t mask = (uint64_t)set->room * 2 - 1, i = hash_name(name) & mask;
    while (set->slot[i] && strcmp(set->at[set->slot[i] - 1]->name, name) != 0) i = (i + 1) & mask;
    return &set->slot[i];
}

reel_parameter *reel_parameter_find(const reel_parameters *set, const char *name)
{
    int *slot = set->room ? slot_of(set, name) : NULL;
    return slot && *slot ? set->at[*slot - 1] : NULL;
}

static bool make_room(reel_parameters *set)
{
    if (set->count < set->room) return true;
    int room = set->room ? set->room * 2 : 64;
    int *slots = reel_alloc((size_t)room * 2, sizeof *slots);
    reel_parameter **at = slots ? reel_grow(set->at, (size_t)set->room, (size_t)room, sizeof(reel_parameter *)) : NULL;
    if (!at) {
        reel_free(slots);
        return false;
    }
    reel_free(set->slot);
    set->at = at;
    set->slot = slots;
    set->room = room;
    for (int i = 0; i < set->count; i++) *slot_of(set, at[i]->name) = i + 1;
    return true;
}

static reel_parameter *add(reel_parameters *set, const reel_parameter *values)
{
    reel_parameter *parameter = make_room(set) ? reel_alloc(1, sizeof *parameter) : NULL;
    if (!parameter) return NULL;
    *parameter = *values;
    parameter->set = set;
    parameter->name = reel_copy_string(values->name);
    if (!parameter->name) {
        reel_free(parameter);
        return NULL;
    }
    int *slot = slot_of(set, parameter->name);
    set->at[set->count++] = parameter;
    *slot = set->count;
    return parameter;
}

reel_parameter *reel_parameter_declare(reel_parameters *set, const char *name, reel_dtype dtype, reel_shape shape,
                                       reel_init init, bool trained, reel_error *error)
{
    char have[REEL_SHAPE_TEXT], want[REEL_SHAPE_TEXT];
    reel_parameter *found = reel_parameter_find(set, name);
    if (found && found->dtype == dtype && reel_shape_equal(&found->shape, &shape)) return found;
    if (found) {
        reel_fail(error, REEL_USAGE, "parameter '%s' is declared as %s %s and as %s %s", name,
                  reel_dtype_name(found->dtype), reel_shape_text(&found->shape, have), reel_dtype_name(dtype),
                  reel_shape_text(&shape, want));
        return NULL;
    }
    reel_parameter values = {.name = name, .dtype = dtype, .shape = shape, .init = init, .trained = trained};
    int64_t elements;
    if (!reel_shape_measure(&shape, dtype, &elements, &values.bytes)) {
        reel_fail(error, REEL_USAGE, "parameter '%s': its shape is negative or too large", name);
        return NULL;
    }
    found = add(set, &values);
    if (!found) reel_fail_memory(error);
    return found;
}

static double initial(const reel_init *init, uint64_t key, uint64_t i)
{
    switch (init->kind) {
    case REEL_INIT_UNIFORM:
        return init->value * (2 * reel_uniform(key, i) - 1);
    case REEL_INIT_NORMAL:
        return init->value * reel_normal(key, i);
    default:
        return init->value;
    }
}

static void fill(void *data, const reel_parameter *p, uint64_t key)
{
    int64_t n = reel_elements(&p->shape);
#pragma omp parallel for schedule(static) if (n > 65536)
    for (int64_t i = 0; i < n; i++) reel_set_element(data, p->dtype, i, initial(&p->init, key, (uint64_t)i));
}

/* The device's block is asked for first, so that on the host the temporary one lies behind it and leaves no hole. */
reel_status reel_parameter_prepare(reel_parameter *p, reel_error *error)
{
    if (p->data) return REEL_OK;
    reel_backend *backend = p->set->backend;
    p->data = backend->allocate(backend, p->bytes, error);
    if (!p->data) return REEL_ENVIRONMENT;
    void *values = reel_alloc_raw(p->bytes, 1);
    reel_status status = values ? REEL_OK : reel_fail_memory(error);
    if (!status) fill(values, p, reel_key(p->set->seed, hash_name(p->name)));
    if (!status) status = reel_parameter_write(p, values, error);
    if (status) {
        backend->release(backend, p->data);
        p->data = NULL;
    }
    reel_free(values);
    return status;
}

reel_status reel_parameter_write(reel_parameter *p, const void *data, reel_error *error)
{
    reel_backend *backend = p->set->backend;
    if (!p->data) p->data = backend->allocate(backend, p->bytes, error);
    if (!p->data) return REEL_ENVIRONMENT;
    return backend->write(backend, p->data, data, p->bytes, error);
}

reel_status reel_parameter_read(reel_parameter *p, void *data, reel_error *error)
{
    reel_status status = reel_parameter_prepare(p, error);
    return status ? status : p->set->backend->read(p->set->backend, data, p->data, p->bytes, error);
}
