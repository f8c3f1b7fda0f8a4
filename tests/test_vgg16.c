/* Pretrained values for the trunks: the right array to the right layer, the fourth input channel left alone. */
#include "backends/registry.h"
#include "models/vgg16.h"
#include "tests/support/temporary.h"
#include "tests/support/tiny.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

enum { LAYERS = 26 };
static const double width = 1.0 / 64;
static reel_backend *backend;
static reel_error error;

/* Declares a trunk of so many input channels in a new set of parameters. */
static reel_parameters *trunk(const char *name, int channels)
{
    reel_graph *graph = reel_graph_new();
    reel_parameters *set = reel_parameters_new(backend, 5);
    reel_net net = {.graph = graph, .set = set, .dtype = REEL_F32};
    reel_vgg16(&net, name, reel_input(graph, "x", REEL_F32, REEL_SHAPE(1, channels, 32, 32)), width);
    ck_assert_msg(!reel_failed(reel_graph_error(graph)), "%s", reel_graph_error(graph)->text);
    reel_graph_free(graph);
    return set;
}

static float value(int layer, int64_t i)
{
    return (float)layer + (float)(i % 97) / 128;
}

/* A file as torchvision would write it: the arrays of a 3-channel trunk under names without a scope. */
static const char *write_file(int leave_out)
{
    reel_parameters *set = trunk("t", 3);
    reel_stored_source source[LAYERS];
    size_t count = 0;
    ck_assert_int_eq(reel_parameters_count(set), LAYERS);
    for (int i = 0; i < LAYERS; i++) {
        const reel_parameter *p = reel_parameter_at(set, i);
        float *data = reel_alloc((size_t)reel_elements(&p->shape), sizeof *data);
        for (int64_t k = 0; k < reel_elements(&p->shape); k++) data[k] = value(i, k);
        if (i != leave_out)
            source[count++] = (reel_stored_source){
                .name = p->name + strlen("t."), .dtype = REEL_STORED_F32, .shape = p->shape, .data = data};
        else
            reel_free(data);
    }
    const char *path = temporary_path(temporary_folder(), "vgg16.safetensors");
    ck_assert_msg(reel_safetensors_write(path, source, count, NULL, 0, &error) == REEL_OK, "%s", error.text);
    for (size_t i = 0; i < count; i++) reel_free((void *)source[i].data);
    reel_parameters_free(set);
    return path;
}

static reel_status load(reel_parameters *set, const char *path)
{
    reel_weights weights;
    reel_status status = reel_weights_open(&weights, path, &error);
    if (status) return status;
    status = reel_vgg16_load(set, "init_vgg", &weights, &error);
    reel_weights_close(&weights);
    return status;
}

START_TEST(every_layer_gets_its_values_and_the_mask_channel_keeps_its_own)
{
    reel_parameters *set = trunk("init_vgg", 4);
    reel_parameter *first = reel_parameter_at(set, 0);
    float *before = reel_alloc((size_t)reel_elements(&first->shape), sizeof *before);
    reel_parameter_read(first, before, &error);
    ck_assert_msg(load(set, write_file(-1)) == REEL_OK, "%s", error.text);
    for (int i = 0; i < LAYERS; i++) {
        reel_parameter *p = reel_parameter_at(set, i);
        int64_t n = reel_elements(&p->shape);
        float *now = reel_alloc((size_t)n, sizeof *now);
        reel_parameter_read(p, now, &error);
        for (int64_t k = 0; k < n; k++) {
            int64_t in = k / 9 % 4, k3 = k / 36 * 27 + k % 36; /* the same place in [O, 3, 3, 3] */
            float want = i ? value(i, k) : in < 3 ? value(0, k3) : before[k];
            ck_assert_msg(now[k] == want, "%s entry %lld", p->name, (long long)k);
        }
        reel_free(now);
    }
    reel_free(before);
    reel_parameters_free(set);
}
END_TEST

START_TEST(what_does_not_fit_is_named)
{
    reel_parameters *set = trunk("init_vgg", 4);
    ck_assert_int_eq(load(set, write_file(24)), REEL_BAD_DATA);
    ck_assert_msg(strstr(error.text, "features.28.weight") != NULL, "%s", error.text);
    reel_parameters_free(set);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {every_layer_gets_its_values_and_the_mask_channel_keeps_its_own,
                                  what_does_not_fit_is_named};
    backend = reel_backend_open("cpu", 1, &error);
    if (!backend) return 2;
    int code = tiny_suite("vgg16", tests, sizeof tests / sizeof *tests);
    backend->close(backend);
    return code;
}
