/* reel bench layers: every convolution of a training step, once for each geometry, as a share of the peak.

   The nodes are taken from the plan of a real step, so that frames that run as one batch are timed as one. Each is then
   timed alone, on random data, in a plan of its own, of which the node's own seconds count and not what the plan puts
   around it; best of a few, and of more where they are short. The peak is measured before and after each layer, and the
   larger one taken, since neighbours on the machine change it from second to second. */
#include "backends/cpu/peaks.h"
#include "core/element.h"
#include "core/memory.h"
#include "core/rng.h"
#include "ops/conv2d_geometry.h"
#include "ops/ops.h"
#include "tools/bench.h"
#include "tools/device.h"
#include "tools/model_options.h"
#include "tools/trainer.h"

#include <math.h>
#include <string.h>

typedef struct {
    reel_model_options model;
    int frames, batch, threads, repeats;
    bool json;
} layers_options;

static const reel_option table[] = {
    REEL_MODEL_OPTIONS(layers_options, model),
    REEL_OPTION("frames", INT, layers_options, frames, "T", "predicted frames of a clip, after its first",
                .fallback = "5", .low = 1, .high = 1000),
    REEL_OPTION("batch", INT, layers_options, batch, "N", "clips a step", .fallback = "1", .low = 1, .high = 4096),
    REEL_OPTION("threads", INT, layers_options, threads, "N", "0: all cores", .fallback = "2", .low = 0, .high = 1024),
    REEL_OPTION("repeats", INT, layers_options, repeats, "N",
                "timed runs of each; up to 20 times as many where all take less than 0.1 s", .fallback = "5", .low = 1,
                .high = 10000),
    REEL_OPTION("json", FLAG, layers_options, json, NULL, "print one line of JSON"),
    {0},
};
static const reel_usage usage = {"bench layers", "Times each convolution of the network as a share of the peak.", table,
                                 NULL};

enum { FORWARD, INPUT, WEIGHT, DIRECTIONS, MOST_LAYERS = 256, MOST_INPUTS = 8 };
static const char *const directions[DIRECTIONS] = {"forward", "input_gradient", "weight_gradient"};

/* A convolution as its geometry says it, whatever is done to its result on the way. */
typedef struct {
    reel_conv2d_geometry g;
    reel_dtype dtype;
    const char *scope;                 /* of the first node with this geometry */
    const reel_node *node[DIRECTIONS]; /* NULL: the step has none */
    int count[DIRECTIONS];             /* nodes in the step */
    double rate[DIRECTIONS], peak;     /* operations a second */
} layer;

typedef struct {
    layers_options o;
    reel_backend *backend;
    layer list[MOST_LAYERS];
    int layers;
    reel_error error;
} bench;

/* --- finding them --- */

static bool describe(layer *l, const reel_node *node, int *direction)
{
    if (node->op == &reel_op_conv2d)
        *direction = FORWARD;
    else if (node->op == &reel_op_conv2d_input_gradient)
        *direction = INPUT;
    else if (node->op == &reel_op_conv2d_weight_gradient)
        *direction = WEIGHT;
    else
        return false;
    if (node->inputs > MOST_INPUTS) return false;
    const reel_shape *a = &node->input[0]->shape, *b = &node->input[1]->shape, *c = &node->output[0].shape;
    const reel_conv2d_attr *attr =
        *direction == FORWARD ? node->attr : &((const reel_conv2d_adjoint_attr *)node->attr)->conv;
    *l = (layer){.dtype = node->input[0]->dtype, .scope = node->scope};
    l->g = reel_conv2d_measure(*direction == INPUT ? c : a, *direction == WEIGHT ? c : b,
                               *direction == FORWARD ? c
                               : *direction == INPUT ? a
                                                     : b,
                               attr);
    return true;
}

static void find_layers(bench *b, const reel_plan *plan)
{
    for (int i = 0; i < reel_plan_nodes(plan); i++) {
        layer l;
        int direction, k = 0;
        const reel_node *node = reel_plan_node(plan, i);
        if (!describe(&l, node, &direction)) continue;
        while (k < b->layers && (b->list[k].dtype != l.dtype || memcmp(&b->list[k].g, &l.g, sizeof l.g) != 0)) k++;
        if (k == MOST_LAYERS) continue;
        if (k == b->layers) b->list[b->layers++] = l;
        b->list[k].node[direction] = node;
        b->list[k].count[direction]++;
    }
}

/* --- timing one --- */

