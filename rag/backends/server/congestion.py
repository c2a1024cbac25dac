"""How many requests one endpoint is given at once: as many as it takes, found out by what it does with them.

Knows counts and seconds; knows no connection. Additive increase, multiplicative decrease, as TCP does it (Chiu and Jain 1989).
"""

from __future__ import annotations

CUT = 0.7  # of the limit stays, where the server says that it was too much
LATE = 0.25  # of the time that a request is given: an answer that takes longer has waited in a queue of the server's


class CongestionWindow:
    """For one thread. Times are those of one clock, in seconds."""

    def __init__(self, most: int) -> None:
        """Begins with the most: a server that takes it is never asked less."""
        self._most = most
        self._limit = float(most)
        self._last_cut = float("-inf")

    @property
    def room(self) -> int:
        """How many requests may be under way, at least 1."""
        return int(self._limit)

    def answered(self, began: float, now: float, given: float, under_way: int) -> None:
        """A request that had `given` seconds was answered, with so many under way: one more in a round of answers, fewer where it
        came late. A window that was not half used tells nothing.
        """
        if now - began > LATE * given:
            self.crowded(began, now)
        elif 2 * under_way >= self._limit:
            self._limit = min(float(self._most), self._limit + 1 / self._limit)

    def crowded(self, began: float, now: float) -> None:
        """A request was not taken, or not in time. Those that were under way together count once."""
        if began > self._last_cut:
            self._limit = max(1.0, CUT * self._limit)
            self._last_cut = now
