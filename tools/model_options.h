/* The options that say what the network is, shared by train, segment, bench and graph, and their twin in a checkpoint's
   metadata, so that weights know which network they belong to. */
#ifndef REEL_TOOLS_MODEL_OPTIONS_H
#define REEL_TOOLS_MODEL_OPTIONS_H

#include "models/s2s.h"
#include "models/safetensors.h"
#include "tools/device.h"
#include "tools/options.h"

typedef struct {
    int model, top, border, bin, dtype;
    double width;
    reel_size size;
    const char *device;
    /* Filled in by settle. */
    reel_s2s_config config;
    reel_dtype real; /* of parameters and of what is not computed in bf16 */
    bool bf16;       /* mixed precision (models/net.h) */
} reel_model_options;

#define REEL_MODEL_NAMES "s2s|s2s+memory|s2s+distance|s2s++"
#define REEL_MODEL_DTYPES "fp32|fp64|bf16"
enum { REEL_FP32, REEL_FP64, REEL_MIXED };

/* Rows of an option table for a reel_model_options member `field` of `structure`. */
#define REEL_MODEL_OPTIONS(structure, field)                                                                           \
    REEL_OPTION("model", CHOICE, structure, field.model, REEL_MODEL_NAMES, "network", .fallback = "s2s++"),            \
        REEL_OPTION("top", CHOICE, structure, field.top, "compact|fcn|authors",                                        \
                    "what becomes of VGG's fully connected layers", .fallback = "compact"),                            \
        REEL_OPTION("width", DOUBLE, structure, field.width, "X", "scales all channel counts", .fallback = "1",        \
                    .low = 0.001, .high = 4),                                                                          \
        REEL_OPTION("size", SIZE, structure, field.size, "HxW", "size of the frames for the network",                  \
                    .fallback = "256x448", .low = 8, .high = 4096),                                                    \
        REEL_OPTION("border", INT, structure, field.border, "PIXELS", "border distances up to here are told apart",    \
                    .fallback = "20", .low = 1, .high = 255),                                                          \
        REEL_OPTION("bin", INT, structure, field.bin, "PIXELS", "width of a distance class", .fallback = "1",          \
                    .low = 1, .high = 255),                                                                            \
        REEL_OPTION("dtype", CHOICE, structure, field.dtype, REEL_MODEL_DTYPES,                                        \
                    "of weights and arithmetic; bf16: of what convolutions read and write, the rest fp32",             \
                    .fallback = "fp32"),                                                                               \
        REEL_OPTION("device", STRING, structure, field.device, "NAME", REEL_DEVICE_HELP, .fallback = "cpu")

/* Makes `config`, `real` and `bf16` out of the words. */
reel_status reel_model_options_settle(reel_model_options *options, reel_error *error);

enum { REEL_MODEL_METADATA = 6 };
typedef struct {
    char text[REEL_MODEL_METADATA][32];
} reel_model_text;
/* Fills `metadata` with what a checkpoint should say of the network; the strings are in `text`. */
size_t reel_model_options_metadata(const reel_model_options *options, reel_model_text *text, reel_metadata *metadata);

/* The network of a file, from its metadata; a file without any is REEL_BAD_DATA. The size is that of training. */
reel_status reel_model_options_from(reel_model_options *options, const reel_safetensors *file, reel_error *error);
/* Refuses a file whose network is another one, naming what differs. */
reel_status reel_model_options_match(const reel_model_options *options, const reel_safetensors *file,
                                     reel_error *error);

#endif
