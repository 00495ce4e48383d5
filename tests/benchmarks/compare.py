#!/usr/bin/env python3
"""Times Weft and PyTorch in turn on the CPU: LoRA training steps and decoding of one small ChatGLM.

    cargo build --release -p weft
    pip install torch
    python3 tests/benchmarks/compare.py [--rounds 5] [--threads 2]

Prints, for each work, the median of the rounds' medians on either side, and the median of the rounds' ratios
(PyTorch's milliseconds over Weft's: above 1, Weft is ahead). The ratio is taken within a round, because a shared
machine's speed drifts between rounds."""
import argparse
import json
import pathlib
import statistics
import subprocess
import sys

HERE = pathlib.Path(__file__).parent
SHAPE = ["--layers", "8", "--hidden", "256", "--heads", "4", "--vocab", "8192"]
BATCHES = "1x64,8x64,1x256"
DECODE_CONTEXT = "512"


def run(command):
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def weft(args):
    common = [*SHAPE, "--threads", args.threads, "--device", "cpu"]
    trained = run([args.weft, "bench", "train", *common, "--shapes", BATCHES])
    decoded = run([args.weft, "bench", "decode", *common, "--context", DECODE_CONTEXT])
    times = {batch: trained[batch]["ms"] for batch in BATCHES.split(",")}
    return {**times, "decode": 1e3 / decoded["decode_tok_s"]}


def pytorch(args):
    common = [sys.executable, str(HERE / "torch_baseline.py"), *SHAPE, "--dtype", "f32", "--threads", args.threads]
    trained = run([*common, "--shapes", BATCHES])
    decoded = run([*common, "--decode", "--context", DECODE_CONTEXT])
    times = {batch: trained[batch]["ms"] for batch in BATCHES.split(",")}
    return {**times, "decode": 1e3 / decoded["decode_tok_s"]}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", default="2")
    parser.add_argument("--weft", default=str(HERE.parent.parent / "target" / "release" / "weft"))
    args = parser.parse_args()

    rounds = []
    for number in range(args.rounds):
        # Whoever goes first in one round goes second in the next.
        first, second = (weft, pytorch) if number % 2 == 0 else (pytorch, weft)
        times = {first.__name__: first(args), second.__name__: second(args)}
        rounds.append((times["weft"], times["pytorch"]))
    print(f"{'work':8} {'Weft ms':>9} {'PyTorch ms':>11} {'ratio':>6}   of {args.rounds} rounds: lowest to highest")
    for work in rounds[0][0]:
        ours, theirs = ([of[work] for of in side] for side in zip(*rounds))
        ratios = sorted(b / a for a, b in zip(ours, theirs))
        print(
            f"{work:8} {statistics.median(ours):9.2f} {statistics.median(theirs):11.2f} "
            f"{statistics.median(ratios):6.2f}   {ratios[0]:.2f} to {ratios[-1]:.2f}"
        )


if __name__ == "__main__":
    main()
