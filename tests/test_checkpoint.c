/* models/checkpoint: what was saved is loaded bit for bit, what the three ways of loading take and leave, conversion
   between the float types, everything that does not fit told at once, weights that are not finite, and refused memory
   at every allocation. */
#include "core/bf16.h"
#include "models/checkpoint.h"
#include "tests/support/temporary.h"
#include "tests/support/tiny.h"

#include <check.h>
#include <math.h>
#include <string.h>

static const reel_init noise = {REEL_INIT_NORMAL, 1};

/* A set of two weights, a moment and a count of steps. */
static reel_parameters *new_set(reel_dtype dtype, uint64_t seed)
{
    reel_parameters *set = reel_parameters_new(reel_reference_backend(), seed);
    ck_assert_ptr_nonnull(set);
    reel_error error = {0};
    reel_parameter_declare(set, "a.weight", dtype, REEL_SHAPE(3, 4), noise, true, &error);
    reel_parameter_declare(set, "b.weight", dtype, REEL_SHAPE(5), noise, true, &error);
    reel_parameter_declare(set, "optim.m.a.weight", dtype, REEL_SHAPE(3, 4), noise, false, &error);
    reel_parameter_declare(set, "optim.step", REEL_I32, REEL_SCALAR_SHAPE,
                           (reel_init){REEL_INIT_CONSTANT, (double)seed}, false, &error);
    ck_assert_msg(!reel_failed(&error), "%s", error.text);
    return set;
}

static void free_set(reel_parameters *set)
{
    reel_backend *backend = reel_parameters_backend(set);
    reel_parameters_free(set);
    backend->close(backend);
}

static const char *save(reel_parameters *set)
{
    const char *path = temporary_path(temporary_folder(), "set.safetensors");
    reel_error error = {0};
    ck_assert_msg(!reel_checkpoint_save(path, set, NULL, 0, &error), "%s", error.text);
    return path;
}

static reel_status load(const char *path, reel_parameters *set, reel_load what, int *loaded, reel_error *error)
{
    reel_safetensors file;
    reel_status status = reel_safetensors_open(&file, path, error);
    if (status) return status;
    status = reel_checkpoint_load(&file, set, what, loaded, error);
    reel_safetensors_close(&file);
    return status;
}

static bool same(const reel_parameters *a, const reel_parameters *b, const char *name)
{
    reel_parameter *p = reel_parameter_find(a, name), *q = reel_parameter_find(b, name);
    unsigned char x[256], y[256];
    reel_error error = {0};
    ck_assert(p && q && p->bytes == q->bytes && p->bytes <= sizeof x);
    ck_assert_msg(!reel_parameter_read(p, x, &error) && !reel_parameter_read(q, y, &error), "%s", error.text);
    return memcmp(x, y, p->bytes) == 0;
}

START_TEST(loading_takes_what_it_is_asked_for)
{
    static const struct {
        reel_load what;
        int loaded;
        bool moments;
    } cases[] = {{REEL_LOAD_ALL, 4, true}, {REEL_LOAD_WEIGHTS, 2, false}, {REEL_LOAD_COMMON, 2, false}};
    reel_parameters *saved = new_set(REEL_F32, 1);
    const char *path = save(saved);
    for (int i = 0; i < 3; i++) {
        reel_parameters *set = new_set(REEL_F32, 2);
        reel_error error = {0};
        int loaded = -1;
        ck_assert(!same(saved, set, "a.weight"));
        ck_assert_msg(!load(path, set, cases[i].what, &loaded, &error), "%s", error.text);
        ck_assert_int_eq(loaded, cases[i].loaded);
        ck_assert(same(saved, set, "a.weight") && same(saved, set, "b.weight"));
        ck_assert_int_eq(same(saved, set, "optim.m.a.weight"), cases[i].moments);
        ck_assert_int_eq(same(saved, set, "optim.step"), cases[i].moments);
        free_set(set);
    }
    free_set(saved);
}
END_TEST

START_TEST(float_and_double_convert)
{
    reel_parameters *narrow = new_set(REEL_F32, 1), *wide = new_set(REEL_F64, 2), *back = new_set(REEL_F32, 3);
    reel_error error = {0};
    ck_assert_msg(!load(save(narrow), wide, REEL_LOAD_ALL, NULL, &error), "%s", error.text);
    ck_assert_msg(!load(save(wide), back, REEL_LOAD_ALL, NULL, &error), "%s", error.text);
    float of_narrow[12];
    double of_wide[12];
    ck_assert(!reel_parameter_read(reel_parameter_find(narrow, "a.weight"), of_narrow, &error));
    ck_assert(!reel_parameter_read(reel_parameter_find(wide, "a.weight"), of_wide, &error));
    for (int i = 0; i < 12; i++) ck_assert((double)of_narrow[i] == of_wide[i]);
    ck_assert(same(narrow, back, "a.weight") && same(narrow, back, "optim.m.a.weight"));
    free_set(narrow);
    free_set(wide);
    free_set(back);
}
END_TEST

