"""Who gets to see the token of the X source, what it makes of refusals, and how long it waits after each."""

from datetime import timedelta

import pytest
from aiohttp import web
from edges import Taken, fails, running, until
from xs import MOTRIN, NOW, PROBLEMS, TOKEN, TOO_MANY, Network, Pauses, Ticking, body, new, play, refuse, source_of

from crisisdesk.clock import ReplayClock
from crisisdesk.sources.x.api import Api
from crisisdesk.sources.x.cost import Bill, Prices
from crisisdesk.sources.x.source import Wishes, X
from crisisdesk.sources.x.trouble import wait_in


async def test_a_wrong_token_is_fatal_and_says_which_setting_to_mend(network):
    told = await fails(source_of(network, token="wrong"))  # noqa: S106
    assert "HTTP 401" in told
    assert "check 'token_env' or 'token_file' of the source: it must hold the Bearer token of an app" in told
    assert "wrong" not in told
    assert network.asked == []


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (refuse(403, reason="client-not-enrolled", type=f"{PROBLEMS}/client-forbidden", title="Client Forbidden"),
         "the app may not use X's API: put it into a project with pay-per-use"),
        (refuse(403, title="Unsupported Authentication", type=f"{PROBLEMS}/unsupported-authentication"),
         "must be the Bearer token of an app (App-only), not that of a user"),
        (refuse(400, title="Invalid Request", detail="backfill_minutes is not valid"), "backfill_minutes is not valid"),
        (refuse(404), "check 'url' of the source"),
        (body(b"<html>Welcome</html>", "text/html"), "answers with no stream of posts (text/html); check 'url'"),
        (refuse(302, {"Location": "https://elsewhere.example/"}), "sends us on to https://elsewhere.example/"),
        (refuse(307, {"Location": "/2/tweets"}), "where the token must not go; check 'url' of the source"),
    ],
)  # fmt: skip
async def test_what_trying_again_cannot_help_is_fatal(network, answer, told):
    network.answers = [answer]
    assert told in await fails(source_of(network))
    assert len(network.asked) == 1


async def test_the_token_goes_to_x_only(network):
    async with Network() as elsewhere:
        for path in ("/2/tweets/search/stream/rules", "/2/tweets/search/stream"):
            moved = refuse(307, {"Location": elsewhere.url + path})
            network.about_rules, network.answers = ([moved], []) if "rules" in path else ([], [moved])
            assert f"sends us on to {elsewhere.url}" in await fails(source_of(network))
        assert elsewhere.everything == []


@pytest.mark.parametrize("about", ["x", "[]", "null", '{"data":5}', '{"data":[5,{"id":7}]}'])
async def test_rules_that_are_none_do_no_harm(network, about):
    network.about_rules = [body(about.encode())]
    source = source_of(network)
    if about.startswith("{"):
        async with running(source, Taken()):
            await network.until_listened()
    else:
        assert "answers with no JSON object" in await fails(source)


@pytest.mark.parametrize(
    ("answer", "waits", "told"),
    [
        (refuse(503, title="Service Unavailable"), [5, 10, 20, 40, 80, 160, 320, 320], "HTTP 503: Service Unavailable"),
        (refuse(500), [5, 10, 20], "answers HTTP 500"),
        (refuse(429, **TOO_MANY), [60, 120, 240, 480, 960, 960], "somebody else uses the only connection"),
        (refuse(429, title="UsageCapExceeded", type=f"{PROBLEMS}/usage-capped"), [60, 120], "raise the limit at"),
        (refuse(429, errors=[{"code": 88, "message": "Rate limit exceeded"}]), [60, 120], "Rate limit exceeded"),
        (refuse(402, title="CreditsDepleted", type=f"{PROBLEMS}/credits"), [320, 320], "the credits are used up"),
        (refuse(403, title="SpendCapReached", type=f"{PROBLEMS}/credits", reset_date="2026-06-14"), [320, 320],
         "the spending limit is reached, so X sends nothing; raise it at https://console.x.com (until 2026-06-14)"),
        (refuse(409, title="ConnectionException", connection_issue="RuleConfigurationIssue"), [5, 10], "set anew"),
        (play(then="cut"), [0, 5, 10, 20], "it broke off"),
        (play(then="end"), [0, 5, 10, 20, 40, 80, 160, 320, 320], "ended the stream"),
    ],
)  # fmt: skip
async def test_the_waits_are_those_that_x_asks_for(network, answer, waits, told):
    network.answers = [answer]
    pauses = Pauses()
    source = source_of(network, pause=pauses, fill_gaps=False)
    async with running(source, Taken()):
        await until(lambda: len(pauses.seconds) >= len(waits))
        seen = source.status()
    assert pauses.seconds[: len(waits)] == waits
    assert seen.state in {"connecting", "live"}
    assert told in seen.trouble or seen.state == "live"


