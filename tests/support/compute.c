/* See compute.h. */
#include "tests/support/compute.h"

#include <check.h>
#include <string.h>

void compute(reel_backend *backend, reel_tensor *const *wanted, int count, void *const *out)
{
    reel_error error = {REEL_OK, ""};
    reel_plan *plan = reel_plan_new(wanted[0]->graph, backend, wanted, count, &error);
    if (plan && !reel_plan_run(plan, &error))
        for (int i = 0; i < count; i++) reel_plan_read(plan, wanted[i], out[i], &error);
    reel_plan_free(plan);
    ck_assert_msg(error.status == REEL_OK, "%s", error.text);
}

void compute_fails(reel_backend *backend, reel_tensor *wanted, reel_status status, const char *part)
{
    reel_error error = {REEL_OK, ""};
    reel_plan *plan = reel_plan_new(wanted->graph, backend, &wanted, 1, &error);
    if (plan) reel_plan_run(plan, &error);
    reel_plan_free(plan);
    ck_assert_int_eq(error.status, status);
    ck_assert_msg(strstr(error.text, part) != NULL, "'%s' is not in: %s", part, error.text);
}

void expect_refused(const reel_graph *graph, const char *part)
{
    const reel_error *error = reel_graph_error(graph);
    ck_assert_int_eq(error->status, REEL_USAGE);
    ck_assert_msg(strstr(error->text, part) != NULL, "'%s' is not in: %s", part, error->text);
}
