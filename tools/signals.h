/* Ctrl-C and its relatives. The handler only sets a flag; the loop finishes its step, saves and leaves with 128 + the
   signal's number. A second signal ends the process at once: files are replaced atomically, so nothing is harmed.
   Writing to a closed pipe is an error to be reported, not a signal to die of. */
#ifndef REEL_TOOLS_SIGNALS_H
#define REEL_TOOLS_SIGNALS_H

void reel_signals_catch(void); /* SIGINT, SIGTERM, SIGHUP (unless nohup ignores it); SIGPIPE is ignored */
int reel_signal_caught(void);  /* its number, 0 for none */

#endif