START_TEST(bf16_is_stored_as_it_is)
{
    reel_parameters *half = new_set(REEL_BF16, 1), *wide = new_set(REEL_F32, 2), *back = new_set(REEL_BF16, 3);
    reel_parameters *again = new_set(REEL_BF16, 4);
    reel_error error = {0};
    const char *path = save(half);
    ck_assert_msg(!load(path, again, REEL_LOAD_ALL, NULL, &error), "%s", error.text);
    ck_assert_msg(!load(path, wide, REEL_LOAD_ALL, NULL, &error), "%s", error.text);
    ck_assert_msg(!load(save(wide), back, REEL_LOAD_ALL, NULL, &error), "%s", error.text);
    ck_assert(same(half, again, "a.weight") && same(half, back, "a.weight") && same(half, back, "optim.m.a.weight"));
    reel_bf16 of_half[12];
    float of_wide[12];
    ck_assert(!reel_parameter_read(reel_parameter_find(half, "a.weight"), of_half, &error));
    ck_assert(!reel_parameter_read(reel_parameter_find(wide, "a.weight"), of_wide, &error));
    for (int i = 0; i < 12; i++) ck_assert(reel_bf16_to_float(of_half[i]) == of_wide[i]);
    free_set(half);
    free_set(wide);
    free_set(back);
    free_set(again);
}
END_TEST

START_TEST(all_that_does_not_fit_is_told_at_once)
{
    reel_parameters *saved = new_set(REEL_F32, 1), *set = reel_parameters_new(reel_reference_backend(), 2);
    reel_parameters *twin = new_set(REEL_F32, 2);
    const char *path = save(saved);
    reel_error error = {0};
    reel_parameter_declare(set, "a.weight", REEL_F32, REEL_SHAPE(3, 4), noise, true, &error);
    reel_parameter_declare(set, "b.weight", REEL_F32, REEL_SHAPE(6), noise, true, &error);
    reel_parameter_declare(set, "c.weight", REEL_F32, REEL_SHAPE(7), noise, true, &error);
    reel_parameter_declare(set, "optim.step", REEL_F32, REEL_SCALAR_SHAPE, noise, false, &error);
    ck_assert_msg(!reel_failed(&error), "%s", error.text);
    ck_assert_int_eq(load(path, set, REEL_LOAD_ALL, NULL, &error), REEL_BAD_DATA);
    const char *const parts[] = {"3 parameters", path, "b.weight", "[5]", "[6]", "c.weight", "missing", "optim.step"};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        ck_assert_msg(strstr(error.text, parts[i]) != NULL, "no '%s' in: %s", parts[i], error.text);
    ck_assert(same(set, twin, "a.weight"));

    int loaded = 0;
    error = (reel_error){0};
    ck_assert_msg(!load(path, set, REEL_LOAD_COMMON, &loaded, &error), "%s", error.text);
    ck_assert_int_eq(loaded, 1);
    ck_assert(same(set, saved, "a.weight"));
    free_set(saved);
    free_set(twin);
    free_set(set);
}
END_TEST

START_TEST(values_that_are_not_finite_are_refused)
{
    static const float bad[] = {NAN, INFINITY, -INFINITY};
    for (int i = 0; i < 3; i++) {
        reel_parameters *saved = new_set(REEL_F32, 1), *set = new_set(REEL_F64, 2);
        reel_error error = {0};
        float values[5] = {1, 2, 3, 4, bad[i]};
        ck_assert(!reel_parameter_write(reel_parameter_find(saved, "b.weight"), values, &error));
        const char *path = save(saved);
        for (int what = REEL_LOAD_ALL; what <= REEL_LOAD_COMMON; what++) {
            error = (reel_error){0};
            ck_assert_int_eq(load(path, set, (reel_load)what, NULL, &error), REEL_NONFINITE);
            ck_assert_msg(strstr(error.text, "b.weight") && strstr(error.text, path), "%s", error.text);
        }
        free_set(saved);
        free_set(set);
    }
}
END_TEST

START_TEST(a_message_is_one_line)
{
    reel_error error = {0};
    ck_assert_int_eq(reel_fail(&error, REEL_IO, "a\nb\r%s \x7f \xc3\xbc", "\x1b[31m\t"), REEL_IO);
    ck_assert_str_eq(error.text, "a?b??[31m? ? \xc3\xbc");
    reel_fail(&error, REEL_USAGE, "later");
    ck_assert_int_eq(error.status, REEL_IO);
}
END_TEST

START_TEST(refused_memory_is_an_error_everywhere)
{
    reel_parameters *saved = new_set(REEL_F64, 1), *set = new_set(REEL_F32, 2);
    const char *path = save(saved);
    reel_status status = REEL_ENVIRONMENT;
    for (uint64_t n = 1; status; n++) {
        reel_error error = {0};
        reel_alloc_fail(n, true);
        status = reel_checkpoint_save(path, saved, NULL, 0, &error);
        if (!status) status = load(path, set, REEL_LOAD_ALL, NULL, &error);
        reel_alloc_fail(0, false);
        ck_assert_msg(!status || status == REEL_ENVIRONMENT, "allocation %d: %s", (int)n, error.text);
        ck_assert_int_eq(status, error.status);
    }
    free_set(saved);
    free_set(set);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        loading_takes_what_it_is_asked_for,
        float_and_double_convert,
        bf16_is_stored_as_it_is,
        all_that_does_not_fit_is_told_at_once,
        values_that_are_not_finite_are_refused,
        a_message_is_one_line,
        refused_memory_is_an_error_everywhere,
    };
    return tiny_suite("checkpoint", tests, sizeof tests / sizeof *tests);
}
