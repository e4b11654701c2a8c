"""Posts in other languages are counted by the minute, for as long as evidence reaches back, and survive a restart."""

import orjson

from crisisdesk.detect.apart import REMEMBERED, Apart


def test_languages_of_a_stretch_most_posts_first():
    apart = Apart()
    for minute, language in ((10, "fr"), (10, "es"), (11, "fr"), (12, "pt"), (13, "fr")):
        apart.add(minute, language)
    assert apart.between(10, 12) == (("fr", 2), ("es", 1), ("pt", 1))
    assert apart.between(14, 99) == ()
    assert apart.between(10.5, 12.9) == (("fr", 1), ("pt", 1))


def test_order_of_arrival_does_not_matter():
    apart, late = Apart(), Apart()
    for minute in range(100):
        apart.add(minute, "fr")
        late.add(99 - minute, "fr")
    assert apart.between(20, 60) == late.between(20, 60) == (("fr", 41),)


def test_memory_is_bounded_and_forgets_only_what_no_evidence_shows():
    apart = Apart()
    for minute in range(20 * REMEMBERED):
        apart.add(minute, "fr")
    now = 20 * REMEMBERED - 1
    assert apart.between(now - REMEMBERED + 1, now) == (("fr", REMEMBERED),)
    assert len(apart.state()) <= 2 * REMEMBERED


def test_a_restart_forgets_nothing():
    apart = Apart()
    for minute in (3, 3, 9):
        apart.add(minute, "fr")
    apart.add(9, "es")
    again = Apart()
    again.restore(orjson.loads(orjson.dumps(apart.state())))
    assert again.between(0, 10) == apart.between(0, 10) == (("fr", 3), ("es", 1))
