/* `reel eval`: predicted masks against ground truth. The work is in eval_plan.c, eval_score.c and eval_fold.c. */
#include "tools/eval.h"

#include "tools/commands.h"
#include "tools/options.h"

static const reel_option options_table[] = {
    REEL_OPTION("protocol", CHOICE, reel_eval_options, protocol, "davis2016|davis2017|vosbench|ytvos",
                "which frames and objects count, and how", .required = true),
    REEL_OPTION("gt", STRING, reel_eval_options, gt, "DATASET", "data set with the ground truth", .required = true),
    REEL_OPTION("pred", STRING, reel_eval_options, pred, "DIR", "predictions: DIR/VIDEO/FRAME.png, masks of object ids",
                .required = true),
    REEL_OPTION("split", STRING, reel_eval_options, split, "NAME",
                "list of videos: ImageSets/YEAR/NAME.txt, or `all` for every video with ground truth; when not given, "
                "val for DAVIS, the videos with predictions for vosbench, the data set's own for ytvos"),
    REEL_OPTION("json", FLAG, reel_eval_options, json, NULL, "print JSON with all digits instead of a table"),
    REEL_OPTION(
        "out", STRING, reel_eval_options, out, "DIR",
        "also write the CSV tables of the protocol's reference tool into DIR; choose one outside the predictions, "
        "which should stay free of other files when they are submitted"),
    REEL_OPTION("threads", INT, reel_eval_options, threads, "N",
                "threads to use; 0 takes every core. The scores do not "
                "depend on it",
                .fallback = "0", .low = 0, .high = 1024),
    REEL_OPTION(
        "seen", STRING, reel_eval_options, seen, "FILE",
        "ytvos: meta.json of the training videos; its categories count as seen. When not given, train/meta.json in "
        "or beside the data set",
        .with = "protocol=ytvos"),
    REEL_OPTION("skip-first-object-frame", CHOICE, reel_eval_options, skip_first_object_frame, "off|on",
                "ytvos: leave out the frame in which an object is given", .fallback = "on", .with = "protocol=ytvos"),
    REEL_OPTION("skip-last", CHOICE, reel_eval_options, skip_last, "off|on", "ytvos: leave out an object's last frame",
                .fallback = "off", .with = "protocol=ytvos"),
    {0},
};

static const reel_usage usage = {
    "eval",
    "Scores predicted masks with J (area) and F (boundary): the mean over frames, the recall (frames above 0.5) and "
    "the "
    "decay (first quarter less last), per video or object.",
    options_table,
    "protocols:\n"
    "  davis2016   one object, every id but 0; first and last frame left out\n"
    "  davis2017   objects of the first ground truth; first and last frame left out; void (255) is background\n"
    "  vosbench    as vos-benchmark: every id of the ground truth, from its first appearance\n"
    "  ytvos       frames listed in meta.json; seen and unseen categories averaged apart\n"
    "\n"
    "exit codes: 0 done; 1 usage; 2 out of memory; 3 a prediction or listed video is missing, a mask has the wrong\n"
    "size or ids or is damaged; 4 a folder or file cannot be read or written",
};

int reel_command_eval(int argc, char **argv)
{
    reel_eval_options options = {0};
    int stop = reel_options_begin(&usage, argc, argv, &options);
    if (stop >= 0) return stop;
    reel_error error = {0};
    reel_eval_plan plan;
    reel_eval_report report;
    if (reel_eval_run(&plan, &report, &options, &error)) return reel_complain(&usage, &error);
    reel_status status = REEL_OK;
    if (options.json)
        status = reel_eval_print_json(&report, stdout, &error);
    else
        reel_eval_print_table(&report, stdout);
    if (!status && options.out) status = reel_eval_write_tables(&report, &error);
    reel_eval_free_report(&report);
    reel_eval_free_plan(&plan);
    return status ? reel_complain(&usage, &error) : REEL_OK;
}
