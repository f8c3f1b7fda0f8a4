/* libFuzzer: any bytes as a .npy file. Build by hand:

     clang -g -O1 -std=c11 -D_GNU_SOURCE -I. -fsanitize=fuzzer,address,undefined tests/fuzz/npy.c \
       tests/support/temporary.c core/{error,memory,file,npy}.c -lpthread -o fuzz-npy && \
       ./fuzz-npy -max_total_time=60 */
#include <stdlib.h>

#include "core/npy.h"
#include "tests/support/temporary.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    reel_npy array;
    reel_error error = {0};
    reel_status status = reel_npy_read(&array, temporary_memory_file(data, size), &error);
    if (status != error.status || array.bytes > size || (status == REEL_OK) != (array.data != NULL)) abort();
    reel_npy_free(&array);
    return 0;
}
