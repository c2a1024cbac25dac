"""`python -m tests.faults.hostile FOLDER` makes the bad files, to look at or to try by hand."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.faults.hostile.bad import write_all
from tests.faults.hostile.corpus import bad_files

if __name__ == "__main__":
    folder = Path(sys.argv[1])
    bad = bad_files()
    write_all(folder, bad)
    print(f"{len(bad)} bad files in {folder}")
