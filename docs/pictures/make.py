"""Makes the pictures of the README from real output: a command run on a terminal, drawn by rich, photographed by Chromium.

Run it from the top of the repository after `make demo`: `.venv/bin/python docs/pictures/make.py`.
Knows nothing of rag but its commands.
"""

from __future__ import annotations

import io
import os
import pty
import re
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.text import Text

COLUMNS = 118
SHOTS = {
    "query.png": [
        'rag query "raise the alarm" --index samples -k 3',
        'rag query "disk almost full" --index samples -k 1',
        'rag query "broken fender insurance" --index samples -k 2',
        "rag query --image samples/query_pictures/evening.jpg --index samples -k 2",
    ],
    "explain.png": ['rag query "crane without power" --index samples -k 2 --explain', "rag status --index samples"],
}


def run_on_terminal(command: str) -> str:
    """What the command prints on a terminal, with its colours."""
    words = [str(Path(sys.executable).with_name("rag")), *shlex.split(command)[1:]]
    parent, child = pty.openpty()
    environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": str(COLUMNS)}
    running = subprocess.Popen(words, stdout=child, stderr=child, env=environment)
    os.close(child)
    printed = bytearray()
    while True:
        try:
            block = os.read(parent, 65536)
        except OSError:
            break
        if not block:
            break
        printed += block
    running.wait()
    os.close(parent)
    text = printed.decode().replace("\r\n", "\n")
    return re.sub(r"\x1b\]8;[^\x1b]*\x1b\\", "", text)


def draw(commands: list[str]) -> str:
    """The commands and their output as SVG."""
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True)
    for command in commands:
        console.print(Text(f"$ {command}", style="bold green"))
        console.print(Text.from_ansi(run_on_terminal(command).replace(str(Path.cwd()), "~/skarvoy")), soft_wrap=False)
    return re.sub(r"@font-face \{.*?\}", "", console.export_svg(title="rag"), flags=re.DOTALL)


def photograph(svg: str, target: Path) -> None:
    """SVG to PNG by Chromium."""
    width, height = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', svg).groups()  # type: ignore[union-attr]
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder, "page.html")
        fonts = "svg text { font-family: 'DejaVu Sans Mono', 'Noto Sans Mono CJK SC', monospace !important; }"
        page.write_text(f"<meta charset=utf-8><style>body {{ margin: 0 }} {fonts}</style>{svg}", "utf-8")
        flags = ["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--disable-background-networking"]
        size = f"--window-size={round(float(width))},{round(float(height)) + 1}"
        subprocess.run(["chromium", *flags, size, f"--screenshot={target}", page.as_uri()], check=True, stderr=subprocess.DEVNULL)


if __name__ == "__main__":
    for name, shown in SHOTS.items():
        photograph(draw(shown), Path(__file__).with_name(name).absolute())
