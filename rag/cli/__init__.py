"""The command line: parse → call → print. The only package that prints or exits.

Knows the terminal; does not know how the work is done.
"""

from __future__ import annotations

import errno
import gc
import os
import sys

_OUTPUT_FAILED = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)  # stdout is a file on a full or failing disk
_NO_ACCESS = (errno.EACCES, errno.EPERM, errno.ENAMETOOLONG, errno.ELOOP)  # of a path that the user gave

_NEW_OBJECTS = 50_000  # before a garbage collection. Python's own 700 makes imports, whose objects stay, take half as long again


def main() -> None:
    """Runs the `rag` command. Our own errors become a message and an exit code; any other is a bug and shows its traceback."""
    gc.set_threshold(_NEW_OBJECTS)
    from rag.cli.app import app_for
    from rag.cli.terminal import fail, open_streams
    from rag.errors import RagError, WrongRequest

    open_streams()
    try:
        try:
            app_for(sys.argv[1:])(prog_name="rag")
        finally:
            sys.stdout.flush()
    except RagError as error:
        fail(error)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        sys.exit(130)
    except BrokenPipeError:
        _discard_stdout()
        sys.exit(0)
    except SystemExit as ended:
        if isinstance(ended.__context__, BrokenPipeError):  # `| head` has read enough
            _discard_stdout()
            sys.exit(0)
        raise
    except OSError as error:
        if error.filename is not None and error.errno in _NO_ACCESS:
            fail(WrongRequest(f"{str(error.filename)[:200]}: {error.strerror}", remedy="name another, or change its permissions"))
        elif error.errno in _OUTPUT_FAILED:
            _discard_stdout()
            fail(WrongRequest(f"the output cannot be written: {error.strerror}", remedy="free disk space, or write it elsewhere"))
        else:
            raise
        sys.exit(WrongRequest.exit_code)


def _discard_stdout() -> None:
    """Sends buffered output to /dev/null, so that flushing it does not fail again when the interpreter exits."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.__stdout__.fileno() if sys.__stdout__ else 1)
