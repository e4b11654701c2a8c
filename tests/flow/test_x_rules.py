"""The rules of the X source: kept in step with the watches, tried before they are set; and what they cost."""

import asyncio
import re
from datetime import timedelta

import pytest
from edges import Taken, fails, running, until
from structlog.testing import CapturingLogger
from xs import (
    COUNTS,
    MOTRIN,
    NOW,
    PROBLEMS,
    RULE,
    RULES,
    TOO_MANY,
    Network,
    Pauses,
    frame,
    new,
    play,
    refuse,
    source_of,
    tweet,
)
from yarl import URL

from crisisdesk.app import App, Plan
from crisisdesk.cli.logs import _look
from crisisdesk.clock import ReplayClock, WallClock
from crisisdesk.doctor import heard as heard_by_doctor
from crisisdesk.resources import folder
from crisisdesk.sources.x import rulebook
from crisisdesk.sources.x.rules import Topic

ADVIL = Topic("Advil", ("advil",))
OLD = {"id": "7", "value": "tylenol -is:retweet", "tag": "crisisdesk/acme/Tylenol"}
NEIGHBOUR = {"id": "8", "value": "aspirin", "tag": "crisisdesk/acme2/Aspirin"}
STRANGER = {"id": "9", "value": "cats has:images"}


async def heard(network: Network, *topics: Topic, **options: object):
    """The source after it was connected once."""
    source = source_of(network, *topics, **options)
    async with running(source, Taken()):
        await until(lambda: source.status().state == "live")
        return source.status()


async def test_rules_are_tried_then_added_then_old_ones_removed(network):
    network.rules = [OLD, NEIGHBOUR, STRANGER]
    await heard(network)
    add = {"add": [{"value": RULE, "tag": "crisisdesk/acme/Motrin"}]}
    assert network.changed == [(True, add), (False, add), (False, {"delete": {"ids": ["7"]}})]
    assert [rule["value"] for rule in network.rules] == ["aspirin", "cats has:images", RULE]


async def test_what_is_there_is_left_alone(network):
    network.rules = [{"id": "1", "value": RULE, "tag": "crisisdesk/acme/Motrin"}]
    await heard(network)
    assert network.changed == []


async def test_rules_of_others_are_told_since_they_are_billed(network):
    network.rules = [NEIGHBOUR, STRANGER]
    status = await heard(network)
    assert "What 2 rules of others in this app bring is read and billed besides." in status.note


async def test_two_desks_of_one_app_do_not_fight(network):
    """A rule that both need is there once; who does not need it any more takes away its own only."""
    await heard(network, MOTRIN, ADVIL)
    await heard(network, MOTRIN, desk="other")
    assert len(network.rules) == 2
    await heard(network, ADVIL, desk="other")
    assert [rule["tag"] for rule in network.rules] == ["crisisdesk/acme/Motrin", "crisisdesk/acme/Advil"]
    await heard(network, ADVIL)
    await heard(network, MOTRIN, desk="other")
    assert {rule["tag"] for rule in network.rules} == {"crisisdesk/acme/Advil", "crisisdesk/other/Motrin"}


async def test_a_rule_that_x_writes_otherwise_is_not_taken_away(network):
    """X says that it has the rule already, though it shows it in other letters: so it must stay."""
    own = {"id": "5", "value": RULE.upper(), "tag": "crisisdesk/acme/Motrin"}
    network.rules = [own]
    known = {"value": RULE, "id": "5", "title": "DuplicateRule", "type": f"{PROBLEMS}/duplicate-rules"}
    network.about_rules = [network.show, refuse(400, errors=[known])]
    status = await heard(network)
    assert network.rules == [own]
    assert (status.state, status.trouble) == ("live", "")


async def test_a_term_that_is_refused_is_told_and_all_others_are_heard(network):
    network.invalid = {"$advl"}
    advil = Topic("Advil", ("advil", "$ADVL", "#advilmoms", "headache pill"))
    for _ in range(2):  # the second time all is there as it was left
        network.changed.clear()
        status = await heard(network, MOTRIN, advil)
        values = [rule["value"] for rule in network.rules]
        assert values[0] == RULE
        assert {clause for value in values[1:] for clause in re.findall(r'"[^"]*"|[#@]?\badvil\w*', value)} == {
            "advil", "#advil", "@advil", "#advilmoms", '"headache pill"',
        }  # fmt: skip
        assert not any("$advl" in value for value in values)
        assert status.state == "live"
        assert "X does not take '$advl -is:retweet' of Advil (Reference to invalid operator" in status.trouble
        assert status.trouble.endswith("write the terms of the watch otherwise.")
    assert [body for is_dry, body in network.changed if not is_dry] == []


