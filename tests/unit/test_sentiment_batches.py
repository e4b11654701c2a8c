"""How posts are put together for the network."""

from hypothesis import given
from hypothesis import strategies as st

from crisisdesk.sentiment.transformer import batches


@given(st.lists(st.integers(2, 64), max_size=200), st.integers(1, 300))
def test_every_post_once_with_its_equals_within_the_budget_and_the_longest_first(
    lengths: list[int], budget: int
) -> None:
    found = list(batches(lengths, budget))
    assert sorted(index for batch in found for index in batch) == list(range(len(lengths)))
    assert [len({lengths[i] for i in batch}) for batch in found] == [1] * len(found)
    assert all(len(batch) == 1 or sum(lengths[i] for i in batch) <= budget for batch in found)
    firsts = [lengths[batch[0]] for batch in found]
    assert firsts == sorted(firsts, reverse=True)


def test_a_batch_is_filled_before_the_next_begins() -> None:
    assert [len(batch) for batch in batches([10] * 7, 30)] == [3, 3, 1]
