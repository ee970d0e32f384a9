"""The command `mesoevidence`, also as `python -m mesoevidence`."""

import gc
import os
import sys

gc.set_threshold(500_000)  # imports make much and drop little: collecting would cost a tenth of a check
os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")  # looking for what may alter a model costs too

from mesoevidence.cli import main  # noqa: E402 - the lines above are for this import

if __name__ == "__main__":
    sys.exit(main())
