/* See tiny.h. */
#include "tests/support/tiny.h"

#include "backends/cpu/cpu.h"

#include <check.h>
#include <stdlib.h>

reel_status tiny_run(reel_graph *graph, reel_backend *backend, const tiny_input *inputs, int input_count,
                     reel_tensor *const *wanted, void *const *value, int count, reel_error *error)
{
    reel_backend *own = backend ? NULL : reel_reference_backend();
    if (!backend && !own) return reel_fail_memory(error);
    reel_plan *plan = reel_plan_new(graph, backend ? backend : own, wanted, count, error);
    reel_status status = plan ? REEL_OK : error->status;
    for (int i = 0; !status && i < input_count; i++)
        status = reel_plan_write(plan, inputs[i].input, inputs[i].data, error);
    if (!status) status = reel_plan_run(plan, error);
    for (int i = 0; !status && i < count; i++)
        if (value[i]) status = reel_plan_read(plan, wanted[i], value[i], error);
    reel_plan_free(plan);
    if (own) own->close(own);
    return status;
}

int tiny_suite(const char *name, const struct TTest *const *tests, int count)
{
    Suite *suite = suite_create(name);
    TCase *tcase = tcase_create(name);
    tcase_set_timeout(tcase, 0);
    for (int i = 0; i < count; i++) tcase_add_test(tcase, tests[i]);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_set_fork_status(runner, CK_NOFORK);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

int tiny_suite_on_both(reel_backend *backends[2], const char *name, const struct TTest *const *tests, int count)
{
    reel_error error = {REEL_OK, ""};
    backends[0] = reel_reference_backend();
    backends[1] = reel_cpu_backend(2, &error);
    int code = backends[0] && backends[1] ? tiny_suite(name, tests, count) : 2;
    for (int i = 0; i < 2; i++)
        if (backends[i]) backends[i]->close(backends[i]);
    return code;
}
