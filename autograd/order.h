/* An order in which nodes may run, those that are tied together as one (dependence.h), that keeps memory small.

   It follows the order of definition: each node in its turn, unless it ran already, and before it all that it still
   waits for. When a tied node draws in what it needs from later time steps, what hangs beside that would be left behind
   for long, with all that it reads: the gradients of weights above all. So a node whose inputs are there runs at once
   if it frees as much memory as it takes, or makes something small of what it reads. */
#ifndef REEL_AUTOGRAD_ORDER_H
#define REEL_AUTOGRAD_ORDER_H

#include "autograd/dependence.h"

/* Writes needed nodes in the order in which they may run, of each that are tied one, and how many. There is room for
   all nodes. False when memory is refused. */
bool reel_order_find(const reel_dependence *d, int *order, int *count);

#endif
