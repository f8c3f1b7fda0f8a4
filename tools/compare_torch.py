#!/usr/bin/env python3
"""Times reel and torch on the same work, by turns, and prints the ratio.

  tools/compare_torch.py [--rounds 3] [--reel build/reel] train|infer [options of both benches]

Each round runs torch in both memory formats and then reel, each in a process of its own, with one warm-up run. The
figure of a program is its median over the rounds; torch's is that of its better format. Ratio: torch's seconds over
reel's, so that more than 1 means that reel is faster. Run it with a python3 that has torch (Debian: python3-torch).
"""
import argparse, json, os, statistics, subprocess, sys

here = os.path.dirname(os.path.abspath(__file__))


def run(command):
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    if done.returncode:
        sys.exit('failed: ' + ' '.join(command))
    return json.loads(done.stdout.strip().splitlines()[-1])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--rounds', type=int, default=3)
    parser.add_argument('--reel', default=os.path.join(here, '..', 'build', 'reel'))
    parser.add_argument('what', choices=['train', 'infer'])
    mine, options = parser.parse_known_args()
    if '--steps' not in options:
        options += ['--steps', '1' if mine.what == 'train' else '5']
    torch = [sys.executable, os.path.join(here, 's2spp_torch.py'), 'bench'] + options
    torch += ['--infer'] if mine.what == 'infer' else []
    programs = {
        'torch NCHW': torch,
        'torch NHWC': torch + ['--channels-last'],
        'reel': [mine.reel, 'bench', mine.what, '--json'] + options,
    }
    seconds, memory = {k: [] for k in programs}, {k: [] for k in programs}
    for r in range(mine.rounds):
        for name, command in programs.items():
            result = run(command)
            seconds[name].append(result['median'])
            memory[name].append(result['peak_rss_mib'])
            print('round %d  %-11s %8.3f s  %6d MiB' % (r + 1, name, result['median'], result['peak_rss_mib']), flush=True)
    median = {k: statistics.median(v) for k, v in seconds.items()}
    peak = {k: max(v) for k, v in memory.items()}
    peer = min(('torch NCHW', 'torch NHWC'), key=median.get)
    print('%s %s: torch (%s) %.3f s, reel %.3f s, ratio %.2f; peak memory %d and %d MiB, reel over torch %.2f'
          % (mine.what, ' '.join(options), peer[6:], median[peer], median['reel'], median[peer] / median['reel'],
             peak[peer], peak['reel'], peak['reel'] / peak[peer]))


if __name__ == '__main__':
    main()
