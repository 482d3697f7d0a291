"""`python -m tests.crashes --runs 1000`: as many runs as one likes, and a table of what came of them."""

from __future__ import annotations

import argparse
import os
import random
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from tests.crashes.run import run, table


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.crashes", description=__doc__)
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--seed", type=int, help="the first run's; each next one has one more")
    parser.add_argument("--jobs", type=int, default=2, help="how many run at the same time")
    given = parser.parse_args()
    first = random.randrange(10**6) * 1000 if given.seed is None else given.seed
    outcomes = []
    began = time.monotonic()
    with ProcessPoolExecutor(given.jobs, get_context("spawn")) as pool:
        for outcome in pool.map(run, range(first, first + given.runs)):
            outcomes.append(outcome)
            sys.stdout.write(
                f"{len(outcomes)} ({time.monotonic() - began:.0f} s) {outcome.words}\n"
            )
            sys.stdout.flush()
    sys.stdout.write(f"{table(outcomes)}\n")
    return any(outcome.figures.faults for outcome in outcomes)


if __name__ == "__main__":
    os.umask(0o077)
    sys.exit(main())
