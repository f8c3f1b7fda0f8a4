/* reel segment: a video and the first mask of each object in, a mask a frame out. */
#include "core/file.h"
#include "models/checkpoint.h"
#include "tools/commands.h"
#include "tools/data.h"
#include "tools/device.h"
#include "tools/keep_input.h"
#include "tools/model_options.h"
#include "tools/options.h"
#include "tools/overlay.h"
#include "tools/progress.h"
#include "tools/segmenter.h"
#include "tools/signals.h"

#include <stdio.h>
#include <string.h>

typedef struct {
    const char *weights, *frames, *mask, *data, *split, *out, *device, *overlay;
    int layout, threads, videos, bf16;
    reel_size size;
    uint64_t seed;
    bool binary, quiet, copy_first;
} segment_options;

static const reel_option table[] = {
    REEL_OPTION("weights", STRING, segment_options, weights, "FILE", "safetensors written by reel train"),
    REEL_OPTION("copy-first", FLAG, segment_options, copy_first, NULL,
                "no network: every frame gets the first masks, the baseline to beat"),
    REEL_OPTION("frames", STRING, segment_options, frames, "DIR", "pictures of one video, named by their number"),
    REEL_OPTION("mask", STRING, segment_options, mask, "PNG",
                "objects of the first frame; or a folder of PNGs, each for the frame of its name, for late objects"),
    REEL_OPTION("data", STRING, segment_options, data, "DIR", "instead of --frames: a data set, or moving_shapes"),
    REEL_OPTION("layout", CHOICE, segment_options, layout, REEL_LAYOUTS, "of --data", .fallback = "any",
                .with = "data !data=moving_shapes"),
    REEL_OPTION("split", STRING, segment_options, split, "NAME", "of --data", .fallback = "val",
                .with = "data !data=moving_shapes"),
    REEL_OPTION("videos", INT, segment_options, videos, "N", "how many moving_shapes", .fallback = "8", .low = 1,
                .high = 99999, .with = "data=moving_shapes"),
    REEL_OPTION("seed", SEED, segment_options, seed, "N", "of moving_shapes", .fallback = "1000001",
                .with = "data=moving_shapes"),
    REEL_OPTION("out", STRING, segment_options, out, "DIR", "masks go to DIR/FRAME.png, or DIR/VIDEO/FRAME.png",
                .required = true),
    REEL_OPTION("overlay", STRING, segment_options, overlay, "DIR", "also write frames with their masks on them"),
    REEL_OPTION("binary-255", FLAG, segment_options, binary, NULL, "write grey masks of 0 and 255 (DAVIS 2016)"),
    REEL_OPTION("size", SIZE, segment_options, size, "HxW", "for the network; by default that of its training",
                .low = 8, .high = 4096),
    REEL_OPTION("dtype", CHOICE, segment_options, bf16, "fp32|bf16", "of arithmetic; bf16 where convolutions are",
                .fallback = "fp32", .with = "!copy-first"),
    REEL_OPTION("device", STRING, segment_options, device, "NAME", REEL_DEVICE_HELP, .fallback = "cpu",
                .with = "!copy-first"),
    REEL_OPTION("threads", INT, segment_options, threads, "N", "0: all cores", .fallback = "0", .low = 0, .high = 1024),
    REEL_OPTION("quiet", FLAG, segment_options, quiet, NULL, "no progress on stderr"),
    {0},
};
static const reel_usage usage = {"segment", "Follows objects through a video, from their first masks.", table,
                                 "Masks have the size of the frames and the palette of the given mask.\n"};

typedef struct {
    segment_options o;
    reel_model_options model;
    reel_backend *backend;
    reel_parameters *set;
    reel_s2s_session *session;
    reel_dataset data;
    const reel_video *video;
    char out[2048], overlay[2048]; /* folders of the present video */
    reel_progress progress;
    uint64_t done;
    reel_error error;
} segmentation;

static reel_status write_frame(void *to, int frame, const reel_image *image, const reel_mask *found, reel_error *error)
{
    segmentation *s = to;
    char path[4096];
    snprintf(path, sizeof path, "%s/%s.png", s->out, s->video->frame[frame]);
    reel_status status = reel_mask_write(found, path, s->o.binary, error);
    if (!status && s->o.overlay) {
        snprintf(path, sizeof path, "%s/%s.png", s->overlay, s->video->frame[frame]);
        reel_overlay((reel_image *)image, found);
        status = reel_image_write(image, path, error);
    }
    reel_progress_show(&s->progress, ++s->done, s->video->name);
    return status;
}

