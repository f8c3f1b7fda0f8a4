#!/usr/bin/env python3
"""Shows that a training step costs in proportion to frames and to pixels.

  tools/linear_cost.py [--reel build/reel] [--rounds 3] [options of reel bench train]

Steps of clips of 3 to 21 frames at one size, then of 6 frames at four sizes, each as its own process, by turns over the
rounds; the least seconds count, since what disturbs only adds. The slope is that of log seconds over log
(frames x pixels), by least squares: 1 is proportional, less where a part of the cost is fixed (the update of the
weights is), more where something grows faster.
"""
import argparse, json, math, os, subprocess, sys

here = os.path.dirname(os.path.abspath(__file__))
lengths = [(t, (128, 224)) for t in (2, 5, 10, 15, 20)]
sizes = [(5, size) for size in ((64, 112), (128, 224), (192, 336), (256, 448))]


def step(reel, frames, size, options):
    command = [reel, 'bench', 'train', '--json', '--frames', str(frames), '--size', '%dx%d' % size] + options
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    if done.returncode:
        sys.exit('failed: ' + ' '.join(command))
    return json.loads(done.stdout)


def slope(points):
    x = [math.log(p[0]) for p in points]
    y = [math.log(p[1]) for p in points]
    mx, my = sum(x) / len(x), sum(y) / len(y)
    return sum((a - mx) * (b - my) for a, b in zip(x, y)) / sum((a - mx) ** 2 for a in x)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--reel', default=os.path.join(here, '..', 'build', 'reel'))
    parser.add_argument('--rounds', type=int, default=3)
    mine, options = parser.parse_known_args()
    for flag, value in (('--width', '0.125'), ('--steps', '3')):
        if flag not in options:
            options += [flag, value]
    best = {}
    for _ in range(mine.rounds):
        for case in sorted(set(lengths + sizes)):
            result = step(mine.reel, *case, options)
            seconds, memory = best.get(case, (math.inf, 0))
            best[case] = min(seconds, result['min']), max(memory, result['peak_rss_mib'])
    print('options: %s; machine load %.1f' % (' '.join(options), os.getloadavg()[0]))
    for title, cases in (('length', lengths), ('size', sizes)):
        print('\n| predicted frames | size | seconds | nanoseconds a frame and pixel | peak memory |\n|---|---|---|---|---|')
        points = []
        for frames, size in cases:
            work = (frames + 1) * size[0] * size[1]  # the first frame goes through the initializer
            seconds, memory = best[frames, size]
            points.append((work, seconds))
            print('| %d | %dx%d | %.3f | %.0f | %d MiB |' % (frames, *size, seconds, seconds / work * 1e9, memory))
        print('slope over %s: %.2f' % (title, slope(points)))


if __name__ == '__main__':
    main()
