"""`python -m crack_utils.cli`, the same as `crack-utils`."""

import sys

from crack_utils.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
