"""`python -m migrator` is `migrate`."""

import sys

from migrator.entry import main

if __name__ == "__main__":
    sys.exit(main())
