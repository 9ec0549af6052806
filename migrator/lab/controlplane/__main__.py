"""`python -m migrator.lab.controlplane [NAME ...]`: makes sure that the programs are here, and says where."""

import sys

from migrator.lab.controlplane import programs
from migrator.lab.record import LabError


def main(names: list[str]) -> int:
    """Every program, or those that are named; 1 when one cannot be had."""
    wanted = [program for program in programs.ALL if not names or program.name in names]
    unknown = set(names) - {program.name for program in wanted}
    if unknown:
        known = ", ".join(program.name for program in programs.ALL)
        sys.stderr.write(f'no program is called "{min(unknown)}"; there are {known}\n')
        return 2
    try:
        for program in wanted:
            sys.stdout.write(f"{programs.have(program, programs.say)}\n")
    except LabError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
