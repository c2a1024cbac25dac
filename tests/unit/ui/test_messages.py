"""The Chinese catalogue of the page: it has every reason why a file is not read, and nothing that is not said any more."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path

from rag.answers.fitting import BOUNDED, NO_CONTEXT
from rag.search.candidates import STRESSED, UNQUOTED

TOP = Path(__file__).parents[3]
CATALOGUE: dict[str, str] = json.loads((TOP / "ui/static/messages-zh.json").read_text("utf-8"))
REASONS = ("UnreadableDocument", "Ignored", "Inaccessible")
SAMPLE = "7"  # what stands at a gap


def template(node: ast.expr) -> str | None:
    """A string of the source with `{}` for what is filled in; None for anything else."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else None
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)
    return None


def strings() -> Iterator[tuple[str, bool]]:
    """Every string of the package, and whether it is the reason of a file that is not read."""
    for file in (TOP / "rag").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            found = template(node) if isinstance(node, ast.expr) else None
            if found is not None:
                yield found, False
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in REASONS:
                given = [one for arg in node.args for one in ([arg.body, arg.orelse] if isinstance(arg, ast.IfExp) else [arg])]
                yield from ((one, True) for arg in given if (one := template(arg)) and " " in one)


def refusals(file: Path) -> Iterator[str]:
    """What a module says where it refuses: the words and the remedy of every error that it raises."""
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
            given = [*node.exc.args, *(one.value for one in node.exc.keywords if one.arg in ("what", "remedy"))]
            both = [each for one in given for each in ([one.body, one.orelse] if isinstance(one, ast.IfExp) else [one])]
            yield from (one for each in both if (one := template(each)) and " " in one)


def in_chinese(text: str) -> str:
    """As `frontend/src/said.ts` does it."""
    for english in sorted(CATALOGUE, key=lambda one: -len(one.replace("{}", ""))):
        if found := re.fullmatch("(.+?)".join(map(re.escape, english.split("{}"))), text, re.DOTALL):
            words = CATALOGUE[english]
            for at, part in enumerate(found.groups(), start=1):
                words = words.replace(f"{{{at}}}", in_chinese(part))
            return words
    return text


def test_every_reason_why_a_file_is_not_read_is_in_chinese() -> None:
    reasons = {reason.replace("{}", SAMPLE) for reason, is_reason in strings() if is_reason and reason != "{} {}"}
    assert len(reasons) > 80
    left = {reason for reason in reasons if re.search("[A-Za-z]{3,} [a-z]{3,} [a-z]{2,}", in_chinese(reason))}
    assert left == set()


def test_what_the_page_is_refused_with_is_in_chinese() -> None:
    """Every error of searching, asking, media and the routes that the page calls."""
    files = [*(TOP / "rag/search").glob("*.py"), *(TOP / "rag/media").glob("*.py")]
    files += [TOP / f"rag/answers/{name}.py" for name in ("ask", "answering", "chat", "fitting")]
    files += [TOP / f"rag/api/{name}.py" for name in ("allowed_folders", "ask", "cursor", "desktop", "indexes", "jobs", "search")]
    files += [TOP / f"rag/api/{name}.py" for name in ("thread_pool", "uploaded_files")]
    said = {words for file in files for words in refusals(file)}
    assert len(said) > 60
    assert {words for words in said if not is_chinese(words)} == {"{} {}"}  # a name and a reason, which is in Chinese


def test_how_a_score_came_about_and_notes_are_in_chinese() -> None:
    told = [
        "rerank_score",
        "0.70 rerank_score + 0.30 fused, less 12%: it is like what is not wanted",
        "fused, leads: it holds the identifier as it is asked for",
        "fused, leads: the query is the file's name",
        "fused, below what the query names",
        "fused, boosted: the query asks for a photo",
        "rerank_score, boosted: the query is the file's name; vector: the mean of 2 pictures",
        "rerank_score, the mean of 3 pictures; vector: 3 pictures read as one input by half",
        "rerank_score; held up, because the full text matched",
        "rerank_score, from its text: this reranker is text-only, halved: two results before it say the same",
        "fused, which knew that this is a photo, as the query asks",
        "its lexical score alone: it came after the candidates that were ranked",
        "rank 3 of samples",
        "notes.md has no pages",
        f"3 of 24 candidates kept the score of the first stage: {'the text is too long'}",
        "half was not asked: it cannot be reached; start the server",
        "2 sources left out: judge reads 8,192 tokens",
        STRESSED,
        UNQUOTED,
        NO_CONTEXT,
        BOUNDED,
    ]
    assert [one for one in told if not is_chinese(one)] == []
    assert in_chinese(told[1]) == "0.70 × 重排分数 + 0.30 × 融合分数，降低 12%：与不想要的内容相似"


def is_chinese(english: str) -> bool:
    return re.search("[\u4e00-\u9fff]", in_chinese(english.replace("{}", SAMPLE))) is not None


def test_no_message_is_there_that_is_not_said_any_more() -> None:
    said = "\n".join(text for text, _ in strings())
    for english in CATALOGUE:
        longest = max(re.split(r"[{}]+|`|; ", english), key=len).strip()
        assert longest in said, english


def test_both_have_the_same_gaps() -> None:
    for english, chinese in CATALOGUE.items():
        assert {str(at + 1) for at in range(english.count("{}"))} == set(re.findall(r"\{(\d)\}", chinese)), english