async def test_if_all_are_refused_nothing_is_heard(network):
    network.invalid = {"retweet"}
    told = await fails(source_of(network))
    assert told.startswith("X has no rule for any watch. X does not take 'motrin -is:retweet' of Motrin (Reference")
    assert "and 1 more; write the terms of the watch otherwise." in told
    assert network.asked == []


async def test_a_watch_without_a_word_has_no_rule(network):
    assert "No watch has a term that X can look for" in await fails(source_of(network, Topic("A", ('"', "\\"))))
    assert network.everything == []


async def test_a_term_that_fits_into_no_rule_is_told(network):
    status = await heard(network, MOTRIN, Topic("Long", ("x" * 600,)))
    assert status.trouble.startswith("X cannot look for the term 'xxx")
    assert status.trouble.endswith("of Long; write a word, #tag, @name or short phrase.")


async def test_rules_are_read_page_by_page(network):
    network.most = 2
    network.rules = [{"id": str(number), "value": f"cat{number}"} for number in range(5)]
    status = await heard(network)
    assert len(network.asked_for(RULES)) == 3
    assert "What 5 rules of others" in status.note


async def test_more_rules_than_an_app_may_have_are_told(network, monkeypatch):
    monkeypatch.setattr(rulebook, "MAX_RULES", 3)
    network.rules = [NEIGHBOUR, STRANGER]
    status = await heard(network, MOTRIN, ADVIL)
    assert [rule["value"] for rule in network.rules][2:] == [RULE]
    assert "The watches need 2 rules, but an app has 3 at most, 2 of them not this desk's" in status.trouble
    assert "not all of Advil is heard" in status.trouble


async def test_where_room_is_short_old_rules_go_first(network, monkeypatch):
    monkeypatch.setattr(rulebook, "MAX_RULES", 2)
    network.rules = [OLD, NEIGHBOUR]
    await heard(network)
    assert [next(iter(body)) for is_dry, body in network.changed if not is_dry] == ["delete", "add"]


async def test_a_desk_that_is_not_let_in_takes_no_rules_away(network):
    network.rules = [OLD]
    network.answers = [refuse(429, **TOO_MANY)]
    pauses = Pauses()
    async with running(source_of(network, pause=pauses), Taken()):
        await until(lambda: len(pauses.seconds) >= 3)
    assert network.rules[0] == OLD


async def test_old_rules_that_cannot_be_removed_cost_no_post(network):
    network.rules = [OLD]
    network.about_rules = [network.show, network.change, network.change, refuse(404, title="Not Found")]
    source, edge = source_of(network), Taken()
    async with running(source, edge):
        await network.until_listened()
        await network.publish(frame(1))
        await edge.until(lambda: bool(edge.posts))
        assert "1 rule not wanted any more could not be removed (127.0.0.1:" in source.status().trouble
        assert source.status().state == "live"


async def test_rules_that_vanish_are_set_again(network):
    async def gone(request):
        network.rules.clear()
        return await refuse(409, title="ConnectionException", connection_issue="RuleConfigurationIssue")(request)

    network.answers = [gone, network.live]
    await heard(network)
    assert [rule["value"] for rule in network.rules] == [RULE]


async def test_the_cost_is_told_before_the_stream_is_opened(network):
    network.tweets = [tweet(number) for number in range(700)]
    status = await heard(network)
    assert status.note == (
        "About 3,044 posts a month match, by the last 7 days: 15 USD for the posts and up to 30 USD for their authors. "
        "Posts that only quote them are billed besides."
    )
    paths = [one.path for one in network.everything]
    assert paths.index(COUNTS) < paths.index("/2/tweets/search/stream")
    assert network.asked_for(COUNTS)[0].query["query"] == RULE


async def test_the_cost_is_counted_once_whatever_breaks(network):
    network.answers = [play(new(1), then="end"), play(new(2), then="end"), network.live]
    network.counts = [refuse(503), network.count, refuse(429)]
    status = await heard(network, MOTRIN, ADVIL)
    queries = [one.query["query"] for one in network.asked_for(COUNTS)]
    assert ["advil" in query for query in queries] == [False, False, True, True]
    assert status.note.startswith("About 0 posts a month")


async def test_a_count_that_is_refused_is_not_asked_for_again(network):
    network.answers = [play(new(1), then="end"), play(new(2), then="end"), network.live]
    network.counts = [refuse(403, title="Forbidden")]
    source = source_of(network)
    async with running(source, Taken()):
        await network.until_listened()
    assert len(network.asked_for(COUNTS)) == 1


