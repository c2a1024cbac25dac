"""What all tests share. Knows pytest only."""

from __future__ import annotations


def pytest_make_parametrize_id(val: object) -> str | None:
    """Bytes are named by their length: an archive made at collection holds the time, and every worker must name it the same."""
    return f"{len(val)} bytes" if isinstance(val, bytes) else None
