/* The palette of DAVIS: 22 colours that differ at a glance, then greys. Only ids are ever scored; the palette is what
   makes a mask readable in any picture viewer, and the same object the same colour in every tool. */
#include "datasets/image.h"

#define GREY(i)                                                                                                        \
    {                                                                                                                  \
        (i), (i), (i)                                                                                                  \
    }
#define GREYS(i) GREY(i), GREY((i) + 1), GREY((i) + 2), GREY((i) + 3), GREY((i) + 4), GREY((i) + 5)

static const uint8_t davis[256][3] = {
    {0, 0, 0},       {128, 0, 0},     {0, 128, 0}, {128, 128, 0}, {0, 0, 128},   {128, 0, 128}, {0, 128, 128},
    {128, 128, 128}, {64, 0, 0},      {191, 0, 0}, {64, 128, 0},  {191, 128, 0}, {64, 0, 128},  {191, 0, 128},
    {64, 128, 128},  {191, 128, 128}, {0, 64, 0},  {128, 64, 0},  {0, 191, 0},   {128, 191, 0}, {0, 64, 128},
    {128, 64, 128},  GREYS(22),       GREYS(28),   GREYS(34),     GREYS(40),     GREYS(46),     GREYS(52),
    GREYS(58),       GREYS(64),       GREYS(70),   GREYS(76),     GREYS(82),     GREYS(88),     GREYS(94),
    GREYS(100),      GREYS(106),      GREYS(112),  GREYS(118),    GREYS(124),    GREYS(130),    GREYS(136),
    GREYS(142),      GREYS(148),      GREYS(154),  GREYS(160),    GREYS(166),    GREYS(172),    GREYS(178),
    GREYS(184),      GREYS(190),      GREYS(196),  GREYS(202),    GREYS(208),    GREYS(214),    GREYS(220),
    GREYS(226),      GREYS(232),      GREYS(238),  GREYS(244),    GREYS(250),
};

const uint8_t *reel_davis_palette(void)
{
    return &davis[0][0];
}