async def test_more_than_it_may_cost_is_not_connected(network):
    network.tweets = [tweet(number) for number in range(700)]
    told = await fails(source_of(network, most_a_month=45.0))
    assert told.startswith("X could cost 46 USD a month, but 'most_a_month' of the source allows 45 USD: raise it, or")
    assert network.asked == []
    assert network.rules == [], "what is not connected changes nothing"

    network.everything.clear()
    await heard(network, most_a_month=46.0)
    assert len(network.asked) == 1


@pytest.mark.parametrize("status", [400, 403, 404])
async def test_a_cost_that_cannot_be_told_is_said(network, status):
    network.counts = [refuse(status, title="Forbidden", detail="not on your plan")] * 2
    seen = await heard(network)
    assert seen.note.startswith("What X will cost cannot be told (127.0.0.1:")
    assert "not on your plan" in seen.note

    told = await fails(source_of(network, most_a_month=10.0))
    assert "'most_a_month' of the source allows 10 USD; take that out to connect." in told


async def test_what_was_read_is_told_in_money(network):
    source, edge = source_of(network, authors=False), Taken()
    async with running(source, edge):
        await network.until_listened()
        await network.publish(*(frame(number) for number in range(410)))
        await edge.until(lambda: len(edge.posts) == 410)
        assert source.status().note.endswith("More than 2.00 USD were read since the start.")


async def test_doctor_is_told_what_would_be_done_and_nothing_is_done(network):
    network.rules = [OLD, STRANGER]
    network.tweets = [tweet(1)]
    network.now = NOW + timedelta(minutes=3)
    prospect = await source_of(network).foresee()
    assert prospect.said.startswith(
        f"answers, and is not connected for this. Connecting would add 1 rule ({RULE}) and remove 1 rule "
        "(tylenol -is:retweet); then 1 rule would be there. About 4 posts a month match"
    )
    assert "What 1 rule of others in this app brings is read and billed besides." in prospect.said
    assert prospect.doubt == "This machine's clock is 3 min behind; set it right."
    assert network.rules == [OLD, STRANGER]
    assert network.asked == []
    assert all(is_dry for is_dry, _ in network.changed)


async def test_doctor_says_it_in_its_words(network):
    right, wrong, away = source_of(network), source_of(network, token="wrong", name="y"), source_of(network, name="z")  # noqa: S106
    away._api._url = URL("http://127.0.0.1:9")
    network.tweets = [tweet(1)]
    found = {one.part: one for one in await heard_by_doctor([right, wrong, away], WallClock(), 2.0)}
    assert found["source x"].verdict == "ok"
    assert found["source y"].verdict == "error"
    assert "check 'token_env' or 'token_file'" in found["source y"].said
    assert found["source z"].verdict == "error"
    assert "no connection to" in found["source z"].said
    network.tweets = []
    (doubted,) = await heard_by_doctor([source_of(network)], WallClock(), 2.0)
    assert doubted.verdict == "warning"
    assert "But: No post of the last 7 days matches the rules" in doubted.said

    async def never(_):
        await asyncio.sleep(30)

    network.about_rules = [never]
    (late,) = await heard_by_doctor([source_of(network)], WallClock(), 0.1)
    assert (late.verdict, late.said) == ("error", "did not answer within 0.1 s; check its address.")


async def test_what_it_costs_is_logged_once(network, tmp_path):
    plan = Plan({}, (source_of(network),), tmp_path / "desk.db", folder("playbooks"), ReplayClock(NOW), dict, live=True)
    log, before = CapturingLogger(), {}
    async with App(plan) as app:
        (source,) = plan.sources
        async with running(source, Taken()):
            await until(lambda: source.status().state == "live")
            for _ in range(3):
                _look(app, log, before)
    notes = [call for call in log.calls if call.args == ("note of x",)]
    (note,) = notes
    assert note.method_name == "info"
    assert note.kwargs["state"].startswith("About 0 posts a month match, by the last 7 days: 0.00 USD for the posts")


async def test_doctor_doubts_rules_that_match_nothing(network):
    network.rules = [{"id": "1", "value": RULE, "tag": "crisisdesk/acme/Motrin"}]
    prospect = await source_of(network).foresee()
    assert f"All that the desk needs is there, 1 rule: {RULE}." in prospect.said
    assert prospect.doubt == "No post of the last 7 days matches the rules; check 'terms' of the watches."


async def test_a_failure_of_the_rules_waits_as_any_other(network):
    network.about_rules = [refuse(503), refuse(500)]
    pauses = Pauses()
    await heard(network, pause=pauses)
    await until(lambda: pauses.seconds)
    assert pauses.seconds[:2] == [5, 10]
