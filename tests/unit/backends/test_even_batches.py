"""Batches are bounded in number and weight, keep their order, and are about equally long."""

from rag.backends.even_batches import even_batches


def lengths(count: int, most: int) -> list[int]:
    return [len(batch) for batch in even_batches(range(count), most, lambda _: 1, 1_000)]


def test_batches_are_about_equally_long():
    assert lengths(40, 32) == [20, 20]
    assert lengths(33, 16) == [11, 11, 11]
    assert lengths(3, 32) == [3]


def test_a_batch_is_bounded_in_number_and_weight():
    assert even_batches([5, 5, 50, 3, 3, 3, 3], 4, lambda size: size, 20) == [[5, 5], [50], [3, 3, 3, 3]]
    assert even_batches([5, 5, 20, 1, 1, 1], 4, lambda size: size, 10) == [[5, 5], [20], [1, 1, 1]]


def test_no_items_give_no_batches():
    assert even_batches([], 4, len, 10) == []
