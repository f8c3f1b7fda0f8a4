/* What the environment says about products when a device is opened: REEL_TF32, REEL_CUBLAS and REEL_CUDNN. */
#include "backends/cuda/device.cuh"

#include <stdlib.h>

/* Which of the names the variable says, the first when it says nothing; -1, and a line, for none of them. */
static int choose(const char *variable, const char *const *names, const char *expected, reel_error *error)
{
    const char *asked = getenv(variable);
    if (!asked || !*asked) return 0;
    for (int i = 0; names[i]; i++)
        if (!strcmp(asked, names[i])) return i;
    reel_fail(error, REEL_USAGE, "CUDA backend: %s=%s is not known; expected %s", variable, asked, expected);
    return -1;
}

reel_status cuda_products_choose(cuda_products *products, reel_error *error)
{
    static const char *const tf32[] = {"split", "on", "off", NULL}, *const library[] = {"on", "off", NULL};
    static const char *const cudnn[] = {"off", "on", "measure", NULL};
    int a = choose("REEL_TF32", tf32,
                   "split (float32 of three TF32 products), on (of one, ten bits of fraction) or off (no tensor cores)",
                   error);
    int b = a < 0 ? -1 : choose("REEL_CUBLAS", library, "on (use cuBLASLt where it is installed) or off", error);
    if (b < 0) return error->status;
    int c = choose("REEL_CUDNN", cudnn,
                   "off, on (convolutions by cuDNN where it takes them) or measure (where it is faster)", error);
    if (c < 0) return error->status;
    *products = {(cuda_tf32)a, b == 0, (cuda_cudnn)c};
    return REEL_OK;
}
