/* A backend is a memory and a set of kernels. Core knows this interface and nothing behind it; backends plug in from
   the side.

   The reference backend is here: host memory and every op's own plain loops. It is the oracle of the others. */
#ifndef REEL_CORE_BACKEND_H
#define REEL_CORE_BACKEND_H

#include "core/graph.h"

typedef struct reel_backend reel_backend;

/* What a backend keeps of a plan's runs, to run all of its nodes as one; its own to know. */
typedef struct reel_recording reel_recording;

/* One run of a plan. */
typedef struct {
    uint64_t random_key;        /* of this run: that of a node is reel_key(this, the node's) */
    reel_recording **recording; /* the plan's, *recording being NULL before a backend has made one; NULL where nodes
                                   must run one by one */
    bool replayed;              /* set by begin_run: the recording was started, in the place of every node */
} reel_run;

struct reel_backend {
    const char *name;
    const char *note; /* one line for the user about how it was opened: a fallback that was taken; NULL for none */
    int threads;
    double serial_below; /* a node with less work (core/plan.c) runs on one thread: waking others costs more */

    /* Device memory, aligned to 64 bytes, not cleared; NULL, and the reason in `error`, when refused. */
    void *(*allocate)(reel_backend *backend, size_t bytes, reel_error *error);
    void (*release)(reel_backend *backend, void *block);

    /* Copies to, from and within the device; they return when the host may reuse its memory. */
    reel_status (*write)(reel_backend *backend, void *to, const void *from, size_t bytes, reel_error *error);
    reel_status (*read)(reel_backend *backend, void *to, const void *from, size_t bytes, reel_error *error);
    reel_status (*copy)(reel_backend *backend, void *to, const void *from, size_t bytes, reel_error *error);

    /* A write for the next run while one is under way: it returns when the host may reuse its memory, and changes
       nothing before `arrive` is called, after that run. Both are NULL where the host does the work itself. */
    reel_status (*write_ahead)(reel_backend *backend, void *to, const void *from, size_t bytes, reel_error *error);
    reel_status (*arrive)(reel_backend *backend, reel_error *error);

    /* The kernel for this node; false when there is none. `native` (may be NULL) tells whether it is the backend's own
       or the op's reference, for the coverage ledger. */
    bool (*kernel)(reel_backend *backend, const reel_node *node, reel_kernel *kernel, bool *native);

    /* Called on the thread that runs a plan, before and after its nodes are started; NULL for nothing to do. A plan
       runs the same kernels on the same memory every time; what changes is the memory's content and the random key.
       After a node that failed, end_run is called with `complete` false. */
    reel_status (*begin_run)(reel_backend *backend, reel_run *run, reel_error *error);
    reel_status (*end_run)(reel_backend *backend, reel_run *run, bool complete, reel_error *error);
    void (*forget)(reel_backend *backend, reel_recording *recording); /* frees it */

    /* Waits for every kernel that was started, and tells what failed on the device since the last call; NULL where a
       kernel has done all its work when it returns. */
    reel_status (*finish)(reel_backend *backend, reel_error *error);

    void (*close)(reel_backend *backend);
};

/* Host memory and reference kernels, on one thread. Close with backend->close(backend). */
reel_backend *reel_reference_backend(void);

/* Host-memory functions that a CPU backend shares. */
void reel_host_backend(reel_backend *backend);

#endif
