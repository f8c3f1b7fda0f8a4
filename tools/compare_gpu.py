#!/usr/bin/env python3
"""Times a training step of S2S++ on a GPU, reel beside torch, by turns, and prints the ratios.

  tools/compare_gpu.py [--rounds 3] [--batch 1 4] [--top compact authors] [options of both benches]   `make bench-cuda`

For each top, batch and precision (bf16, and TF32 for float32) a round runs torch eager, torch.compile and reel, each in a
process of its own; torch is channels last. A program's figure is its median over the rounds. Ratio: torch's seconds over
reel's. Memory: what reel's plan and parameters take on the device over what torch had allocated at most. The matmul peak
is the best of torch's own products of two square matrices, in the same precision.
A program that fails is named, and the others go on; with no GPU there is one line and exit code 1.
"""
import argparse, os, sys

from compare_torch import build, find_torches, here, measure_all, print_row, run

precisions = {  # torch's options, reel's, reel's environment, what to reach against eager and compile
    'bf16': (['--dtype', 'bf16'], ['--dtype', 'bf16'], {}, 1.5, 1.0),
    'TF32': (['--eager-tf32'], [], {'REEL_TF32': 'on'}, 1.3, None),
}

peak_program = """
import json, time, torch
torch.backends.cuda.matmul.allow_tf32 = True
best, n = 0, 8192
a = torch.randn(n, n, device='cuda', dtype=torch.%s)
for i in range(10):
    torch.cuda.synchronize(); s = time.perf_counter(); a @ a; torch.cuda.synchronize()
    best = max(best, 2 * n ** 3 / (time.perf_counter() - s))
print(json.dumps(dict(peak=best, name=torch.cuda.get_device_name())))
"""


def programs_for(precision, python, reel, options):
    theirs, ours, _, _, _ = precisions[precision]
    torch = [python, os.path.join(here, 's2spp_torch.py'), 'bench', '--device', 'cuda', '--channels-last'] + theirs
    return {'torch eager': torch + options, 'torch compile': torch + ['--compile'] + options,
            'reel': [reel, 'bench', 'train', '--json', '--device', 'cuda:0'] + ours + options}


def ratio(results, name):
    if name not in results or 'reel' not in results:
        return None
    return results[name]['median'] / results['reel']['median']


def report(title, results, peak, eager, compiled):
    cells = [title] + ['%.4f s' % results[n]['median'] if n in results else 'failed'
                       for n in ('torch eager', 'torch compile', 'reel')]
    for name, target in (('torch eager', eager), ('torch compile', compiled)):
        r = ratio(results, name)
        cells.append(('%.2f' % r if r else '-') + (' (>= %g)' % target if target else ''))
    both = 'torch eager' in results and 'reel' in results
    cells.append('%.2f (<= 0.7)' % (results['reel']['planned_mib'] / results['torch eager']['peak_gpu_mib'])
                 if both else '-')
    cells.append('%.1f, %.0f %%' % (results['reel']['gflops'] / 1e3, 1e11 * results['reel']['gflops'] / peak)
                 if 'reel' in results and peak else '-')
    print_row(cells)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--rounds', type=int, default=3)
    parser.add_argument('--reel', default=os.path.join(build, 'reel'))
    parser.add_argument('--torch', metavar='PYTHON', help='a python whose torch sees the GPU')
    parser.add_argument('--batch', nargs='+', default=['1', '4'])
    parser.add_argument('--top', nargs='+', default=['compact', 'authors'])
    mine, options = parser.parse_known_args()
    torches = find_torches([mine.torch] if mine.torch else
                           [os.path.join(build, 'venv/bin/python3'), sys.executable, '/usr/bin/python3'])
    peaks = {}
    for version, python in torches.items():
        for precision, dtype in (('bf16', 'bfloat16'), ('TF32', 'float32')):
            peaks[precision], reason = run([python, '-c', peak_program % dtype])
        if not reason:
            break
    else:
        sys.exit('compare_gpu: no torch that sees a GPU (%s); tools/setup.sh bench installs torch'
                 % (reason if torches else 'none found'))
    print('%s, torch %s, %s' % (peaks['bf16']['name'], version,
                                ', '.join('%s matmul %.0f TFLOP/s' % (p, r['peak'] / 1e12) for p, r in peaks.items())))
    rows = []
    for top in mine.top:
        for batch in mine.batch:
            for precision, (_, _, environment, eager, compiled) in precisions.items():
                title = '%s, batch %s, %s' % (top, batch, precision)
                programs = programs_for(precision, python, mine.reel, ['--top', top, '--batch', batch] + options)
                results = measure_all(title, programs, mine.rounds, dict(os.environ, **environment))
                rows.append((title, results, peaks[precision]['peak'], eager, compiled))
    print_row(['training step', 'torch eager', 'torch.compile', 'reel', 'to eager', 'to compile', 'memory',
               'TFLOP/s, of the matmul peak'])
    print_row(['---'] * 8)
    for row in rows:
        report(*row)


if __name__ == '__main__':
    main()
