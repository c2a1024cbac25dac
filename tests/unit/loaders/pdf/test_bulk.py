"""What pdfium is asked all at once is what it answers one by one."""

from __future__ import annotations

import numpy as np
import pypdfium2 as pdfium
from pypdfium2 import raw

from rag.loaders.pdf import bulk
from tests.unit.loaders.pdf.test_pdf import drawn, pdf

PAGE = pdf([(12, "Wide words, high tide."), (30, "Ébb & flow")], paint=b"5 5 100 200 re f\n" + drawn((60, 500, "aside")))


def test_places_are_those_of_each_character_and_run() -> None:
    layer = pdfium.PdfDocument(PAGE)[0].get_textpage()
    count = layer.count_chars()
    loose = [layer.get_charbox(number, loose=True) for number in range(count)]
    np.testing.assert_allclose(bulk.cells(layer, count), loose, rtol=1e-6)
    np.testing.assert_allclose(
        bulk.boxes(layer, range(0, count, 2)), [layer.get_charbox(number) for number in range(0, count, 2)]
    )
    runs = bulk.rectangles(layer, 100)
    np.testing.assert_allclose(runs, [layer.get_rect(number) for number in range(layer.count_rects())])
    assert bulk.rectangles(layer, 1).shape == (1, 4)
    assert "".join(bulk.characters(layer, count)) == layer.get_text_range()


def test_objects_have_their_kinds() -> None:
    page = pdfium.PdfDocument(PAGE)[0]
    found = bulk.objects(page, 100)
    assert [kind for _, kind in found] == [one.type for one in page.get_objects()]
    assert raw.FPDFPath_CountSegments(bulk.handle_of(found[0][0])) == 5
    assert len(bulk.objects(page, 2)) == 2
