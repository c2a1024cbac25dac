"""Reads what stands on a page beside its text layer: notes of readers, comments, values of form fields.

Knows pdfium's annotations; knows no pixels. Called under the lock of `pdf.py`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from ctypes import POINTER, byref, cast
from dataclasses import dataclass
from typing import Any

import pypdfium2 as pdfium
from pypdfium2 import raw

_MOST = 2_000  # annotations of a page
_MOST_BYTES = 40_000  # of one text
_MOST_CHARACTERS = 100_000  # of all of a page
_MOST_OPTIONS = 500  # of a list
_PASSWORD = 1 << 13  # field flag: what is typed is shown as stars
_SILENT = frozenset({raw.FPDF_ANNOT_POPUP, raw.FPDF_ANNOT_PRINTERMARK, raw.FPDF_ANNOT_TRAPNET})  # say what others say, or nothing
_DRAWN = frozenset({raw.FPDF_ANNOT_WIDGET, raw.FPDF_ANNOT_FREETEXT})  # the page shows their words
_STAMPS = _DRAWN | {raw.FPDF_ANNOT_STAMP, raw.FPDF_ANNOT_WATERMARK}
_TYPED = frozenset({raw.FPDF_FORMFIELD_TEXTFIELD, raw.FPDF_FORMFIELD_COMBOBOX})
_TICKED = frozenset({raw.FPDF_FORMFIELD_CHECKBOX, raw.FPDF_FORMFIELD_RADIOBUTTON})
_MEANINGLESS = re.compile(r"(?i)on|off|yes|\W*\w{0,2}\W*|\d+")  # values of ticked boxes that say no more than the tick
_TAG = re.compile(r"<[^<>]{0,2000}>")


@dataclass(frozen=True, slots=True)
class Note:
    """The words of one annotation, and where they are drawn: left, bottom, right and top in points; () where they are not."""

    words: str
    place: tuple[float, ...] = ()


def notes(pdf: pdfium.PdfDocument, page: pdfium.PdfPage) -> list[Note]:
    """What the annotations of a page say, in their order; the name of a writer stands before the first note of theirs."""
    found: list[Note] = []
    seen: set[str] = set()
    room = _MOST_CHARACTERS
    for _, annotation in _annotations(page):
        note = _note(pdf, annotation, seen)
        if note is not None and room > 0:
            found.append(note)
            room -= len(note.words)
    return found


def drawn_places(pdf: pdfium.PdfDocument, page: pdfium.PdfPage) -> list[tuple[float, ...]]:
    """Where the page shows the words of its `notes`: left, bottom, right and top in points."""
    seen = (_note(pdf, annotation, set()) for kind, annotation in _annotations(page) if kind in _DRAWN)
    return [note.place for note in seen if note is not None and note.place]


def stamped_places(page: pdfium.PdfPage) -> list[tuple[float, ...]]:
    """Where annotations draw on the page what its text layer does not hold."""
    return [place for kind, annotation in _annotations(page) if kind in _STAMPS and (place := _place(annotation))]


def attached_files(page: pdfium.PdfPage) -> list[Any]:
    """The files that are attached at places of the page, as pdfium has them; they last as long as the document is open."""
    found = (raw.FPDFAnnot_GetFileAttachment(one) for kind, one in _annotations(page) if kind == raw.FPDF_ANNOT_FILEATTACHMENT)
    return [attached for attached in found if attached]


def _annotations(page: pdfium.PdfPage) -> Iterator[tuple[int, Any]]:
    """The annotations of a page with their kinds, each closed after its turn."""
    for number in range(min(raw.FPDFPage_GetAnnotCount(page), _MOST)):
        annotation = raw.FPDFPage_GetAnnot(page, number)
        if annotation:
            try:
                yield raw.FPDFAnnot_GetSubtype(annotation), annotation
            finally:
                raw.FPDFPage_CloseAnnot(annotation)


def _note(pdf: pdfium.PdfDocument, annotation: Any, seen: set[str]) -> Note | None:
    kind = raw.FPDFAnnot_GetSubtype(annotation)
    if kind in _SILENT or raw.FPDFAnnot_GetFlags(annotation) & raw.FPDF_ANNOT_FLAG_HIDDEN:
        return None
    if kind == raw.FPDF_ANNOT_WIDGET:
        said = _value(pdf.formenv, annotation) if pdf.formenv else _key(annotation, b"V")
    elif _key(annotation, b"StateModel"):
        return None  # "Accepted", "Completed": the state of another note
    else:
        said = _key(annotation, b"Contents") or _plain(_key(annotation, b"RC"))
        writer = _key(annotation, b"T") if kind != raw.FPDF_ANNOT_LINK else ""
        if said and writer and writer not in seen:
            seen.add(writer)
            said = f"{writer}: {said}"
    said = said.strip()
    if not said:
        return None
    return Note(said, _place(annotation) if kind in _DRAWN else ())


def _value(form: pdfium.PdfFormEnv, annotation: Any) -> str:
    """What was typed, chosen or ticked; "" for buttons, signatures and passwords."""
    kind = raw.FPDFAnnot_GetFormFieldType(form, annotation)
    if kind in _TYPED and not raw.FPDFAnnot_GetFormFieldFlags(form, annotation) & _PASSWORD:
        typed = _text(lambda buffer, size: raw.FPDFAnnot_GetFormFieldValue(form, annotation, buffer, size))
        return _chosen(form, annotation) or typed if kind == raw.FPDF_FORMFIELD_COMBOBOX else typed
    if kind == raw.FPDF_FORMFIELD_LISTBOX:
        return _chosen(form, annotation)
    if kind in _TICKED and raw.FPDFAnnot_IsChecked(form, annotation):
        ticked = _text(lambda buffer, size: raw.FPDFAnnot_GetFormFieldExportValue(form, annotation, buffer, size))
        return "" if _MEANINGLESS.fullmatch(ticked) else ticked
    return ""


def _chosen(form: pdfium.PdfFormEnv, annotation: Any) -> str:
    """The labels of the chosen options: the value may be a code that nobody sees."""

    def label(number: int) -> str:
        return _text(lambda buffer, size: raw.FPDFAnnot_GetOptionLabel(form, annotation, number, buffer, size))

    count = min(raw.FPDFAnnot_GetOptionCount(form, annotation), _MOST_OPTIONS)
    return "\n".join(label(number) for number in range(count) if raw.FPDFAnnot_IsOptionSelected(form, annotation, number))


def _key(annotation: Any, key: bytes) -> str:
    return _text(lambda buffer, size: raw.FPDFAnnot_GetStringValue(annotation, key, buffer, size))


def _text(ask: Callable[[Any, int], int]) -> str:
    """A text that pdfium writes into a buffer, which it first says the size of in bytes."""
    size = min(ask(None, 0), _MOST_BYTES)
    if size <= 2:
        return ""
    buffer = bytearray(size + size % 2)
    pointer = cast((raw.FPDF_WCHAR * (len(buffer) // 2)).from_buffer(buffer), POINTER(raw.FPDF_WCHAR))
    if ask(pointer, len(buffer)) > len(buffer):
        return ""
    return buffer.decode("utf-16-le", "ignore").rstrip("\x00").replace("\r\n", "\n").replace("\r", "\n")


def _plain(rich: str) -> str:
    """The words of a note that is only there as XHTML."""
    from html import unescape

    return unescape(_TAG.sub(" ", rich.replace("</p>", "\n"))) if rich else ""


def _place(annotation: Any) -> tuple[float, ...]:
    rectangle = raw.FS_RECTF()
    if not raw.FPDFAnnot_GetRect(annotation, byref(rectangle)):
        return ()
    xs, ys = sorted((rectangle.left, rectangle.right)), sorted((rectangle.bottom, rectangle.top))
    return xs[0], ys[0], xs[1], ys[1]