static reel_status open_network(segmentation *s)
{
    reel_safetensors file;
    reel_status status = reel_safetensors_open(&file, s->o.weights, &s->error);
    if (status) return status;
    status = reel_model_options_from(&s->model, &file, &s->error);
    if (s->o.size.height) s->model.size = s->o.size;
    if (!status && !(s->backend = reel_device_open(s->o.device, s->o.threads, &s->error))) status = s->error.status;
    if (!status && !(s->set = reel_parameters_new(s->backend, 0))) status = reel_fail_memory(&s->error);
    if (!status) {
        s->session = reel_s2s_session_new(s->set, &s->model.config, s->model.size.height, s->model.size.width,
                                          s->o.bf16, &s->error);
        status = s->session ? reel_checkpoint_load(&file, s->set, REEL_LOAD_WEIGHTS, NULL, &s->error) : s->error.status;
    }
    reel_safetensors_close(&file);
    return status;
}

static reel_status check_choice(segmentation *s)
{
    if (!s->o.weights == !s->o.copy_first)
        return reel_fail(&s->error, REEL_USAGE, "give either --weights FILE or --copy-first");
    bool loose = s->o.frames && s->o.mask, both = s->o.data && (s->o.frames || s->o.mask);
    if (!both && (loose || s->o.data)) return REEL_OK;
    return reel_fail(&s->error, REEL_USAGE, "give either --frames DIR with --mask PNG, or --data DIR");
}

static reel_status open_videos(segmentation *s)
{
    if (s->o.frames) return reel_dataset_open_video(&s->data, s->o.frames, s->o.mask, &s->error);
    reel_data_choice choice = {.name = s->o.data,
                               .layout = s->o.layout,
                               .split = s->o.split,
                               .height = s->model.size.height,
                               .width = s->model.size.width,
                               .seed = s->o.seed,
                               .videos = s->o.videos,
                               .frames = 32};
    return reel_data_open(&s->data, &choice, &s->error);
}

static void join_path(char path[2048], const char *folder, const char *name)
{
    snprintf(path, 2048, name ? "%s/%s" : "%s%s", folder, name ? name : "");
}

static void turn_to(segmentation *s, int v)
{
    s->video = &s->data.video[v];
    const char *name = s->o.data ? s->video->name : NULL;
    join_path(s->out, s->o.out, name);
    if (s->o.overlay) join_path(s->overlay, s->o.overlay, name);
}

static reel_status make_roots(segmentation *s)
{
    reel_status status = reel_make_folders(s->o.out, &s->error);
    if (status || !s->o.overlay) return status;
    status = reel_make_folders(s->o.overlay, &s->error);
    if (!status && reel_same_folder(s->o.out, s->o.overlay))
        return reel_fail(&s->error, REEL_USAGE,
                         "--overlay: %s is --out too, so pictures would overwrite masks; choose "
                         "another folder",
                         s->o.overlay);
    return status;
}

static reel_status keep_inputs(segmentation *s)
{
    reel_status status = REEL_OK;
    for (int v = 0; !status && v < s->data.videos; v++) {
        turn_to(s, v);
        status = reel_keep_input(s->video, s->out, "out", &s->error);
        if (!status && s->o.overlay) status = reel_keep_input(s->video, s->overlay, "overlay", &s->error);
    }
    return status;
}

static reel_status segment_video(segmentation *s, int v)
{
    turn_to(s, v);
    reel_status status = reel_make_folders(s->out, &s->error);
    if (!status && s->o.overlay) status = reel_make_folders(s->overlay, &s->error);
    if (status) return status;
    if (s->o.copy_first) return reel_copy_first_masks(&s->data, v, (reel_segment_sink){write_frame, s}, &s->error);
    return reel_segment_video(s->session, s->model.size.height, s->model.size.width, &s->data, v,
                              (reel_segment_sink){write_frame, s}, &s->error);
}

static reel_status segment(segmentation *s)
{
    reel_status status = check_choice(s);
    s->model.size = s->o.size.height ? s->o.size : (reel_size){128, 224}; /* of generated frames without a network */
    if (!status && !s->o.copy_first) status = open_network(s);
    if (!status) status = open_videos(s);
    if (!status) status = make_roots(s);
    if (!status) status = keep_inputs(s);
    uint64_t frames = 0;
    for (int v = 0; v < s->data.videos; v++) frames += (uint64_t)s->data.video[v].frames;
    reel_progress_begin(&s->progress, "segment", 0, frames, s->o.quiet);
    reel_signals_catch();
    for (int v = 0; !status && v < s->data.videos && !reel_signal_caught(); v++) status = segment_video(s, v);
    reel_progress_end(&s->progress);
    return status;
}

int reel_command_segment(int argc, char **argv)
{
    segmentation s = {0};
    int code = reel_options_begin(&usage, argc, argv, &s.o);
    if (code >= 0) return code;
    reel_status status = segment(&s);
    reel_s2s_session_free(s.session);
    reel_parameters_free(s.set);
    if (s.backend) s.backend->close(s.backend);
    reel_dataset_close(&s.data);
    if (status) return reel_complain(&usage, &s.error);
    return reel_signal_caught() ? 128 + reel_signal_caught() : 0;
}
