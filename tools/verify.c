/* reel verify: everything that is wrong with a data set, at once. */
#include "datasets/dataset.h"
#include "tools/commands.h"
#include "tools/data.h"
#include "tools/options.h"

typedef struct {
    const char *folder, *split;
    int layout;
} verify_options;

static const reel_option table[] = {
    REEL_OPTION("dataset", STRING, verify_options, folder, "DIR", "folder of a data set", .required = true,
                .positional = true),
    REEL_OPTION("layout", CHOICE, verify_options, layout, REEL_LAYOUTS, "how the folder is laid out",
                .fallback = "any"),
    REEL_OPTION("split", STRING, verify_options, split, "NAME", "part of the data set; by default its training part"),
    {0},
};
static const reel_usage usage = {
    "verify", "Decodes every picture of a data set and lists all faults.", table,
    "Faults go to stdout, one a line: path, what is wrong, what was expected. The exit code is 0 when there are none,\n"
    "3 when there are some.\n"};

static void print_fault(void *to, const char *fault)
{
    fprintf(to, "%s\n", fault);
}

int reel_command_verify(int argc, char **argv)
{
    verify_options o;
    reel_error error = {REEL_OK, ""};
    int code = reel_options_begin(&usage, argc, argv, &o);
    if (code >= 0) return code;
    int faults = reel_dataset_verify(o.folder, (reel_layout)o.layout, o.split, print_fault, stdout, &error);
    if (faults < 0) return reel_complain(&usage, &error);
    fprintf(stderr, "%s: %d fault%s\n", o.folder, faults, faults == 1 ? "" : "s");
    return faults ? REEL_BAD_DATA : REEL_OK;
}
