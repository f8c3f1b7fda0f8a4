/* The parts of `reel bench` that time something else than the whole network. argv[0] is their word; they return the
   exit code. */
#ifndef REEL_TOOLS_BENCH_H
#define REEL_TOOLS_BENCH_H

int reel_bench_peaks(int argc, char **argv);
int reel_bench_layers(int argc, char **argv);

#endif
