"""Which indexes share a model, and which number each model has when they are searched as one."""

from dataclasses import replace

import pytest

from rag.errors import EmbedderMismatch, IndexFailure
from rag.index.reader.federated import FederatedIndex
from rag.index.reader.federated_spaces import SpaceNumbers, connected
from rag.index.reader.open_index import open_index
from rag.index.writer.writer import writing
from tests.unit.index_samples import FINGERPRINT, made

A, B, C, D = (replace(FINGERPRINT, model=name) for name in "abcd")


@pytest.mark.parametrize(
    ("models", "groups"),
    [
        ([{A}, {A}], [0, 0]),
        ([{A}, {B}, {A, C}], [0, 1, 0]),
        ([{A}, {B}, {B, A}], [0, 0, 0]),
        ([{A}, {B, C}, {D}, {C, D}], [0, 1, 1, 1]),
    ],
)
def test_indexes_are_connected_through_the_models_they_have(models, groups):
    assert connected(models) == groups


def test_a_number_stays_whatever_parts_come(tmp_path):
    one, two = made(tmp_path / "one", {"a.md": ["a"]}), made(tmp_path / "two", {"b.md": ["b"]})
    with writing(one) as writer:
        writer.spaces.add("b", B, {})
        writer.spaces.add("c", C, {})
        writer.commit()
    with writing(two) as writer:
        writer.spaces.add("c", replace(C, revision="2"), {})
        writer.spaces.add("b", B, {})
        writer.commit()
    with open_index(one) as first, open_index(two) as second:
        together = FederatedIndex([first, second])
        assert [(space.number, space.name) for space in together.spaces()] == [(1, "b"), (2, "c"), (3, "c of two")]
        numbers = SpaceNumbers(FINGERPRINT)
        with first.snapshot() as left, second.snapshot() as right:
            found = numbers.of([left, right])
            assert [found.own(part, space) for part in (0, 1) for space in (0, 1, 2, 3)] == [0, 1, 2, None, 0, 2, None, 1]
            with pytest.raises(IndexFailure):
                found.dim(9)
        with writing(one) as writer:
            writer.spaces.drop(writer.spaces.named("b"))
            writer.commit()
        assert [(space.number, space.name) for space in together.spaces()] == [(1, "b"), (2, "c"), (3, "c of two")]


def test_indexes_without_a_common_model_are_refused(tmp_path):
    one = made(tmp_path / "one", {"a.md": ["a"]})
    two = made(tmp_path / "two", {"b.md": ["b"]})
    with writing(two) as writer:
        writer.spaces.add("b", B, {})
        writer.commit()
    with open_index(one) as first, open_index(two) as second:
        FederatedIndex([first, second])
        first.fingerprint = A
        with pytest.raises(EmbedderMismatch):
            FederatedIndex([first, second])
