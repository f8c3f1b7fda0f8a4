/* The CUDA backend on an emulated GPU (tests/cuda/emulated.h) that has other hardware or fails when it is told to: the
   order in which blocks and threads run changes no bit; machines that lack something; calls that fail. */
#include "backends/cuda/cuda.h"
#include "backends/registry.h"
#include "tests/cuda/emulated.h"
#include "tests/support/op_table.h"
#include "tests/support/tiny.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

static reel_backend *cuda;

/* --- the order of blocks --- */

static bool any_order(const op_problem *p, char *why, size_t size)
{
    op_results forwards = {0}, backwards = {0};
    bool ok = op_run(&forwards, p, REEL_F32, cuda, why, size);
    emulated.backwards = true;
    ok = ok && op_run(&backwards, p, REEL_F32, cuda, why, size);
    emulated.backwards = false;
    if (ok && !op_results_same_bits(&forwards, &backwards)) {
        snprintf(why, size, "the order of the blocks changes bits");
        ok = false;
    }
    op_results_free(&forwards);
    op_results_free(&backwards);
    return ok;
}

START_TEST(order_of_blocks_does_not_change_bits)
{
    over_table("cuda, order", any_order);
}
END_TEST

/* --- devices --- */

static void refused(const char *device, const char *part)
{
    reel_error error = {REEL_OK, ""};
    reel_backend *backend = reel_backend_open(device, 1, &error);
    ck_assert_msg(!backend, "%s was opened", device);
    ck_assert_msg(error.status == REEL_ENVIRONMENT && strstr(error.text, part), "%s: '%s' lacks '%s'", device,
                  error.text, part);
}

START_TEST(devices_that_are_not_there)
{
    const emulated_machine whole = emulated;
    refused("cuda:1", "there is 1 GPU, cuda:0 to cuda:0");
    refused("cuda:", "reel has the devices");
    refused("cuda:x", "reel has the devices");
    refused("cuda:0x", "reel has the devices");
    refused("cuda:-1", "reel has the devices");
    refused("cuda:99999999999", "reel has the devices");
    refused("cpu:0", "reel has the devices");
    emulated.devices = 3;
    refused("cuda:3", "there are 3 GPUs, cuda:0 to cuda:2");
    emulated.devices = 0;
    refused("cuda", "the driver finds no GPU");
    emulated.devices = -1;
    refused("cuda:0", "no NVIDIA driver");
    emulated = whole;
    emulated.old_gpu = true;
    refused("cuda:0", "architecture 5.0");
    emulated = whole;
    emulated.memory = 0;
    refused("cuda:0", "out of memory");
    emulated = whole;
}
END_TEST

/* --- what fails later --- */

static reel_graph *small_graph(reel_tensor **input, reel_tensor **wanted)
{
    reel_graph *graph = reel_graph_new();
    *input = reel_input(graph, "x", REEL_F32, REEL_SHAPE(64, 1024));
    *wanted = reel_exp(*input);
    return graph;
}

static reel_error run_small(reel_backend *backend)
{
    static float values[64 * 1024];
    reel_error error = {REEL_OK, ""};
    reel_tensor *input, *wanted;
    reel_graph *graph = small_graph(&input, &wanted);
    tiny_run(graph, backend, &(tiny_input){input, values}, 1, &wanted, (void *[]){values}, 1, &error);
    reel_graph_free(graph);
    return error;
}

START_TEST(too_little_memory)
{
    const emulated_machine whole = emulated;
    emulated.memory = 300 * 1024;
    reel_error error = run_small(cuda);
    emulated = whole;
    ck_assert_int_eq(error.status, REEL_ENVIRONMENT);
    ck_assert_msg(strstr(error.text, "cuda:0: out of memory: 0 MiB asked for") && strstr(error.text, "--dry-run"), "%s",
                  error.text);
    ck_assert_msg(run_small(cuda).status == REEL_OK, "nothing works after a refusal");
}
END_TEST

START_TEST(failed_launches_and_waits)
{
    emulated.fail_launch = 1;
    reel_error error = run_small(cuda);
    ck_assert_int_eq(error.status, REEL_ENVIRONMENT);
    ck_assert_msg(strstr(error.text, "exp at backends/cuda/elementwise.cu:") &&
                      strstr(error.text, "cudaErrorInvalidConfiguration"),
                  "%s", error.text);
    emulated.fail_synchronize = 2; /* the first is that of writing the input */
    error = run_small(cuda);
    ck_assert_int_eq(error.status, REEL_ENVIRONMENT);
    ck_assert_msg(strstr(error.text, "cudaStreamSynchronize(device->stream) at backends/cuda/run.cu:") &&
                      strstr(error.text, "cudaErrorIllegalAddress"),
                  "%s", error.text);
    ck_assert_msg(run_small(cuda).status == REEL_OK, "nothing works after a failure");
}
END_TEST

int main(void)
{
    reel_error error = {REEL_OK, ""};
    cuda = reel_backend_open("cuda:0", 1, &error);
    if (!cuda) return printf("%s\n", error.text), 2;
    const TTest *const tests[] = {order_of_blocks_does_not_change_bits, devices_that_are_not_there, too_little_memory,
                                  failed_launches_and_waits};
    int code = tiny_suite("cuda, emulated", tests, sizeof tests / sizeof *tests);
    cuda->close(cuda);
    return code;
}
