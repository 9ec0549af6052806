"""How light the start is: `migrate --help` beside `import typer`, `migrate --version` beside `pass`, in turn.

Run as `python tests/bench/start.py [ROUNDS]`. Prints the median CPU time of each and the median of the ratios.
"""

import resource
import statistics
import subprocess
import sys
from pathlib import Path

MIGRATE = str(Path(sys.executable).with_name("migrate"))
PAIRS = {
    "--help / import typer": ([MIGRATE, "--help"], [sys.executable, "-c", "import typer"]),
    "--version / pass": ([MIGRATE, "--version"], [sys.executable, "-c", "pass"]),
}


def cpu_seconds(command: list[str]) -> float:
    """User and system time of one run of the command."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main(rounds: int) -> None:
    """Runs every pair in turn, so that both sides meet the same machine."""
    for name, (ours, theirs) in PAIRS.items():
        pairs = [(cpu_seconds(ours), cpu_seconds(theirs)) for _ in range(rounds)]
        left, right = (statistics.median(side) * 1000 for side in zip(*pairs, strict=True))
        ratio = statistics.median(a / b for a, b in pairs)
        sys.stdout.write(f"{name}: {left:.0f} ms / {right:.0f} ms = {ratio:.2f}\n")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 21)
