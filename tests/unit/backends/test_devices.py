"""Accelerators are read from their vendors' tools, which may be missing, fail or hang."""

from __future__ import annotations

from pathlib import Path

import pytest

import rag.backends.devices
from rag.backends.devices import Card, Machine, look, visible

MIB = 1 << 20
NPU_910 = """\
+------------------------------------------------------------------------------------------------+
| npu-smi 24.1.rc3                 Version: 24.1.rc3                                             |
+---------------------------+---------------+----------------------------------------------------+
| NPU   Name                | Health        | Power(W)    Temp(C)           Hugepages-Usage(page)|
| Chip                      | Bus-Id        | AICore(%)   Memory-Usage(MB)  HBM-Usage(MB)        |
+===========================+===============+====================================================+
| 0     910B3               | OK            | 98.7        38                0    / 0             |
| 0                         | 0000:C1:00.0  | 0           0    / 0          3392 / 65536         |
+===========================+===============+====================================================+
| 1     910B3               | OK            | 95.1        37                0    / 0             |
| 0                         | 0000:01:00.0  | 0           0    / 0          60000/ 65536         |
+===========================+===============+====================================================+
+---------------------------+---------------+----------------------------------------------------+
| NPU     Chip              | Process id    | Process name             | Process memory(MB)      |
+===========================+===============+====================================================+
| 1       0                 | 4242          | python3                  | 56608                   |
+===========================+===============+====================================================+
"""
NPU_310P = """\
+--------------------------------------------------------------------------------------------------------+
| npu-smi 23.0.0                                   Version: 23.0.0                                       |
+-------------------------------+-----------------+------------------------------------------------------+
| NPU     Name                  | Health          | Power(W)     Temp(C)           Hugepages-Usage(page) |
| Chip    Device                | Bus-Id          | AICore(%)    Memory-Usage(MB)                        |
+===============================+=================+======================================================+
| 1       310P3                 | OK              | NA           44                0     / 0             |
| 0       0                     | 0000:01:00.0    | 0            1369 / 44280                            |
+-------------------------------+-----------------+------------------------------------------------------+
| 1       310P3                 | OK              | NA           43                0     / 0             |
| 1       1                     | 0000:01:00.0    | 0            1186 / 43693                            |
+===============================+=================+======================================================+
"""
NVIDIA = "0, NVIDIA H200, 143771, 143155, 570.86.15\n1, NVIDIA GB10, [N/A], [N/A], 570.86.15\n"


@pytest.fixture
def tool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Installs a shell script under the name of a vendor's tool, as the only program on PATH beside the shell."""
    monkeypatch.setenv("PATH", str(tmp_path))

    def put(name: str, body: str) -> None:
        (tmp_path / name).write_text(f"#!/bin/sh\n{body}\n")
        (tmp_path / name).chmod(0o755)

    return put


def printing(text: str) -> str:
    return f"/bin/cat <<'END'\n{text}END"


def test_nvidia_cards(tool) -> None:
    tool("nvidia-smi", printing(NVIDIA))
    assert look() == Machine(
        "cuda",
        (Card(0, "NVIDIA H200", 143771 * MIB, 143155 * MIB), Card(1, "NVIDIA GB10", 0, 0)),
        "570.86.15",
    )


def test_ascend_cards_with_their_own_memory(tool) -> None:
    tool("npu-smi", printing(NPU_910))
    assert look() == Machine(
        "ascend",
        (Card(0, "910B3", 65536 * MIB, (65536 - 3392) * MIB), Card(1, "910B3", 65536 * MIB, 5536 * MIB)),
        "24.1.rc3",
    )


def test_an_atlas_300i_duo_has_two_chips_and_is_its_own_platform(tool) -> None:
    tool("npu-smi", printing(NPU_310P))
    machine = look()
    assert (machine.platform, machine.driver) == ("ascend-310p", "23.0.0")
    assert machine.cards == (Card(0, "310P3", 44280 * MIB, 42911 * MIB), Card(1, "310P3", 43693 * MIB, 42507 * MIB))


def test_without_a_tool_there_is_the_processor(tool) -> None:
    machine = look()
    assert (machine.platform, machine.remark, machine.cards[0].name) == ("cpu", "", "main memory")
    assert machine.cards[0].total > 1 << 30


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("echo 'NVIDIA-SMI has failed: driver/library version mismatch' >&2; exit 18", "(exit 18): NVIDIA-SMI has failed"),
        ("echo 'No devices were found'", "(exit 0): No devices were found"),
        ("exit 9", "(exit 9): no output"),
    ],
)
def test_a_failing_tool_is_named_in_the_remark(tool, body: str, said: str) -> None:
    tool("nvidia-smi", body)
    machine = look()
    assert machine.platform == "cpu"
    assert said in machine.remark


def test_a_hanging_tool_is_given_up(tool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rag.backends.devices, "TOOL_SECONDS", 0.2)
    tool("nvidia-smi", "exec /bin/sleep 30")
    assert "did not answer" in look().remark


def test_a_broken_nvidia_tool_does_not_hide_an_npu(tool) -> None:
    tool("nvidia-smi", "exit 9")
    tool("npu-smi", printing(NPU_910))
    assert look().platform == "ascend"


@pytest.mark.parametrize(
    ("value", "numbers"), [("", [0, 1, 2]), ("2,0", [2, 0]), ("1", [1]), ("GPU-8f2e", [0, 1, 2]), ("7", []), (" 1 , 2 ", [1, 2])]
)
def test_the_environment_selects_cards(value: str, numbers: list[int]) -> None:
    machine = Machine("cuda", tuple(Card(number, "", 1, 1) for number in range(3)))
    assert [card.number for card in visible(machine, {"CUDA_VISIBLE_DEVICES": value})] == numbers
    assert len(visible(machine, {"ASCEND_RT_VISIBLE_DEVICES": "0"})) == 3
