"""The share of the words of tests/coverage_set that passages hold, beside free converters on the same files.

Knows how converters are asked; none of them is a dependency. `python -m tests.bench.coverage PYTHON ...` looks for them in the
environments of these interpreters and in its own, and for LibreOffice on the path; what is not there has no column.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from tests.coverage_set.documents import SAMPLES
from tests.coverage_set.measure import held_and_wanted
from tests.coverage_set.reading import passages_text

_OFFICE = frozenset({"docx", "xlsx", "pptx", "odt", "ods", "odp", "fodt", "rtf", "doc", "xls", "ppt"})
_PRINTED = _OFFICE | {"html", "htm", "svg", "csv"}
_SECONDS = 600  # for all files, imports included

# Each program writes, for a folder of files, the version and the texts by name, as JSON; "" is a file it cannot read in 30 s.
_EACH = """
import json, logging, os, signal, sys, warnings
from importlib.metadata import version
logging.disable()
warnings.simplefilter("ignore")
def late(*_):
    raise TimeoutError
signal.signal(signal.SIGALRM, late)
def report(name, convert):
    texts = {}
    for file in sorted(os.listdir(sys.argv[1])):
        signal.alarm(30)
        try:
            texts[file] = convert(os.path.join(sys.argv[1], file))
        except Exception:
            texts[file] = ""
    signal.alarm(0)
    print("\\n" + json.dumps([version(name), texts]))
"""
PROGRAMS = {
    "markitdown": """
from markitdown import MarkItDown
converter = MarkItDown()
report("markitdown", lambda file: converter.convert(file).text_content)
""",
    "docling": """
os.environ["HF_HUB_OFFLINE"] = "1"
from docling.document_converter import DocumentConverter
converter = DocumentConverter()
report("docling", lambda file: converter.convert(file).document.export_to_markdown())
""",
    # a blank model splits sentences in place of the one it would download, which changes the kinds of elements, not their text
    "unstructured": """
import spacy
def load(*_, **__):
    model = spacy.blank("en")
    model.add_pipe("sentencizer")
    return model
spacy.load = load
from unstructured.partition.auto import partition
report("unstructured", lambda file: "\\n".join(map(str, partition(file))))
""",
    "kreuzberg": """
from kreuzberg import extract_file_sync
report("kreuzberg", lambda file: extract_file_sync(file).content)
""",
}


def main(interpreters: list[str]) -> None:
    """Prints the table, as Markdown."""
    with tempfile.TemporaryDirectory() as home:
        folder = Path(home, "set")
        folder.mkdir()
        for sample in SAMPLES:
            (folder / sample.name).write_bytes(sample.make())
        columns = {"this project": {sample.name: passages_text(folder / sample.name) for sample in SAMPLES}}
        for name, program in PROGRAMS.items():
            for python in [*interpreters, sys.executable]:
                if (found := _asked(python, program, folder)) is not None:
                    columns[f"{name} {found[0]}"] = found[1]
                    break
        if shutil.which("soffice"):
            columns["LibreOffice, printed"] = _printed(folder, Path(home))
    for line in table(columns):
        print(line)


def table(columns: Mapping[str, Mapping[str, str]]) -> Iterator[str]:
    """A row for each format and one for all, from the texts of each column by the name of their file."""
    yield f"| format | documents | words | {' | '.join(columns)} |"
    yield f"|---|---|---|{'---|' * len(columns)}"
    for name in [*dict.fromkeys(sample.format for sample in SAMPLES), "all"]:
        samples = [sample for sample in SAMPLES if name in (sample.format, "all")]
        words = sum(held_and_wanted(sample, "")[1] for sample in samples)
        held = [sum(held_and_wanted(one, texts.get(one.name, ""))[0] for one in samples) for texts in columns.values()]
        yield f"| {name} | {len(samples)} | {words} | {' | '.join(f'{one / words:.3f}' for one in held)} |"


def _asked(python: str, program: str, folder: Path) -> tuple[str, dict[str, str]] | None:
    """The version of a converter and what it makes of each file; None where this interpreter has it not."""
    try:
        done = subprocess.run([python, "-c", _EACH + program, str(folder)], capture_output=True, text=True, timeout=_SECONDS)
    except (OSError, subprocess.TimeoutExpired):
        return None
    if done.returncode:
        return None
    version, texts = json.loads(done.stdout.rstrip().rpartition("\n")[2])
    return version, texts


def _printed(folder: Path, home: Path) -> dict[str, str]:
    """The text layers, as pdfium holds them, of the files as LibreOffice prints them."""
    import pypdfium2 as pdfium

    home = home / "printed"
    files = [str(folder / sample.name) for sample in SAMPLES if sample.format in _PRINTED]
    command = [
        "soffice",
        f"-env:UserInstallation=file://{home}/profile",
        "--headless",
        "--convert-to",
        "pdf",
        "--outdir",
        str(home),
    ]
    subprocess.run([*command, *files], capture_output=True, timeout=_SECONDS, check=False)
    found = {}
    for sample in SAMPLES:
        made = home / f"{sample.name.rpartition('.')[0]}.pdf"
        if sample.format in _PRINTED and made.exists():
            with pdfium.PdfDocument(made) as pdf:
                found[sample.name] = "\n".join(page.get_textpage().get_text_bounded() for page in pdf)
    return found


if __name__ == "__main__":
    main(sys.argv[1:])
