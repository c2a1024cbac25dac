"""Files that can be made again from others: put in place whole, and without waiting for the disk.

Knows nothing of what is in them. They carry checksums: what a power cut leaves of one is noticed, and it is made again.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path


def replace_file(file: Path, chunks: Iterable[bytes | memoryview]) -> None:
    """Writes to a name of its own and renames: readers see the old file or the new one, whole. OSError.

    Several processes may do it at once; the last one stays. A file left by a kill ends in `.new`, which the next writer removes.
    """
    temporary = file.with_name(f"{file.name}.{os.getpid()}-{os.urandom(4).hex()}.new")
    try:
        with temporary.open("xb") as out:
            for chunk in chunks:
                out.write(chunk)
        temporary.rename(file)
    except BaseException:  # also Ctrl-C: half a file is of no use to anybody
        temporary.unlink(missing_ok=True)
        raise
