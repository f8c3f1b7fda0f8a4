/* How float32 is multiplied on tensor cores: the variable REEL_TF32 says it when a device is opened. */
#include "backends/cuda/device.cuh"

#include <stdlib.h>

reel_status cuda_tf32_choose(cuda_tf32 *choice, reel_error *error)
{
    static const char *const names[] = {"split", "on", "off"};
    const char *asked = getenv("REEL_TF32");
    *choice = CUDA_TF32_SPLIT;
    if (!asked || !*asked) return REEL_OK;
    for (int i = 0; i < 3; i++)
        if (!strcmp(asked, names[i])) return *choice = (cuda_tf32)i, REEL_OK;
    return reel_fail(error, REEL_USAGE,
                     "CUDA backend: REEL_TF32=%s is not known; expected split (float32 of three TF32 products), on (of "
                     "one, ten bits of fraction) or off (no tensor cores)",
                     asked);
}
