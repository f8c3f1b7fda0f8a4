/* See s2s.h. The numbers are those of the authors' released configuration; the names of the parameters are those of
   the same network in torch. */
#include "models/s2s.h"

#include <stdio.h>
#include <string.h>

/* --- configuration --- */

bool reel_s2s_named(reel_s2s_config *config, const char *name)
{
    static const struct {
        const char *name;
        bool memory, distance;
    } models[] = {
        {"s2s", false, false}, {"s2s+memory", true, false}, {"s2s+distance", false, true}, {"s2s++", true, true}};
    for (size_t i = 0; i < sizeof models / sizeof *models; i++) {
        if (strcmp(name, models[i].name) != 0) continue;
        config->memory = models[i].memory;
        config->distance = models[i].distance;
        return true;
    }
    return false;
}

int reel_s2s_classes(const reel_s2s_config *config)
{
    return 2 * (config->border / config->bin) + 2;
}

/* The official cell: all gates sigmoid, the candidate too; h = o * relu(c). */
static const reel_lstm_cell_attr cell = {.candidate = REEL_LSTM_SIGMOID, .output = REEL_LSTM_RELU};

static reel_tensor *join(reel_tensor *a, reel_tensor *b)
{
    return reel_concat((reel_tensor *[]){a, b}, 2, 1);
}
static reel_tensor *twice(reel_tensor *x)
{
    return reel_upsample2d(x, 2, REEL_BILINEAR, true);
}

/* --- padding to what five poolings can halve --- */

static int64_t to_32(int64_t size)
{
    return (size + 31) / 32 * 32;
}

static reel_tensor *padded(reel_tensor *x)
{
    if (reel_poisoned(x)) return x;
    if (x->shape.rank != 4) return reel_poison(x->graph, "s2s: frames and masks are [N, channels, height, width]");
    int64_t below = to_32(x->shape.size[2]) - x->shape.size[2], right = to_32(x->shape.size[3]) - x->shape.size[3];
    if (!below && !right) return x;
    return reel_pad(x, (reel_pad_attr){.before = REEL_INTS(0, 0, 0, 0), .after = REEL_INTS(0, 0, below, right)});
}

static reel_tensor *cropped(reel_tensor *x, const reel_tensor *like)
{
    if (reel_poisoned(x)) return x;
    for (int axis = 2; axis < 4; axis++)
        if (x->shape.size[axis] != like->shape.size[axis]) x = reel_slice1(x, axis, 0, like->shape.size[axis]);
    return x;
}

/* --- first frame --- */

/* VGG's classifier as convolutions on the last pooling; the bottleneck's input. */
static reel_tensor *top(const reel_net *net, const reel_s2s_config *config, const char *name, reel_tensor *x,
                        bool encoder)
{
    int a = reel_scaled_channels(512, config->width), fc = reel_scaled_channels(4096, config->width);
    reel_scope_push(net->graph, name);
    if (config->top == REEL_TOP_COMPACT)
        x = reel_conv_layer(net, "0", x, a, 1, true);
    else if (config->top == REEL_TOP_AUTHORS && encoder) {
        x = reel_conv_layer(net, "0", x, 49 * fc, 1, true);
        x = reel_conv_layer(net, "2", x, a, 1, true);
    } else {
        x = reel_conv_layer(net, "0", x, fc, 7, true);
        x = reel_conv_layer(net, "2", x, fc, 1, true);
        if (encoder) x = reel_conv_layer(net, "4", x, a, 1, true);
    }
    reel_scope_pop(net->graph);
    return x;
}

static reel_memory first_memory(const reel_net *net, const char *h, const char *c, reel_tensor *x, int channels)
{
    return (reel_memory){reel_conv_layer(net, h, x, channels, 1, true),
                         reel_widened(net, reel_conv_layer(net, c, x, channels, 1, true))};
}

