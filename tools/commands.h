/* The subcommands of `reel`. A command lives in a file of its own, tools/NAME.c; it is declared here and listed in the
   table of tools/reel.c. argv[0] is its name. It returns the exit code (core/error.h lists them), having said on
   stderr, in one line, what went wrong. */
#ifndef REEL_TOOLS_COMMANDS_H
#define REEL_TOOLS_COMMANDS_H

#define REEL_VERSION "0.1.0"

int reel_command_train(int argc, char **argv);
int reel_command_segment(int argc, char **argv);
int reel_command_verify(int argc, char **argv);
int reel_command_bench(int argc, char **argv);
int reel_command_op(int argc, char **argv);
int reel_command_ops(int argc, char **argv);
int reel_command_graph(int argc, char **argv);
int reel_command_plan(int argc, char **argv);
int reel_command_gradcheck(int argc, char **argv);
int reel_command_shapes(int argc, char **argv);
int reel_command_demo(int argc, char **argv);
int reel_command_eval(int argc, char **argv);

#endif
