"""How far each source has come, and which mentions are known."""

from hypothesis import given
from hypothesis import strategies as st

from crisisdesk.engine import progress as progress_module
from crisisdesk.engine.progress import Progress
from crisisdesk.records import SourceStatus
from crisisdesk.sources.base import Edge


class Network:
    """A source that is where it is told to be."""

    pushes = resumes = True

    def __init__(self, name: str, cursor: str | None = None) -> None:
        self.name = name
        self.cursor = cursor

    def resume(self, cursor: str) -> None: ...

    def status(self) -> SourceStatus:
        return SourceStatus(self.name)

    async def run(self, edge: Edge) -> None: ...


def test_a_source_goes_on_before_the_oldest_mention_that_is_under_way():
    network, other, progress = Network("a"), Network("b", "9"), Progress()
    for number in range(5):
        network.cursor = str(number)
        progress.begin("a", f"a:{number}", network.cursor)
    network.cursor = "5"
    assert progress.reached([network, other]).cursors == {"a": "0", "b": "9"}
    progress.end("a:0")
    progress.end("a:2")  # dropped
    assert progress.reached([network]).cursors == {"a": "1"}
    for number in (1, 3, 4):
        progress.end(f"a:{number}")
    assert not progress
    assert progress.reached([network]).cursors == {"a": "5"}


def test_what_has_gone_through_is_told_once_and_again_where_it_was_not_written_down():
    progress = Progress()
    for key in ("a:1", "a:2"):
        progress.begin("a", key, "0")
        progress.end(key)
    reached = progress.reached([])
    assert (len(reached.gone_through), progress.reached([]).gone_through) == (2, ())
    progress.give_back(reached)
    progress.begin("a", "a:3", "2")
    progress.end("a:3")
    again = progress.reached([]).gone_through
    assert again[:2] == reached.gone_through
    assert len(again) == 3


def test_what_was_written_down_is_known_after_a_restart_and_what_was_not_is_new():
    before, after = Progress(), Progress()
    before.begin("a", "a:1", "0")
    before.begin("a", "a:2", "1")
    before.end("a:1")
    after.restore(before.reached([]).gone_through)
    assert after.knows("a:1")
    assert not after.knows("a:2")
    assert not after.is_under_way("a:1")


def test_what_came_before_a_source_knew_where_it_was_has_no_way_back():
    progress = Progress()
    progress.begin("a", "a:1", None)
    progress.begin("a", "a:2", "1")
    assert progress.homeless("a") == 1
    assert progress.homeless("b") == 0
    assert progress.reached([Network("a", "7")]).cursors == {}  # what was kept before is no worse


def test_memory_is_bounded_and_the_newest_are_known(monkeypatch):
    monkeypatch.setattr(progress_module, "KNOWN", 100)
    progress = Progress()
    for number in range(1_000):
        progress.begin("a", f"a:{number}", "0")
        progress.end(f"a:{number}")
    known = [number for number in range(1_000) if progress.knows(f"a:{number}")]
    assert 50 <= len(known) <= 100
    assert known == list(range(1_000 - len(known), 1_000))
    progress.give_back(progress.reached([]))
    assert progress.unwritten <= 1_000


@given(st.data())
def test_from_any_moment_on_every_mention_that_was_not_counted_comes_again(data):
    """A source hands over 20 posts; the desk is cut off anywhere; the cursor it had written down misses none."""
    network, progress, counted, under_way = Network("a", "0"), Progress(), [], []
    for number in range(20):
        progress.begin("a", f"a:{number}", network.cursor)
        under_way.append(number)
        network.cursor = str(number + 1)
        for _ in range(data.draw(st.integers(0, len(under_way)))):
            counted.append(under_way.pop(0))
            progress.end(f"a:{counted[-1]}")
    cursor = int(progress.reached([network]).cursors["a"])
    assert sorted({*counted, *range(cursor, 20)}) == list(range(20))
    assert all(number < cursor for number in counted)
