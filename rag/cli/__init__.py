"""The command line: parse → call → print. The only room that prints or exits.

Knows the terminal; knows nothing of how things are done.
"""

from __future__ import annotations

import os
import sys


def main() -> None:
    """The `rag` command. Errors of ours become one message and an exit code; anything else is a bug and says so."""
    from rag.cli.app import app
    from rag.cli.terminal import fail
    from rag.errors import RagError

    try:
        app(prog_name="rag")
    except RagError as error:
        fail(error)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        sys.exit(130)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