reel_s2s_state reel_s2s_start(const reel_net *net, const reel_s2s_config *config, reel_tensor *frame, reel_tensor *mask)
{
    int a = reel_scaled_channels(512, config->width), b = reel_scaled_channels(256, config->width);
    reel_s2s_state state = {0};
    reel_vgg16_maps p = reel_vgg16(net, "init_vgg", padded(join(frame, mask)), config->width);
    reel_tensor *x = top(net, config, "init_top", p.pool[4], false);
    state.at[0] = first_memory(net, "h1.0", "c1.0", x, a);
    if (!config->memory) return state;
    reel_tensor *u = reel_conv_layer(net, "reduce.0", x, a, 1, true);
    u = reel_conv_layer(net, "fuse4.0", join(reel_conv_layer(net, "up4.0", twice(u), a, 3, true), p.pool[3]), a, 1,
                        true);
    state.at[1] = first_memory(net, "h2.0", "c2.0", u, a);
    u = reel_conv_layer(net, "fuse3.0", join(reel_conv_layer(net, "up3.0", twice(u), b, 3, true), p.pool[2]), b, 1,
                        true);
    state.at[2] = first_memory(net, "h3.0", "c3.0", u, b);
    return state;
}

reel_s2s_state reel_s2s_state_inputs(const reel_net *net, const reel_s2s_config *config, int batch, int height,
                                     int width)
{
    static const struct {
        int channels, stride;
    } level[REEL_S2S_LEVELS] = {{512, 32}, {512, 16}, {256, 8}};
    reel_s2s_state state = {0};
    for (int i = 0; i < reel_s2s_levels(config); i++) {
        char h[16], c[16];
        snprintf(h, sizeof h, "h%d", i + 1);
        snprintf(c, sizeof c, "c%d", i + 1);
        reel_shape shape = REEL_SHAPE(batch, reel_scaled_channels(level[i].channels, config->width),
                                      to_32(height) / level[i].stride, to_32(width) / level[i].stride);
        state.at[i] = (reel_memory){reel_input(net->graph, h, net->bf16 ? REEL_BF16 : net->dtype, shape),
                                    reel_input(net->graph, c, net->dtype, shape)};
    }
    return state;
}

/* --- every frame --- */

/* The masks and distances from the decoder's last map. The distance logits are used raw by their loss and through a
   ReLU by the mask. */
static reel_s2s_output heads(const reel_net *net, const reel_s2s_config *config, reel_tensor *x)
{
    if (!config->distance) return (reel_s2s_output){.mask = reel_conv_layer(net, "mask", x, 1, 1, false)};
    int classes = reel_s2s_classes(config);
    reel_tensor *d = reel_conv_layer(net, "dist", x, classes, 3, false);
    reel_tensor *s = reel_conv_layer(net, "branch", x, classes, 3, false);
    reel_tensor *both = reel_relu(join(reel_narrowed(net, d), reel_narrowed(net, s)));
    return (reel_s2s_output){.mask = reel_conv_layer(net, "mask", both, 1, 1, false), .distance = d};
}

/* Joins what is skipped to this level, mixes it, doubles the size, smooths. */
static reel_tensor *decoder_stage(const reel_net *net, double width, int stage, reel_tensor *x,
                                  reel_tensor *const skip[2])
{
    static const int mixed[5] = {512, 512, 256, 128, 64}, out[5] = {512, 256, 128, 64, 64};
    char merge[24], conv[24];
    snprintf(merge, sizeof merge, "merge.%d.0", stage);
    snprintf(conv, sizeof conv, "conv.%d.0", stage);
    reel_tensor *all[3] = {x, skip[0], skip[1]};
    int count = 1 + (skip[0] != NULL) + (skip[1] != NULL);
    if (count > 1) x = reel_concat(all, count, 1);
    x = reel_conv_layer(net, merge, x, reel_scaled_channels(mixed[stage], width), 1, true);
    return reel_conv_layer(net, conv, twice(x), reel_scaled_channels(out[stage], width), 5, true);
}

