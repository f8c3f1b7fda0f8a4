#!/usr/bin/env python3
"""Times reel and torch on the same work, by turns, and prints the ratios.

  tools/compare_torch.py [--rounds 3] table [--quick] [options of both benches]   what `make bench` runs
  tools/compare_torch.py [--rounds 3] train|infer [options of both benches]       seconds alone

A round runs every torch in both memory formats and then reel, each in a process of its own, with one warm-up run. The
figure of a program is its median over the rounds; of all torches and formats the fastest counts. Ratio: torch's
seconds over reel's, so that more than 1 means that reel is faster; memory: reel's peak over the smallest of torch's.
Torch is looked for in this python, in the system's (Debian: python3-torch) and in build/venv (`tools/setup.sh bench`
puts PyPI's newest there); --torch PYTHON names others. A program that fails is named, and the others go on.
--quick: a small network on small frames, to see that everything runs; its ratios mean nothing.
"""
import argparse, json, os, statistics, subprocess, sys

here = os.path.dirname(os.path.abspath(__file__))
build = os.path.join(here, '..', 'build')
formats = {'NCHW': [], 'NHWC': ['--channels-last']}
quick = ['--width', '0.125', '--size', '64x128', '--frames', '2']

# Name, what to time, its options, the ratio to reach.
rows = [
    ('training step, fp32', 'train', ['--dtype', 'fp32'], 1.5),
    ('training step, bf16', 'train', ['--dtype', 'bf16'], 3.5),
    ('inference frame, fp32', 'infer', ['--dtype', 'fp32'], 1.25),
    ('inference frame, bf16', 'infer', ['--dtype', 'bf16'], 2.2),
]


