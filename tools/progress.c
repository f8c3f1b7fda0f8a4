/* See progress.h. */
#include "tools/progress.h"

#include "core/clock.h"

#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { BAR = 24 };

void reel_progress_begin(reel_progress *p, const char *what, uint64_t first, uint64_t total, bool quiet)
{
    *p = (reel_progress){
        .what = what, .first = first, .total = total, .terminal = isatty(STDERR_FILENO), .quiet = quiet};
    p->start = reel_seconds();
    p->last = p->start - 3600;
}

static void remaining(double seconds, char text[32])
{
    long s = (long)(seconds + 0.5);
    if (s >= 3600)
        snprintf(text, 32, "%ldh%02ldm", s / 3600, s / 60 % 60);
    else
        snprintf(text, 32, "%ldm%02lds", s / 60, s % 60);
}

static int columns(void)
{
    struct winsize size;
    return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 20 ? size.ws_col : 80;
}

void reel_progress_show(reel_progress *p, uint64_t done, const char *note)
{
    double now = reel_seconds(), interval = p->terminal ? 0.1 : 10;
    if (p->quiet || (now - p->last < interval && done < p->total)) return;
    p->last = now;
    char left[32] = "?", line[512], bar[BAR + 1];
    if (done > p->first) remaining((now - p->start) / (double)(done - p->first) * (double)(p->total - done), left);
    if (!p->terminal) {
        fprintf(stderr, "%s %llu/%llu, %s left, %s\n", p->what, (unsigned long long)done, (unsigned long long)p->total,
                left, note);
        return;
    }
    size_t full = p->total ? (size_t)(done * BAR / p->total) : 0;
    memset(bar, '.', BAR);
    memset(bar, '#', full > BAR ? BAR : full);
    bar[BAR] = 0;
    snprintf(line, sizeof line, "%s [%s] %llu/%llu %s left, %s", p->what, bar, (unsigned long long)done,
             (unsigned long long)p->total, left, note);
    fprintf(stderr, "\r%-*.*s", columns() - 1, columns() - 1, line);
}

void reel_progress_end(reel_progress *p)
{
    if (p->terminal && !p->quiet) fputc('\n', stderr);
}