reel_s2s_output reel_s2s_step(const reel_net *net, const reel_s2s_config *config, reel_tensor *frame,
                              reel_s2s_state *state)
{
    reel_vgg16_maps p = reel_vgg16(net, "enc_vgg", padded(frame), config->width);
    reel_tensor *skip[5][2] = {{NULL}};
    reel_tensor *x = top(net, config, "enc_top", p.pool[4], true);
    x = reel_conv_lstm_layer(net, "rnn1", x, &state->at[0], 3, cell);
    if (config->memory) {
        for (int stage = 0; stage < 5; stage++) skip[stage][0] = p.pool[4 - stage];
        skip[1][1] = reel_conv_lstm_layer(net, "rnn2", p.pool[3], &state->at[1], 3, cell);
        skip[2][1] = reel_conv_lstm_layer(net, "rnn3", p.pool[2], &state->at[2], 5, cell);
    }
    for (int stage = 0; stage < 5; stage++) x = decoder_stage(net, config->width, stage, x, skip[stage]);
    reel_s2s_output seen = heads(net, config, x);
    seen.mask = cropped(seen.mask, frame);
    if (seen.distance) seen.distance = cropped(seen.distance, frame);
    return seen;
}

/* --- the loss of a clip --- */

static reel_tensor *plus(reel_tensor *sum, reel_tensor *x)
{
    return sum ? reel_add(sum, x) : x;
}

typedef struct {
    reel_tensor *bce, *iou, *classes;
} frame_loss;

static frame_loss loss_of_frame(const reel_s2s_config *config, reel_s2s_output seen, reel_tensor *mask,
                                reel_tensor *label)
{
    frame_loss loss = {reel_balanced_bce(seen.mask, mask), reel_soft_iou_loss(seen.mask, mask), NULL};
    if (!config->distance) return loss;
    if (!label) label = reel_distance_classes(mask, (reel_distance_classes_attr){config->border, config->bin});
    loss.classes =
        reel_cross_entropy(seen.distance, label, NULL, (reel_cross_entropy_attr){.ignore_index = REEL_IGNORE_NOTHING});
    return loss;
}

/* The sum over frames, weighted, divided by the sum of the weights (at least 1). */
static reel_tensor *mean_over_frames(reel_tensor *sum, reel_tensor *weight, int predicted)
{
    if (!weight) return reel_scale(sum, 1.0 / predicted);
    reel_tensor *used = reel_sum_all(reel_slice1(weight, 0, 1, predicted + 1));
    return reel_div(sum, reel_maximum(used, reel_scalar_like(used, 1)));
}

reel_s2s_loss reel_s2s_clip_loss(const reel_net *net, const reel_s2s_config *config, reel_tensor *const *frame,
                                 reel_tensor *const *mask, reel_tensor *const *label, reel_tensor *weight, int count,
                                 bool recompute)
{
    frame_loss sum = {NULL, NULL, NULL};
    reel_set_time(net->graph, 0);
    reel_s2s_state state = reel_s2s_start(net, config, frame[0], mask[0]);
    for (int t = 1; t < count; t++) {
        reel_set_time(net->graph, t);
        if (recompute) reel_segment_begin(net->graph);
        reel_s2s_output seen = reel_s2s_step(net, config, frame[t], &state);
        frame_loss loss = loss_of_frame(config, seen, mask[t], label ? label[t] : NULL);
        if (recompute) reel_segment_end(net->graph);
        reel_tensor *w = weight ? reel_reshape(reel_slice1(weight, 0, t, t + 1), REEL_SCALAR_SHAPE) : NULL;
        sum.bce = plus(sum.bce, w ? reel_mul(loss.bce, w) : loss.bce);
        sum.iou = plus(sum.iou, w ? reel_mul(loss.iou, w) : loss.iou);
        if (loss.classes) sum.classes = plus(sum.classes, w ? reel_mul(loss.classes, w) : loss.classes);
    }
    reel_set_time(net->graph, -1);
    if (count < 2) return (reel_s2s_loss){.total = reel_poison(net->graph, "s2s: a clip has at least two frames")};
    reel_s2s_loss loss = {.bce = mean_over_frames(sum.bce, weight, count - 1),
                          .iou = mean_over_frames(sum.iou, weight, count - 1)};
    if (sum.classes) loss.classes = mean_over_frames(sum.classes, weight, count - 1);
    loss.total = reel_add(reel_scale(loss.bce, loss.classes ? 0.6 : 0.8), reel_scale(loss.iou, 0.2));
    if (loss.classes) loss.total = reel_add(loss.total, reel_scale(loss.classes, 0.2));
    return loss;
}
