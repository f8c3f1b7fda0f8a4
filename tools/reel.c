/* The `reel` command: finds the subcommand in a table and hands over. */
#include "tools/commands.h"
#include "tools/options.h"

#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *summary;
} commands[] = {
    {"train", reel_command_train, "train a network on clips"},
    {"segment", reel_command_segment, "follow objects through a video"},
    {"eval", reel_command_eval, "score predicted masks with J and F"},
    {"bench", reel_command_bench, "time the network on random data"},
    {"demo", reel_command_demo, "train, segment and score on built-in video"},
    {"shapes", reel_command_shapes, "write the built-in video as files"},
    {"verify", reel_command_verify, "list the faults of a data set"},
    {"op", reel_command_op, "run one op on arrays from files"},
    {"ops", reel_command_ops, "list the ops and what covers them"},
    {"gradcheck", reel_command_gradcheck, "hold gradients to differences"},
    {"graph", reel_command_graph, "print the graph of a network"},
    {"plan", reel_command_plan, "show where the memory of a training step goes"},
};
enum { COMMANDS = sizeof commands / sizeof commands[0] };

static void print_help(FILE *to)
{
    fputs("usage: reel COMMAND [options]\n\nVideo object segmentation from scratch.\n\ncommands:\n", to);
    for (int i = 0; i < COMMANDS; i++) fprintf(to, "  %-10s %s\n", commands[i].name, commands[i].summary);
    fputs("\n`reel COMMAND --help` tells what a command takes, `reel --version` the version.\n"
          "Exit codes: 0 done, 1 usage, 2 environment (memory, device), 3 bad data, 4 input or output failed,\n"
          "5 a value is not finite.\n",
          to);
}

static int find_command(const char *name)
{
    const char *names[COMMANDS];
    for (int i = 0; i < COMMANDS; i++) {
        if (!strcmp(commands[i].name, name)) return i;
        names[i] = commands[i].name;
    }
    const char *nearest = reel_nearest_word(name, names, COMMANDS);
    fprintf(stderr, "reel: unknown command '%s'%s%s%s; `reel --help` lists all\n", name,
            nearest ? "; did you mean '" : "", nearest ? nearest : "", nearest ? "'?" : "");
    return -1;
}

static int dispatch(int argc, char **argv)
{
    if (argc < 2) {
        print_help(stderr);
        return REEL_USAGE;
    }
    bool asks_help = !strcmp(argv[1], "help") || !strcmp(argv[1], "--help") || !strcmp(argv[1], "-h");
    if (asks_help && argc == 2) {
        print_help(stdout);
        return REEL_OK;
    }
    if (!strcmp(argv[1], "--version")) {
        puts("reel " REEL_VERSION);
        return REEL_OK;
    }
    int i = find_command(argv[asks_help ? 2 : 1]);
    if (i < 0) return REEL_USAGE;
    if (!asks_help) return commands[i].run(argc - 1, argv + 1);
    char option[] = "--help";
    char *with_help[] = {argv[2], option, NULL};
    return commands[i].run(2, with_help);
}

/* Pictures and tensors come and go by the thousand. By default each one is mapped and unmapped, and all its pages fault
   in anew, which takes a third of the time of `eval`; so blocks up to this size stay with the process. */
static void keep_freed_memory(void)
{
    mallopt(M_MMAP_THRESHOLD, 32 << 20);
    mallopt(M_TRIM_THRESHOLD, 256 << 20);
}

/* OpenMP threads that wait by spinning take the processor from the very thread they wait for whenever anything else
   runs on the machine, be it our own readers of clips: steps then take several times as long. Threads that sleep at
   once must be woken for every kernel, which costs small networks a sixth of their time. So they spin as long as it
   takes to come to the next kernel, in turns of GCC's library, and then sleep; other libraries know but the policy. The
   library reads both before main, so the only way to choose is to start once more; someone who has chosen is left
   alone. */
static void spin_briefly(char **argv)
{
    if (getenv("OMP_WAIT_POLICY") || getenv("GOMP_SPINCOUNT")) return;
    if (setenv("OMP_WAIT_POLICY", "passive", 1) == 0 && setenv("GOMP_SPINCOUNT", "3000", 1) == 0)
        execv("/proc/self/exe", argv);
}

/* Where a standard stream is closed, the next file that is opened would take its number, and what is printed would go
   into that file. So the number is taken by something that gives nothing and refuses to be written to. */
static void occupy_standard_streams(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDONLY) < 0) _exit(REEL_ENVIRONMENT);
}

int main(int argc, char **argv)
{
    spin_briefly(argv);
    occupy_standard_streams();
    keep_freed_memory();
    signal(SIGXFSZ, SIG_IGN); /* a file over the limit is an error of its write, not a death */
    int code = dispatch(argc, argv);
    /* A full disk or a closed pipe shows only here. */
    if ((fflush(stdout) || ferror(stdout)) && code == REEL_OK) {
        fputs("reel: writing to the standard output failed; its disk may be full\n", stderr);
        code = REEL_IO;
    }
    return code;
}