static reel_status write_random(reel_plan *plan, reel_tensor *input, reel_error *error)
{
    int64_t n = reel_elements(&input->shape);
    void *values = reel_alloc_raw((size_t)n, reel_dtype_size(input->dtype));
    if (!values) return reel_fail_memory(error);
    for (int64_t i = 0; i < n; i++) reel_set_element(values, input->dtype, i, reel_uniform(0, (uint64_t)i) - 0.5);
    reel_status status = reel_plan_write(plan, input, values, error);
    reel_free(values);
    return status;
}

/* The seconds of the nodes of this op in the last run. */
static double seconds_of(const reel_plan *plan, const reel_op *op)
{
    double seconds = 0;
    for (int i = 0; i < reel_plan_nodes(plan); i++)
        if (reel_plan_node(plan, i)->op == op) seconds += reel_plan_seconds(plan, i);
    return seconds;
}

enum { MORE = 20 };
static const double LEAST_SECONDS = 0.1;

/* Behind a run that is not timed. */
static reel_status time_node(bench *b, const reel_node *node, double *rate)
{
    reel_graph *graph = reel_graph_new();
    reel_tensor *input[MOST_INPUTS] = {NULL};
    if (!graph) return reel_fail_memory(&b->error);
    for (int i = 0; i < node->inputs; i++)
        if (node->input[i]) input[i] = reel_input(graph, "x", node->input[i]->dtype, node->input[i]->shape);
    reel_tensor *result = reel_apply(graph, node->op, input, node->inputs, node->attr);
    reel_plan *plan = reel_plan_new(graph, b->backend, &result, 1, &b->error);
    reel_status status = plan ? REEL_OK : b->error.status;
    for (int i = 0; !status && i < node->inputs; i++)
        if (input[i]) status = write_random(plan, input[i], &b->error);
    double best = INFINITY, all = 0;
    if (plan) reel_plan_time(plan, true);
    for (int r = 0; !status && (r <= b->o.repeats || (all < LEAST_SECONDS && r <= MORE * b->o.repeats)); r++) {
        status = reel_plan_run(plan, &b->error);
        double seconds = seconds_of(plan, node->op);
        all += seconds;
        if (r) best = fmin(best, seconds);
    }
    *rate = reel_node_flops(node) / best;
    reel_plan_free(plan);
    reel_graph_free(graph);
    return status;
}

/* Of vectors in float32; of tiles in bfloat16, where there are any. */
static double measure_peak(const bench *b, reel_dtype dtype)
{
    cpu_isa isa = cpu_isa_current();
    if (dtype != REEL_BF16 && isa > CPU_ISA_AVX512) isa = CPU_ISA_AVX512;
    return cpu_peak_multiply_add(isa, b->backend->threads);
}

static reel_status time_layers(bench *b)
{
    reel_status status = REEL_OK;
    for (int i = 0; !status && i < b->layers; i++) {
        layer *l = &b->list[i];
        l->peak = measure_peak(b, l->dtype);
        for (int d = 0; !status && d < DIRECTIONS; d++)
            if (l->node[d]) status = time_node(b, l->node[d], &l->rate[d]);
        l->peak = fmax(l->peak, measure_peak(b, l->dtype));
    }
    return status;
}

/* --- telling --- */

/* Layers that reach this share of the peak in those of the directions from..to that a step runs, if it runs any. */
static int reaching(const bench *b, double share, int from, int to)
{
    int count = 0;
    for (int i = 0; i < b->layers; i++) {
        bool any = false, all = true;
        for (int d = from; d <= to; d++) {
            any = any || b->list[i].node[d];
            all = all && (!b->list[i].node[d] || b->list[i].rate[d] >= share * b->list[i].peak);
        }
        count += any && all;
    }
    return count;
}

/* All convolutions of a step in one direction: seconds, operations, and the seconds that they would take at the peak.
 */
typedef struct {
    double seconds, flops, ideal;
} sum;

static sum sum_of(const bench *b, int direction)
{
    sum s = {0, 0, 0};
    for (int i = 0; i < b->layers; i++) {
        const layer *l = &b->list[i];
        if (!l->node[direction]) continue;
        double work = reel_node_flops(l->node[direction]) * l->count[direction];
        s.flops += work;
        s.seconds += work / l->rate[direction];
        s.ideal += work / l->peak;
    }
    return s;
}

static char *geometry_text(const layer *l, char *text, size_t size)
{
    const reel_conv2d_geometry *g = &l->g;
    int n = snprintf(text, size, "%dx %d>%d %dx%d %dx%d%s", (int)g->n, (int)g->c, (int)g->k, (int)g->kh, (int)g->kw,
                     (int)g->h, (int)g->w, l->dtype == REEL_BF16 ? " bf16" : "");
    if (g->stride[0] * g->stride[1] != 1) snprintf(text + n, size - (size_t)n, " /%d", (int)g->stride[0]);
    return text;
}