def run(command, environment=None):
    """The JSON of a program's last line, or the reason why there is none."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)
    lines = (done.stdout if done.returncode == 0 else done.stderr).strip().splitlines()
    if done.returncode == 0 and lines:
        return json.loads(lines[-1]), None
    return None, lines[-1] if lines else 'exit code %d' % done.returncode


def find_torches(pythons):
    """Version -> python, for those that have torch."""
    found = {}
    for python in pythons:
        if os.path.exists(python):
            done = subprocess.run([python, '-c', 'import torch; print(torch.__version__)'], stdout=subprocess.PIPE,
                                  stderr=subprocess.DEVNULL, text=True)
            if done.returncode == 0:
                found.setdefault(done.stdout.strip(), python)
    return found


def programs_for(what, options, torches, reel):
    steps = [] if '--steps' in options else ['--steps', '1' if what == 'train' else '5']
    script = os.path.join(here, 's2spp_torch.py')
    programs = {}
    for version, python in torches.items():
        for name, extra in formats.items():
            programs['torch %s %s' % (version, name)] = ([python, script, 'bench'] + options + steps + extra
                                                         + (['--infer'] if what == 'infer' else []))
    programs['reel'] = [reel, 'bench', what, '--json'] + options + steps
    return programs


def measure_all(title, programs, rounds, environment=None):
    """Program -> what it said, over all rounds (combined); programs that fail are told and left out."""
    results, failed = {k: [] for k in programs}, set()
    for r in range(rounds):
        for name, command in programs.items():
            if name in failed:
                continue
            result, reason = run(command, environment)
            if reason:
                failed.add(name)
                print('%s: %s failed: %s' % (title, name, reason), flush=True)
                continue
            results[name].append(result)
            print('%s, round %d  %-24s %9.4f s  %6d MiB'
                  % (title, r + 1, name, result['median'], result['peak_rss_mib']), flush=True)
    return {name: combined(list_) for name, list_ in results.items() if name not in failed}


def combined(results):
    """Medians over the rounds, and the largest memory."""
    both = dict(results[0], median=statistics.median(x['median'] for x in results))
    for key in both:
        if key.endswith('_mib'):
            both[key] = max(x[key] for x in results)
        elif key == 'gflops':
            both[key] = statistics.median(x[key] for x in results)
    return both


def measure(title, programs, rounds):
    """Program -> (median seconds, peak MiB, GFLOP/s or None, MiB that no plan speaks of)."""
    return {name: (r['median'], r['peak_rss_mib'], r.get('gflops'), r['peak_rss_mib'] - r.get('planned_mib', 0))
            for name, r in measure_all(title, programs, rounds).items()}


def best(measured, column, version=''):
    """The torch, of this version or of all, whose seconds (column 0) or memory (column 1) are least; or None."""
    peers = [name for name in measured if name.startswith('torch ' + version)]
    return min(peers, key=lambda name: measured[name][column]) if peers else None


def peers_cells(measured, column, torches, form):
    cells = []
    for version in torches:
        peer = best(measured, column, version + ' ')
        cells.append('%s, %s' % (form % measured[peer][column], peer.split()[-1]) if peer else 'failed')
    return cells


def print_row(cells):
    print('| ' + ' | '.join(cells) + ' |')


def seconds_row(title, measured, torches, target, peak):
    peer, ours = best(measured, 0), measured.get('reel')
    print_row([title] + peers_cells(measured, 0, torches, '%.3f s')
              + ['%.3f s' % ours[0] if ours else 'failed',
                 '%.2f' % (measured[peer][0] / ours[0]) if peer and ours else '-',
                 '>= %g' % target if target else '',
                 '%.0f %%' % (100 * ours[2] / peak) if peak and ours else ''])


def memory_row(measured, torches):
    peer, ours = best(measured, 1), measured.get('reel')
    print_row(['peak memory, training'] + peers_cells(measured, 1, torches, '%d MiB')
              + ['%d MiB' % ours[1] if ours else 'failed',
                 '%.2f' % (ours[1] / measured[peer][1]) if peer and ours else '-', '<= 0.6', ''])


def budget_programs(measured, program, share):
    """reel as it is, and held to a share of the memory that torch takes. A process takes more than its plan, such as its
    code; so the plan gets less."""
    peer, ours = best(measured, 1), measured.get('reel')
    if not peer or not ours:
        return {}
    return {'reel': program, 'reel --memory': program + ['--memory', '%dMiB' % (share * measured[peer][1] - ours[3])]}


def budget_row(measured, held, torches, share):
    peer, free, tight = best(measured, 1), held.get('reel'), held.get('reel --memory')
    cell = '%d MiB, %.2f times the seconds' % (tight[1], tight[0] / free[0]) if free and tight else 'failed'
    print_row(['the same, within %g of it' % share] + peers_cells(measured, 1, torches, '%d MiB')
              + [cell, '%.2f' % (tight[1] / measured[peer][1]) if tight else '-',
                 '<= %g at <= 1.3 times the seconds' % share, ''])


def multiply_add_peak(reel, options):
    threads = options[options.index('--threads') + 1] if '--threads' in options else '2'
    result, reason = run([reel, 'bench', 'peaks', '--json', '--threads', threads])
    vectors = [p['all'] for p in result['peaks'] if p['name'].endswith('fp32')] if result else [0]
    return max(vectors)


def layers_row(title, reel, options, torches, judge, target):
    result, reason = run([reel, 'bench', 'layers', '--json'] + options)
    print_row([title] + [''] * len(torches) + ['failed: ' + reason if reason else judge(result), '', target, ''])


def judge_fp32(result):
    return ('%d of %d reach 80 %% of the peak forward, %d of %d reach 60 %% in all directions'
            % (result['forward_80'], result['forward'], result['all_60'], len(result['layers'])))


def judge_bf16(result):
    """Layers of maps of 16x28 and larger that reach 3 Tflop/s forward and backward and 2 for the weights."""
    goals = {'forward': 3000, 'input_gradient': 3000, 'weight_gradient': 2000}
    large = [l for l in result['layers'] if l['height'] * l['width'] >= 16 * 28 and l['dtype'] == 'bf16']
    return ', '.join('%s: %d of %d' % (d.replace('_', ' '), sum(l[d]['gflops'] >= goal for l in large if d in l),
                                       sum(d in l for l in large)) for d, goal in goals.items())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--rounds', type=int, default=3)
    parser.add_argument('--reel', default=os.path.join(build, 'reel'))
    parser.add_argument('--torch', action='append', metavar='PYTHON', help='a python that has torch')
    parser.add_argument('--quick', action='store_true')
    parser.add_argument('what', choices=['train', 'infer', 'table'])
    mine, options = parser.parse_known_args()
    options = (quick if mine.quick else []) + options
    torches = find_torches(mine.torch or [sys.executable, '/usr/bin/python3', os.path.join(build, 'venv/bin/python3')])
    print('torch: %s' % (', '.join(sorted(torches)) or 'none found; tools/setup.sh bench installs it'), flush=True)
    work = rows if mine.what == 'table' else [(mine.what, mine.what, [], None)]
    peak, programs, measured = multiply_add_peak(mine.reel, options), [], []
    for title, what, extra, target in work:
        programs.append(programs_for(what, options + extra, torches, mine.reel))
        measured.append(measure(title, programs[-1], mine.rounds))
    if mine.what == 'table':
        held = measure('budget', budget_programs(measured[0], programs[0]['reel'], 0.45), mine.rounds)
    peak = max(peak, multiply_add_peak(mine.reel, options))
    print('\nmultiply-add peak %.1f GFLOP/s; options: %s\n' % (peak, ' '.join(options) or 'none'))
    print_row(['work'] + ['torch %s, its better format' % v for v in torches]
              + ['reel', 'ratio', 'to reach', 'share of the peak'])
    print_row(['---'] * (5 + len(torches)))
    for (title, what, extra, target), result in zip(work, measured):
        seconds_row(title, result, torches, target, peak if 'bf16' not in options + extra else None)
    if work[0][1] == 'train':
        memory_row(measured[0], torches)
    if mine.what == 'table':
        budget_row(measured[0], held, torches, 0.45)
        layers_row('convolution layers, fp32', mine.reel, options, torches, judge_fp32, 'three quarters; all')
        layers_row('convolution layers, bf16, maps of 16x28 and larger', mine.reel, options + ['--dtype', 'bf16'], torches,
                   judge_bf16, '3, 3 and 2 Tflop/s')


if __name__ == '__main__':
    main()
