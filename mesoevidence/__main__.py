"""The command `mesoevidence`, also as `python -m mesoevidence`."""

import gc
import sys

gc.set_threshold(500_000)  # imports make much and drop little: collecting would cost a tenth of a check

from mesoevidence.cli import main  # noqa: E402 - the line above is for this import

if __name__ == "__main__":
    sys.exit(main())
