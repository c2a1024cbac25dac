"""A loader that takes its time, named to the program as tests.scale.slow_loader:Slow."""

from __future__ import annotations

import time

from tests.unit.bad_loaders import _Bad


class Slow(_Bad):
    """Sleeps for three seconds."""

    def harm(self) -> None:
        time.sleep(3)