static void print_table(const bench *b)
{
    char text[128];
    printf("GFLOP/s and share of the multiply-add peak; %s, %d threads\n%-22s %-25s %5s %7s",
           cpu_isa_name(cpu_isa_current()), b->backend->threads, "first of its kind", "images in>out kernel size",
           "nodes", "peak");
    for (int d = 0; d < DIRECTIONS; d++) printf(" %15s", directions[d]);
    printf("\n");
    for (int i = 0; i < b->layers; i++) {
        const layer *l = &b->list[i];
        printf("%-22s %-25s %5d %7.1f", l->scope, geometry_text(l, text, sizeof text),
               l->count[FORWARD] + l->count[INPUT] + l->count[WEIGHT], l->peak / 1e9);
        for (int d = 0; d < DIRECTIONS; d++)
            if (l->node[d])
                printf(" %7.1f %5.1f %%", l->rate[d] / 1e9, 100 * l->rate[d] / l->peak);
            else
                printf(" %15s", "-");
        printf("\n");
    }
    for (int d = 0; d < DIRECTIONS; d++) {
        sum s = sum_of(b, d);
        printf("%s: %.3f s of a step, %.1f GFLOP/s, %.1f %% of the peak\n", directions[d], s.seconds,
               s.flops / s.seconds / 1e9, 100 * s.ideal / s.seconds);
    }
    printf("%d of %d layers reach 80 %% forward, %d of %d reach 60 %% in all directions\n",
           reaching(b, 0.8, FORWARD, FORWARD), reaching(b, 0, FORWARD, FORWARD), reaching(b, 0.6, FORWARD, WEIGHT),
           b->layers);
}

static void print_json(const bench *b)
{
    char text[128];
    printf("{\"isa\": \"%s\", \"threads\": %d, \"layers\": [", cpu_isa_name(cpu_isa_current()), b->backend->threads);
    for (int i = 0; i < b->layers; i++) {
        const layer *l = &b->list[i];
        printf("%s{\"scope\": \"%s\", \"geometry\": \"%s\", \"height\": %d, \"width\": %d, \"dtype\": \"%s\", "
               "\"peak_gflops\": %.1f",
               i ? ", " : "", l->scope, geometry_text(l, text, sizeof text), (int)l->g.h, (int)l->g.w,
               reel_dtype_name(l->dtype), l->peak / 1e9);
        for (int d = 0; d < DIRECTIONS; d++)
            if (l->node[d])
                printf(", \"%s\": {\"nodes\": %d, \"gflops\": %.1f, \"share\": %.4f}", directions[d], l->count[d],
                       l->rate[d] / 1e9, l->rate[d] / l->peak);
        printf("}");
    }
    printf("], \"forward\": %d, \"forward_80\": %d, \"all_60\": %d}\n", reaching(b, 0, FORWARD, FORWARD),
           reaching(b, 0.8, FORWARD, FORWARD), reaching(b, 0.6, FORWARD, WEIGHT));
}

int reel_bench_layers(int argc, char **argv)
{
    bench b = {.layers = 0};
    int code = reel_options_begin(&usage, argc, argv, &b.o);
    if (code >= 0) return code;
    const reel_model_options *m = &b.o.model;
    reel_status status = reel_model_options_settle(&b.o.model, &b.error);
    if (!status && (m->dtype == REEL_FP64 || strcmp(m->device, "cpu") != 0))
        status =
            reel_fail(&b.error, REEL_USAGE, "layers are timed in fp32 or bf16 on the CPU: --dtype fp32 --device cpu");
    if (!status && !(b.backend = reel_device_open("cpu", b.o.threads, &b.error))) status = b.error.status;
    reel_training training = {.model = m->config,
                              .height = m->size.height,
                              .width = m->size.width,
                              .frames = b.o.frames,
                              .batch = b.o.batch,
                              .dtype = m->real,
                              .bf16 = m->bf16,
                              .clip_batch = true,
                              .seed = 1};
    reel_trainer *trainer = status ? NULL : reel_trainer_new(&training, b.backend, &b.error);
    if (!status && !trainer) status = b.error.status;
    if (!status) {
        find_layers(&b, reel_trainer_plan(trainer));
        status = time_layers(&b);
    }
    if (!status) (b.o.json ? print_json : print_table)(&b);
    reel_trainer_free(trainer);
    if (b.backend) b.backend->close(b.backend);
    return status ? reel_complain(&usage, &b.error) : REEL_OK;
}
