/* See run_folder.h. */
#include "tools/run_folder.h"

#include "core/file.h"
#include "models/checkpoint.h"
#include "tools/curve.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static const char header[] = "step,lr,loss,loss_bce,loss_iou,loss_distance,grad_norm,seconds\n";

char *reel_run_file(const reel_run_folder *run, const char *name, char text[4096])
{
    snprintf(text, 4096, "%s/%s", run->path, name);
    return text;
}

/* A process that was killed while it saved leaves its unfinished file behind, as large as the weights. Under the lock
   nobody else can be writing one. */
static void remove_unfinished(const reel_run_folder *run)
{
    char path[4096];
    DIR *stream = opendir(run->path);
    const struct dirent *entry;
    while (stream && (entry = readdir(stream))) {
        bool weights = !strncmp(entry->d_name, "last.safetensors.tmp.", 21);
        if (weights || !strncmp(entry->d_name, "log.csv.tmp.", 12)) unlink(reel_run_file(run, entry->d_name, path));
    }
    if (stream) closedir(stream);
}

reel_status reel_run_open(reel_run_folder *run, const char *path, bool resume, reel_error *error)
{
    char file[4096];
    struct stat st;
    *run = (reel_run_folder){.lock = -1};
    if (strlen(path) >= sizeof run->path) return reel_fail(error, REEL_USAGE, "%.80s…: the path is too long", path);
    strcpy(run->path, path);
    if (resume && stat(reel_run_file(run, "last.safetensors", file), &st))
        return reel_fail(error, REEL_IO, "%s: not found, there is nothing to resume", file);
    if (reel_make_folders(path, error)) return error->status;
    run->lock = open(reel_run_file(run, "lock", file), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (run->lock < 0) return reel_fail(error, REEL_IO, "%s: cannot be written: %s", file, strerror(errno));
    if (flock(run->lock, LOCK_EX | LOCK_NB))
        return reel_fail(error, REEL_IO, "%s: another process is training in this folder; choose another --out", path);
    remove_unfinished(run);
    if (!resume && !stat(reel_run_file(run, "last.safetensors", file), &st))
        return reel_fail(error, REEL_USAGE, "%s: holds a run already; go on with --resume or choose another --out",
                         path);
    return REEL_OK;
}

void reel_run_close(reel_run_folder *run)
{
    if (run->log) fclose(run->log);
    if (run->lock >= 0) close(run->lock);
    run->log = NULL;
    run->lock = -1;
}

/* --- log --- */

/* The lines of the old log that are still true. */
static reel_status keep_log(FILE *from, const char *path, uint64_t step, reel_error *error)
{
    char line[512];
    reel_writer to;
    reel_status status = reel_writer_open(&to, path, error);
    if (!status) reel_writer_write(&to, header, sizeof header - 1, NULL);
    while (!status && from && fgets(line, sizeof line, from)) {
        char *end;
        unsigned long long at = strtoull(line, &end, 10);
        bool whole = end != line && *end == ',' && strchr(end, '\n');
        if (whole && at <= step) reel_writer_write(&to, line, strlen(line), NULL);
    }
    return status ? status : reel_writer_commit(&to, error);
}

/* A log that is there, behind its header; *old is NULL where there is none. A file that begins otherwise is somebody
   else's and not to be replaced. */
static reel_status open_log(FILE **old, const char *path, reel_error *error)
{
    char line[512];
    struct stat about;
    *old = !stat(path, &about) && S_ISREG(about.st_mode) ? fopen(path, "re") : NULL;
    if (!*old || (fgets(line, sizeof line, *old) && !strcmp(line, header))) return REEL_OK;
    fclose(*old);
    *old = NULL;
    return reel_fail(error, REEL_BAD_DATA, "%s: is no log of a training, its first line is not %.*s; move it away",
                     path, (int)sizeof header - 2, header);
}

reel_status reel_run_log_begin(reel_run_folder *run, uint64_t step, reel_error *error)
{
    char path[4096];
    FILE *old;
    reel_status status = open_log(&old, reel_run_file(run, "log.csv", path), error);
    if (!status) status = keep_log(old, path, step, error);
    if (old) fclose(old);
    if (status) return status;
    run->log = fopen(path, "ae");
    return run->log ? REEL_OK : reel_fail(error, REEL_IO, "%s: cannot be written: %s", path, strerror(errno));
}

reel_status reel_run_log(reel_run_folder *run, uint64_t step, double lr, const reel_step_report *r, reel_error *error)
{
    fprintf(run->log, "%llu,%.9g,%.9g,%.9g,%.9g,%.9g,%.9g,%.4f\n", (unsigned long long)step, lr, r->total, r->bce,
            r->iou, r->classes, r->norm, r->seconds);
    if (fflush(run->log) == 0) return REEL_OK;
    return reel_fail(error, REEL_IO, "%s/log.csv: cannot be written: %s", run->path, strerror(errno));
}

/* --- weights --- */

reel_status reel_run_save(const reel_run_folder *run, reel_parameters *set, const reel_metadata *metadata, size_t count,
                          reel_error *error)
{
    char last[4096], previous[4096];
    reel_run_file(run, "last.safetensors", last);
    reel_run_file(run, "previous.safetensors", previous);
    /* A second name for the old file, so that it stays when the new one takes its first name. */
    unlink(previous);
    if (link(last, previous) && errno != ENOENT)
        return reel_fail(error, REEL_IO, "%s: cannot be kept as previous.safetensors: %s", last, strerror(errno));
    return reel_checkpoint_save(last, set, metadata, count, error);
}

reel_status reel_run_draw(const reel_run_folder *run, reel_error *error)
{
    char log[4096], svg[4096];
    return reel_curve_draw(reel_run_file(run, "log.csv", log), reel_run_file(run, "loss.svg", svg), error);
}
