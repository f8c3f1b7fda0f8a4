/* The CPU backend counts denormals as zero on every thread of a run, and leaves the caller's arithmetic as it was. */
#include "backends/cpu/cpu.h"
#include "tests/support/tiny.h"

#include <check.h>

enum { MANY = 1 << 18 }; /* enough for pieces on every thread */

static float tiny_product(void)
{
    volatile float a = 1e-30f, b = 1e-10f;
    return a * b;
}

START_TEST(products_below_the_smallest_normal_are_zero)
{
    reel_error error = {REEL_OK, ""};
    float *x = reel_alloc(MANY, sizeof *x), *y = reel_alloc(MANY, sizeof *y);
    for (int i = 0; i < MANY; i++) x[i] = i % 2 ? 1e-30f : 1;
    for (int threads = 1; threads <= 8; threads++) {
        reel_backend *cpu = reel_cpu_backend(threads, &error);
        reel_graph *graph = reel_graph_new();
        reel_tensor *in = reel_input(graph, "x", REEL_F32, REEL_SHAPE(MANY)), *out = reel_scale(in, 1e-10);
        reel_status status = tiny_run(graph, cpu, &(tiny_input){in, x}, 1, &out, (void *[]){y}, 1, &error);
        ck_assert_msg(status == REEL_OK, "%s", error.text);
        int wrong = 0;
        for (int i = 0; i < MANY; i++) wrong += y[i] != (i % 2 ? 0 : 1e-10f);
        ck_assert_msg(wrong == 0, "%d threads: %d elements are not flushed", threads, wrong);
        ck_assert_msg(tiny_product() > 0, "the caller's arithmetic was changed");
        reel_graph_free(graph);
        cpu->close(cpu);
    }
    reel_free(x);
    reel_free(y);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {products_below_the_smallest_normal_are_zero};
    return tiny_suite("flush", tests, 1);
}
