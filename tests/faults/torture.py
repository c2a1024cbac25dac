"""`make test-hostile DIR=…`: a folder of somebody's torture files through `rag index`, and a summary by reason.

Knows the command line only. A picture library's, a PDF viewer's or a decoder's own test files are good folders to try.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

MEASURED = """
import resource, subprocess, sys
code = subprocess.run([sys.executable, "-m", "rag.cli", *sys.argv[1:]]).returncode
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024, file=sys.stderr)
sys.exit(code)
"""
NAMED = 3  # files shown under each reason
SUSPECT = re.compile(r"Errno|Error\b|object has no|Traceback|NoneType")


def torture(folder: Path) -> int:
    """Indexes the folder twice, prints what became of it, and gives 1 where something is wrong, else 0."""
    with tempfile.TemporaryDirectory() as place:
        started = time.monotonic()
        command = [sys.executable, "-c", MEASURED, "index", str(folder), "--index", f"{place}/torture", "--json"]
        done = subprocess.run(command, capture_output=True, text=True, errors="replace")
        seconds = time.monotonic() - started
        *said, megabytes = done.stderr.strip().splitlines()
        if done.returncode:
            print("\n".join(said[-40:]))
            print(f"the run ended with {done.returncode}")
            return 1
        report = json.loads(done.stdout)
        again = json.loads(subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout)
    reasons: dict[str, list[str]] = {}
    for one in report["skipped"]:
        reasons.setdefault(re.sub(r"[\d,.]*\d", "n", one["reason"]), []).append(ascii(one["document"])[1:-1])
    for reason, names in sorted(reasons.items(), key=lambda each: -len(each[1])):
        print(f"{len(names):6} skipped: {reason}: {', '.join(names[:NAMED])}{', …' if len(names) > NAMED else ''}")
    for reason, count in report["ignored"].items():
        print(f"{count:6} ignored: {reason}")
    names = ("indexed", "reused", "unchanged", "passages", "seconds")
    print({name: report[name] for name in names} | {"wall": round(seconds, 1), "peak MB": int(megabytes)})
    faults = [one for one in report["skipped"] if SUSPECT.search(one["reason"])]
    if again["indexed"] or again["embedded"]:
        print(f"the second run read {again['indexed']} documents again")
    for one in faults:
        print(f"not for a person: {one['document']}: {one['reason']}")
    return 1 if faults or again["indexed"] else 0


if __name__ == "__main__":
    if len(sys.argv) != 2 or not Path(sys.argv[1]).is_dir():
        sys.exit("say which folder: make test-hostile DIR=/path/to/files")
    sys.exit(torture(Path(sys.argv[1])))