async def test_a_page_of_a_proxy_ends_nothing(network):
    async def page(_):
        return web.Response(status=403, text="<html>Blocked for a moment</html>", content_type="text/html")

    network.about_rules, network.answers = [page], [page, play(new(1))]
    pauses = Pauses()
    source, edge = source_of(network, pause=pauses), Taken()
    async with running(source, edge):
        await edge.until(lambda: bool(edge.posts))
    assert pauses.seconds[:2] == [5, 10]


async def test_without_a_network_the_waits_grow_by_a_quarter_of_a_second(network):
    await network.__aexit__()
    pauses = Pauses()
    source = source_of(network, pause=pauses)
    async with running(source, Taken()):
        await until(lambda: len(pauses.seconds) >= 70)
    assert pauses.seconds[:4] == [0.25, 0.5, 0.75, 1.0]
    assert max(pauses.seconds) == 16.0
    assert source.status().trouble.startswith(f"no connection to {network.url[7:]} (")


def test_a_limit_without_the_time_of_x_is_not_believed():
    """The clock of this machine may be wrong."""
    assert wait_in({"x-rate-limit-reset": "1779720000"}) == 0.0
    assert wait_in({"x-rate-limit-reset": "1779720000", "Date": "Mon, 25 May 2026 14:30:00 GMT"}) > 0
    assert wait_in({"Date": "Mon, 25 May 2026 14:30:00"}) == 0.0


@pytest.mark.parametrize(
    ("reset", "wait"),
    [(200, 200), (30, 60), (-5, 60), (10**6, 960), ("soon", 60), ("9" * 40, 60), ("٣", 60)],
)
async def test_the_moment_at_which_a_limit_ends_is_honoured_if_it_can_be_one(network, reset, wait):
    moment = str(int(NOW.timestamp()) + reset) if isinstance(reset, int) else reset
    network.answers = [refuse(429, {"x-rate-limit-reset": moment}, title="Too Many Requests"), play(new(1))]
    pauses = Pauses()
    source, edge = source_of(network, pause=pauses), Taken()
    async with running(source, edge):
        await edge.until(lambda: bool(edge.posts))
    assert pauses.seconds[0] == wait


async def test_the_waits_begin_afresh_after_a_healthy_minute_only(network):
    clock, pauses, stood = Ticking(), Pauses(), iter([0, 59, 61, 0])

    async def stands(request):
        response = await play(new(1), then="end", every=0.01)(request)
        clock.present += timedelta(seconds=next(stood, 0))
        return response

    network.answers = [stands]
    source = source_of(network, clock=clock, pause=pauses, fill_gaps=False)
    async with running(source, Taken()):
        await until(lambda: len(pauses.seconds) >= 5)
    assert pauses.seconds[:5] == [0, 5, 0, 5, 10]


async def test_nothing_comes_earlier_than_documented(network):
    network.answers = [refuse(503)]
    pauses = Pauses()
    clock = ReplayClock(NOW)
    api = Api(network.url, TOKEN, clock, authors=True, reposts=False)
    source = X(api, Wishes([MOTRIN], "acme", Bill(Prices(0, 0))), clock, pause=pauses)
    async with running(source, Taken()):
        await until(lambda: len(pauses.seconds) >= 5)
    documented = [5, 10, 20, 40, 80]
    assert all(least <= wait <= least * 1.25 for least, wait in zip(documented, pauses.seconds, strict=False))
    assert pauses.seconds[:5] != documented


async def test_one_that_was_taken_is_not_given_up(network):
    refusal = refuse(401, title="Unauthorized", detail="Unauthorized")
    network.answers = [play(new(1), then="end"), refusal, play(new(2))]
    seen: list[str] = []

    class Seeing(Pauses):
        async def __call__(self, seconds: float) -> None:
            seen.append(source.status().trouble)
            await super().__call__(seconds)

    source, edge = source_of(network, pause=Seeing()), Taken()
    async with running(source, edge):
        await edge.until(lambda: len(edge.posts) == 2)
    assert any("HTTP 401" in told and "'token_env'" in told for told in seen)
    assert TOKEN not in " ".join(seen)
