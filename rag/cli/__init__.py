"""The command line: parse → call → print. The only room that prints or exits.

Knows the terminal; knows nothing of how things are done.
"""

from __future__ import annotations

import errno
import os
import sys

_OUTPUT_FAILED = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)  # stdout is a file, and its disk takes no more
_NOT_TO_BE_LOOKED_AT = (errno.EACCES, errno.EPERM, errno.ENAMETOOLONG, errno.ELOOP)  # a name a person gave


def main() -> None:
    """The `rag` command. Errors of ours become one message and an exit code; anything else is a bug and says so."""
    from rag.cli.app import app
    from rag.cli.terminal import fail, open_streams
    from rag.errors import RagError, WrongRequest

    open_streams()
    try:
        try:
            app(prog_name="rag")
        finally:
            sys.stdout.flush()
    except RagError as error:
        fail(error)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        sys.exit(130)
    except BrokenPipeError:
        _let_go_of_stdout()
        sys.exit(0)
    except SystemExit as ended:
        if isinstance(ended.__context__, BrokenPipeError):  # `| head` has seen enough
            _let_go_of_stdout()
            sys.exit(0)
        raise
    except OSError as error:
        if error.filename is not None and error.errno in _NOT_TO_BE_LOOKED_AT:
            fail(WrongRequest(f"{str(error.filename)[:200]}: {error.strerror}", remedy="name another, or make it readable"))
        elif error.errno in _OUTPUT_FAILED:
            _let_go_of_stdout()
            fail(WrongRequest(f"the output cannot be written: {error.strerror}", remedy="write it to another place"))
        else:
            raise
        sys.exit(WrongRequest.exit_code)


def _let_go_of_stdout() -> None:
    """What is still buffered goes nowhere, so that it does not fail once more when the interpreter ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.__stdout__.fileno() if sys.__stdout__ else 1)
