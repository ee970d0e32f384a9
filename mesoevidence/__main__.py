"""`python -m mesoevidence` is the command `mesoevidence`."""

import sys

from mesoevidence.cli import main

sys.exit(main())
