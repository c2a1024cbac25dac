"""The lite embedder: what it finds, the shares of its blocks, and that it is the same everywhere."""

import hashlib
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from rag.backends.lite import embedder as lite
from rag.backends.lite.embedder import ATTRIBUTES, DIM, FILLER, TEXT, VISUAL, LiteEmbedder
from rag.backends.lite.subprocess import LiteSubprocess
from rag.types import Content

PAGE = Path(__file__).parents[4] / "docs" / "lite.md"
PASSAGES = [
    "Please find attached the invoice for the repair of the crane. Payment is due within thirty days.",
    "The ferry runs every hour in summer and twice a day in winter.",
    "She was running along the beach before the storm reached the harbour.",
    "To reset the router, hold the small button at the back for ten seconds.",
    "Bread needs flour, water, salt, yeast and patience.",
    "The museum opens at nine; children under twelve enter free of charge.",
    "机器学习是人工智能的一个分支,研究计算机怎样从数据中学习。",
    "港口的吊车每年春天检查一次,维修计划贴在办公室门口。",
    "明天下午三点在会议室讨论明年的预算。",
    "北京的秋天天气凉爽,公园里的树叶变成了金黄色。",
]  # fmt: skip


def text(words):
    return Content("text", text=words)


def painted(*colour, size=(40, 60)):
    return (np.full((*size, 3), colour, np.uint8),)


@pytest.fixture(scope="module")
def embedder():
    return LiteEmbedder()


@pytest.fixture(scope="module")
def passages(embedder):
    return embedder.embed([text(passage) for passage in PASSAGES], role="document")


def scores(embedder, query, documents):
    return documents @ embedder.embed([query], role="query")[0]


@pytest.mark.parametrize(
    ("query", "passage"),
    [
        ("recieve invioce", 0), ("invoices", 0), ("crane repairs", 0), ("paying the bill within 30 days", 0),
        ("ferries in winter", 1),
        ("run on the beach", 2), ("harbor storm", 2), ("runner beaches", 2), ("reseting a ruoter", 3), ("flour and yeast", 4),
        ("museum opening", 5), ("admission for a child at the museum", 5), ("机器学习", 6), ("人工智能", 6), ("数据", 6),
        ("吊车", 7),
        ("维修计划", 7), ("预算", 8), ("会议", 8), ("秋天的公园", 9), ("天气", 9),
    ],
)  # fmt: skip
def test_a_query_finds_its_passage(embedder, passages, query, passage):
    assert scores(embedder, text(query), passages).argmax() == passage


def test_the_same_words_score_the_same_as_text_and_as_caption(embedder):
    words = "A red crane in the harbour at dusk"
    same = embedder.embed(
        [
            text(words),
            Content("image", pixels=painted(200, 20, 20), clues=words),
            Content("video", pixels=painted(0, 0, 0) * 3, clues=words),
            Content("image", clues=words),
        ],
        role="document",
    )
    for query in ("crane in the harbour", "harbor cranes", "invoice", "crane crane dusk 2024"):
        assert np.ptp(scores(embedder, text(query), same)) < 1e-6


def test_documents_have_the_documented_shares(embedder):
    rows = re.findall(
        r"^\| (text|attributes|visual|filler) \| (\d+) \| (\d+) \| (\d+) \| ([\d.]+|the rest) \|$", PAGE.read_text(), re.M
    )
    blocks = {"text": TEXT, "attributes": ATTRIBUTES, "visual": VISUAL, "filler": slice(FILLER, DIM)}
    shares = {"text": lite.DOCUMENT_TEXT, "attributes": lite.DOCUMENT_ATTRIBUTES, "visual": lite.DOCUMENT_VISUAL}
    full = Content("image", text=" ".join(PASSAGES[:6]), pixels=painted(10, 120, 200), clues="a long caption")
    vector = embedder.embed([full], role="document")[0]
    assert [name for name, *_ in rows] == list(blocks)
    for name, dimensions, first, last, share in rows:
        assert (blocks[name].start, blocks[name].stop) == (int(first), int(last) + 1)
        assert int(dimensions) == blocks[name].stop - blocks[name].start
        if name != "filler":
            assert float(share) == shares[name]
            assert float(vector[blocks[name]] @ vector[blocks[name]]) == pytest.approx(float(share), abs=1e-5)
    assert embedder.fingerprint.dim == DIM == 1280
    assert float(vector[FILLER]) == pytest.approx(0, abs=0.01)


