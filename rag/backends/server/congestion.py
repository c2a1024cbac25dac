"""Finds how many requests an endpoint can handle at once, from how it answers them.

Knows counts and seconds; knows no connection. Additive increase, multiplicative decrease, as in TCP (Chiu and Jain 1989).
"""

from __future__ import annotations

DECREASE = 0.7  # the limit is multiplied by this when the server is overloaded
LATE = 0.25  # of the timeout: an answer that takes longer has waited in a queue in the server


class CongestionWindow:
    """For one thread at a time. All times are in seconds, on one monotonic clock."""

    def __init__(self, most: int) -> None:
        """Starts with the limit `most`: a server that can handle that is never sent less."""
        self._most = most
        self._limit = float(most)
        self._last_decrease = float("-inf")

    @property
    def room(self) -> int:
        """How many requests may be under way at once, at least 1."""
        return int(self._limit)

    def answered(self, began: float, now: float, timeout: float, under_way: int) -> None:
        """A request with this timeout was answered while `under_way` were: lowers the limit if it was late, else raises it.

        A full round of answers raises the limit by 1. A window less than half used says nothing about the server, and changes
        nothing.
        """
        if now - began > LATE * timeout:
            self.overloaded(began, now)
        elif 2 * under_way >= self._limit:
            self._limit = min(float(self._most), self._limit + 1 / self._limit)

    def overloaded(self, began: float, now: float) -> None:
        """A request was refused as one too many, or answered late. Requests that were under way together count once."""
        if began > self._last_decrease:
            self._limit = max(1.0, DECREASE * self._limit)
            self._last_decrease = now
