"""Look for bytes that a reader cannot take: `python -m tests.fuzzing [TARGET…] [--minutes 10] [--seed N]`.

Each target gets its share of the time, in a process of its own. Where atheris is installed it guides the search by
what code was reached, else changes are made at random. What was found is written to the directory, and 1 returned.
"""

from __future__ import annotations

import argparse
import importlib.util
import random
import subprocess
import sys
import tempfile
import time
import traceback
from pathlib import Path


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzzing")
    parser.add_argument("targets", nargs="*", metavar="TARGET")
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--found", type=Path, default=Path(tempfile.gettempdir()) / "found")
    parser.add_argument("--alone", action="store_true", help=argparse.SUPPRESS)
    flags = parser.parse_args()
    flags.found.mkdir(parents=True, exist_ok=True)
    guided = importlib.util.find_spec("atheris") is not None
    if flags.alone:
        (name,) = flags.targets
        return (_guided if guided else _at_random)(
            name, flags.minutes * 60, flags.seed, flags.found
        )
    from tests.fuzzing.targets import TARGETS

    names = flags.targets or list(TARGETS)
    again = [
        sys.executable,
        "-m",
        "tests.fuzzing",
        "--alone",
        f"--minutes={flags.minutes / len(names)}",
    ]
    again += [f"--seed={flags.seed}", f"--found={flags.found}"]
    return max(subprocess.run([*again, name], check=False).returncode != 0 for name in names)


def _at_random(name: str, seconds: float, seed: int, found: Path) -> int:
    from tests.fuzzing.changes import changed
    from tests.fuzzing.targets import TARGETS

    target, source = TARGETS[name], random.Random(seed)
    seeds, runs, end = target.seeds(), 0, time.monotonic() + seconds
    while time.monotonic() < end:
        data = changed(seeds, source)
        try:
            target.run(data)
        except Exception:  # noqa: BLE001  # this is what is looked for
            path = found / f"{name}-{runs}"
            path.write_bytes(data)
            sys.stdout.write(f"{name}: {path}\n{traceback.format_exc()}\n")
            return 1
        runs += 1
    sys.stdout.write(f"{name}: {runs:,} runs at random, nothing found\n")
    return 0


def _guided(name: str, seconds: float, seed: int, found: Path) -> int:
    import atheris  # type: ignore[import-untyped, import-not-found, unused-ignore]

    with atheris.instrument_imports(
        include=["tui_chat", "openai._streaming", "tomlkit", "tomllib"]
    ):
        from tests.fuzzing.targets import TARGETS
    target = TARGETS[name]
    with tempfile.TemporaryDirectory() as corpus:
        for number, seed_bytes in enumerate(target.seeds()):
            (Path(corpus) / f"{number}").write_bytes(seed_bytes)
        options = [
            f"-max_total_time={int(seconds)}",
            f"-seed={seed + 1}",
            f"-artifact_prefix={found}/{name}-",
        ]
        options += ["-print_final_stats=1", "-max_len=20000", "-timeout=30", "-rss_limit_mb=4096"]
        atheris.Setup([sys.argv[0], *options, corpus], target.run)
        atheris.Fuzz()  # Ends the process.
    return 0


if __name__ == "__main__":
    sys.exit(main())
