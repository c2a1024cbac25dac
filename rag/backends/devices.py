"""What this machine can run a model on: NVIDIA cards, Ascend NPUs, or its processor.

Asks the vendors' own tools, with a time limit; knows no model and imports no vendor library.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Platform = Literal["cuda", "ascend", "ascend-310p", "cpu"]

TOOL_SECONDS = 10.0  # a vendor's tool may take this long; with a broken driver it hangs
MIB = 1 << 20
VISIBLE_DEVICES = {  # the variable that selects cards, by platform
    "cuda": "CUDA_VISIBLE_DEVICES",
    "ascend": "ASCEND_RT_VISIBLE_DEVICES",
    "ascend-310p": "ASCEND_RT_VISIBLE_DEVICES",
}


@dataclass(frozen=True, slots=True)
class Card:
    """One device, numbered as its vendor does. `total` and `free` memory in bytes; 0 if the tool does not say."""

    number: int
    name: str
    total: int
    free: int


@dataclass(frozen=True, slots=True)
class Machine:
    """The platform vLLM would run on here, its cards and driver version, and a remark on tools that failed."""

    platform: Platform
    cards: tuple[Card, ...] = ()
    driver: str = ""
    remark: str = ""


def look() -> Machine:
    """The accelerators of this machine, else its processor. Never raises: the remark names a tool that fails or hangs."""
    remarks: list[str] = []
    for tool, arguments, read in (("nvidia-smi", _NVIDIA, _nvidia), ("npu-smi", ("info",), _ascend)):
        if shutil.which(tool) is None:
            continue
        try:
            done = subprocess.run((tool, *arguments), capture_output=True, text=True, errors="replace", timeout=TOOL_SECONDS)
        except subprocess.TimeoutExpired:
            remarks.append(f"{tool} did not answer within {TOOL_SECONDS:.0f} s: is the driver working?")
            continue
        except OSError as error:
            remarks.append(f"{tool} cannot be run: {error.strerror}")
            continue
        machine = read(done.stdout) if done.returncode == 0 else None
        if machine is not None:
            return machine
        first_line = next(iter((done.stderr or done.stdout).strip().splitlines()), "no output")
        remarks.append(f"{tool} lists no device (exit {done.returncode}): {first_line[:200]}")
    return Machine("cpu", (Card(0, "main memory", _memory(), 0),), remark="; ".join(remarks))


def visible(machine: Machine, environment: Mapping[str, str]) -> tuple[Card, ...]:
    """The cards that CUDA_VISIBLE_DEVICES or ASCEND_RT_VISIBLE_DEVICES selects; all if it lists no numbers (but UUIDs)."""
    named = environment.get(VISIBLE_DEVICES.get(machine.platform, ""), "").strip()
    if not re.fullmatch(r"\d+(\s*,\s*\d+)*", named):
        return machine.cards
    numbers = [int(part) for part in named.split(",")]
    return tuple(card for number in numbers for card in machine.cards if card.number == number)


_NVIDIA = ("--query-gpu=index,name,memory.total,memory.free,driver_version", "--format=csv,noheader,nounits")


def _nvidia(text: str) -> Machine | None:
    """The machine in the rows of `nvidia-smi --query-gpu=…`: memory in MiB, or [N/A] for a card that shares main memory."""
    cards: list[Card] = []
    driver = ""
    for line in text.splitlines():
        parts = [part.strip() for part in line.split(",")]
        if len(parts) == 5 and parts[0].isdigit():
            total, free = (int(part) * MIB if part.isdigit() else 0 for part in parts[2:4])
            cards.append(Card(int(parts[0]), parts[1], total, free))
            driver = parts[4]
    return Machine("cuda", tuple(cards), driver) if cards else None


def _ascend(text: str) -> Machine | None:
    """The machine in the table of `npu-smi info`: two lines per chip; memory in MB is the last `used / total` of the second."""
    version = re.search(r"npu-smi\s+(\S+)", text)
    cards: list[Card] = []
    name = ""
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if len(cells) < 3:
            name = ""
            continue
        if re.fullmatch(r"[0-9A-Fa-f]{4}:[0-9A-Fa-f]{2}:[0-9A-Fa-f]{2}\.\d", cells[1]):
            pairs = [(int(used), int(whole)) for used, whole in re.findall(r"(\d+)\s*/\s*(\d+)", cells[2])]
            used, whole = pairs[-1] if pairs else (0, 0)
            cards.append(Card(len(cards), name or "NPU", whole * MIB, max(0, whole - used) * MIB))
        else:
            words = cells[0].split()
            name = words[1] if len(words) > 1 and words[0].isdigit() else name
    if not cards:
        return None
    platform: Platform = "ascend-310p" if cards[0].name.startswith("310P") else "ascend"
    return Machine(platform, tuple(cards), version.group(1) if version else "")


def _memory() -> int:
    """Main memory in bytes; 0 if the system does not say."""
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (ValueError, OSError):
        return 0
