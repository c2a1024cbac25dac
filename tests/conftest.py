"""What all tests share. Knows pytest and Hypothesis only."""

from __future__ import annotations

import signal

from hypothesis import settings

# Hypothesis fails an example that takes longer than 200 ms, which a busy machine may take for any. All else as it is, in CI too.
settings.register_profile("any speed", settings(deadline=None))
settings.load_profile("any speed")


def pytest_make_parametrize_id(val: object) -> str | None:
    """Bytes are named by their length: an archive made at collection holds the time, and every worker must name it the same."""
    return f"{len(val)} bytes" if isinstance(val, bytes) else None


# What runs the tests may ignore signals (nohup, `&` in a script), and programs started here would inherit that.
for _number, _usual in ((signal.SIGINT, signal.default_int_handler), (signal.SIGHUP, signal.SIG_DFL)):
    if signal.getsignal(_number) is signal.SIG_IGN:
        signal.signal(_number, _usual)