def test_queries_have_the_documented_shares(embedder):
    rows = dict(re.findall(r"^\| (picture.*?) \| (0\.\d+ \| 0\.\d+ \| 0\.\d+) \|$", PAGE.read_text(), re.M))
    picture = painted(10, 120, 200)
    queries = [
        Content("image", pixels=picture, clues="regatta on saturday"),
        Content("image", text="regatta", pixels=picture),
        text("invoice"),
        text("blue picture"),
    ]
    found = []
    for vector in embedder.embed(queries, role="query"):
        found.append([round(float(vector[block] @ vector[block]), 3) for block in (TEXT, ATTRIBUTES, VISUAL)])
        assert vector[FILLER] == 0
    said = [[float(share) for share in row.split(" | ")] for row in rows.values()]
    assert found[:2] == said == [list(lite.PICTURE_ALONE), list(lite.PICTURE_AND_WORDS)]
    assert found[2:] == [[1, 0, 0], [0.4, 0.6, 0]]


def test_an_empty_document_is_all_filler_and_an_empty_query_its_opposite(embedder):
    empty = embedder.embed([Content("text")], role="document")[0]
    assert empty[FILLER] == 1
    assert scores(embedder, text(" …! "), empty[None])[0] == -1


@pytest.mark.parametrize(
    ("query", "best"), [("red car", 0), ("a dark blue picture", 1), ("绿色的图片", 2), ("蓝色", 1), ("white", 3)]
)
def test_a_colour_finds_its_picture(embedder, query, best):
    road = painted(90, 90, 95)[0].copy()
    road[15:35, 10:50] = (205, 25, 25)
    pictures = [(road,), painted(10, 15, 90), painted(40, 150, 50), painted(250, 250, 250), painted(120, 120, 120)]
    documents = embedder.embed([Content("image", pixels=each) for each in pictures], role="document")
    assert scores(embedder, text(query), documents).argmax() == best


def test_words_still_decide_if_a_colour_is_named_beside_them(embedder):
    documents = embedder.embed(
        [text("The green energy policy of the harbour council."), Content("image", pixels=painted(40, 150, 50))], role="document"
    )
    assert scores(embedder, text("green energy policy"), documents).argmax() == 0


def test_a_picture_and_words_together(embedder):
    blue, red = painted(20, 40, 200), painted(200, 30, 30)
    documents = embedder.embed(
        [
            Content("image", pixels=blue, clues="a boat"),
            Content("image", pixels=red, clues="a boat"),
            Content("image", pixels=blue),
        ],
        role="document",
    )
    assert scores(embedder, Content("image", text="boat", pixels=blue), documents).argsort()[::-1].tolist() == [0, 2, 1]
    assert scores(embedder, Content("image", pixels=red), documents).argmax() == 1


def test_a_long_text_and_many_texts_do_not_fill_its_memory(embedder):
    long = " ".join(f"word{number}" for number in range(40_000))
    vectors = embedder.embed([text(long), text("word17"), text("boat")], role="document")
    assert np.isfinite(vectors).all()
    assert len(embedder._text._table.rows) > 32_768
    np.testing.assert_array_equal(embedder.embed([text("word17"), text("boat")], role="document"), vectors[1:])
    assert len(embedder._text._table.rows) < 100


PROGRAM = """
import numpy as np
from rag.backends.lite.embedder import LiteEmbedder
from rag.types import Content
contents = [Content("text", text="Recieve the e-mail of 2024-03-05 港口的吊车 GitHub"),
            Content("image", pixels=(np.arange(3600, dtype=np.uint32).reshape(30, 40, 3).astype(np.uint8),), clues="red boats")]
rows = np.concatenate([LiteEmbedder().embed(contents, role=role) for role in ("query", "document")])
print(np.round(rows, 5).tolist())
"""


def test_vectors_do_not_depend_on_the_hash_seed():
    said = {
        hashlib.sha256(
            subprocess.run(
                [sys.executable, "-c", PROGRAM], env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, check=True
            ).stdout
        ).hexdigest()
        for seed in ("1", "2")
    }
    assert len(said) == 1


def test_it_imports_no_heavy_library():
    modules = "rag.backends.lite.embedder, rag.backends.lite.reranker"
    program = f"import sys, {modules}; print({{'PIL', 'scipy', 'faiss', 'cv2'}} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout == "set()\n"


def test_the_subprocess_gives_the_same_vectors_to_the_last_bit():
    embedder = LiteEmbedder()
    side = LiteSubprocess(embedder)
    contents = [Content("text", text=f"Vessel {n} of 航运公司 left berth {n * 7} on 2024-03-{n % 27 + 1:02}") for n in range(300)]
    contents += [Content("text", text="", clues="a photo of gulls"), Content("text", text="\udcff\x00 <|im_end|>")]
    deadline = time.monotonic() + 60
    while not side.is_ready() and time.monotonic() < deadline:
        time.sleep(0.01)
    vectors = side.embed(contents, role="document")
    assert side.is_ready()
    np.testing.assert_array_equal(vectors, embedder.embed(contents, role="document"))
    side.close()
    np.testing.assert_array_equal(side.embed(contents[:3], role="document"), vectors[:3])  # now embedded in this process
    assert not side.is_ready()
