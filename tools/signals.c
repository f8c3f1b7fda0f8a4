/* See signals.h. */
#include "tools/signals.h"

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>

static volatile sig_atomic_t caught;

static void remember(int number)
{
    caught = number;
    /* The next one does what it does by default. */
    signal(number, SIG_DFL);
}

void reel_signals_catch(void)
{
    struct sigaction action = {.sa_handler = remember, .sa_flags = SA_RESTART};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    struct sigaction hangup;
    bool nohup = !sigaction(SIGHUP, NULL, &hangup) && hangup.sa_handler == SIG_IGN;
    if (!nohup) sigaction(SIGHUP, &action, NULL);
    signal(SIGPIPE, SIG_IGN);
}

int reel_signal_caught(void)
{
    return caught;
}
