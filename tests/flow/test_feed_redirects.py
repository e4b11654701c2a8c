"""Where servers of feeds send us, over real sockets."""

import pytest
from feeds import gives, numbered, public, reading, says_raw, sends_to, serving, steady

from crisisdesk.sources.feed import request


@pytest.fixture
async def site():
    async with serving() as one:
        yield one


@pytest.mark.parametrize("status", [301, 308])
async def test_a_feed_that_has_moved_for_good_is_read_there_also_after_a_restart(site, status):
    site.answers["/old"] = [sends_to("/new", status)]
    site.answers["/new"] = [gives(numbered(1)), gives(numbered(1, 2)), gives(numbered(1, 2, 3))]
    async with reading(site.url("/old"), is_inward=public) as desk:
        await desk.again()
        assert "/old has moved for good to http://127.0.0.1" in desk.trouble
        assert desk.trouble.endswith("/new; write that as 'url' of the source.")
    async with reading(site.url("/old"), cursor=desk.source.cursor, is_inward=public) as again:
        await again.rests()
        assert again.edge.texts == ["entry 3"]
        assert "has moved for good" in again.trouble
    async with reading(site.url("/new"), cursor=again.source.cursor) as mended:
        await mended.rests()
        assert mended.edge.texts == [], "what was read under the old address is known under the new one"
        assert mended.trouble == ""
    assert len(site.asked("/old")) == 1


async def test_of_an_address_to_which_a_feed_has_moved_no_key_is_shown(site):
    site.answers["/old"], site.answers["/new"] = [sends_to("/new?token=5ecret", 301)], [gives(numbered(1))]
    async with reading(site.url("/old"), is_inward=public) as desk:
        await desk.rests()
        assert f"/old has moved for good to {site.url('/new')}?…; write that" in desk.trouble


@pytest.mark.parametrize("status", [302, 303, 307])
async def test_a_feed_that_is_elsewhere_for_now_is_asked_where_it_was(site, status):
    site.answers["/old"] = [sends_to("/new", status)]
    site.answers["/new"] = [gives(numbered(1))]
    async with reading(site.url("/old")) as desk:
        await desk.again()
        assert desk.trouble == ""
    assert len(site.asked("/old")) == 2


@pytest.mark.parametrize("now", [gives(status=410), gives(status=500), gives("<p>"), says_raw("")])
async def test_a_feed_that_moved_and_is_not_there_is_asked_where_it_was(site, now):
    site.answers["/old"] = [sends_to("/new", 301), gives(numbered(1, 2))]
    site.answers["/new"] = [gives(numbered(1)), now]
    async with reading(site.url("/old"), is_inward=public, waits=steady(60)) as desk:
        await desk.again()
        await desk.again()
        assert desk.edge.texts == ["entry 1", "entry 2"]
        assert desk.trouble == ""


async def test_where_a_feed_of_ones_own_network_has_moved_is_not_remembered(site):
    async with serving("127.0.0.2") as other:
        site.answers["/old"] = [sends_to(other.url("/new"), 301)]
        other.answers["/new"] = [gives(numbered(1)), gives(numbered(1, 2))]
        async with reading(site.url("/old")) as desk:
            await desk.again()
            assert (desk.edge.texts, desk.trouble) == (["entry 1", "entry 2"], "")
        assert len(site.asked("/old")) == 2


@pytest.mark.parametrize(
    ("location", "told"),
    [
        ("/feed", "it sends us from one address to the next, more than 5 times"),
        ("", "it sends us to what is no address of the web"),
        ("ftp://a.example/", "it sends us to what is no address of the web"),
        ("file:///etc/passwd", "it sends us to what is no address of the web"),
        ("http://[broken", "it sends us to what is no address of the web"),
        ("http://0/", "it sends us to what is no address of the web"),
        ("http://a..b/", "it sends us to what is no address of the web"),
        ("http://127.0.0.1:9/", "it sends us to 127.0.0.1, where nobody answers"),
    ],
)
async def test_redirects_that_lead_nowhere(site, location, told):
    site.answers["/feed"] = [sends_to(location, 302)]
    async with reading(site.url("/feed")) as desk:
        await desk.rests()
        assert desk.trouble.endswith(f"/feed cannot be read: {told}.")
        assert not desk.task.done(), "what a stranger says ends nothing"
    assert len(site.requests) <= 6


async def test_nobody_sends_us_into_a_private_network(site):
    async with serving("127.0.0.2") as inner:
        inner.answers["/admin"] = [gives(numbered(1))]
        site.answers["/feed"] = [sends_to(inner.url("/admin"), 301)]
        async with reading(site.url("/feed"), is_inward=lambda address: address == "127.0.0.2") as desk:
            await desk.rests()
            assert desk.trouble.endswith("it sends us to a private network, where no feed may send us.")
        assert inner.requests == []
        async with reading(site.url("/feed")) as desk:  # one that lies within itself may
            await desk.rests()
            assert desk.edge.texts == ["entry 1"]


async def test_a_name_that_means_another_address_at_each_look_opens_no_door(site):
    lies_within = iter([False, True])  # as one whose owner answers first with a public address
    site.answers["/feed"], site.answers["/admin"] = [sends_to("/admin", 302)], [gives(numbered(1))]
    async with reading(site.url("/feed"), is_inward=lambda _: next(lies_within)) as desk:
        await desk.rests()
        assert desk.trouble.endswith("it sends us to a private network, where no feed may send us.")
    assert site.asked("/admin") == []


@pytest.mark.parametrize(
    ("address", "lies_within"),
    [
        *((one, True) for one in ("127.0.0.1", "10.1.2.3", "192.168.1.1", "169.254.169.254", "0.0.0.0", "::1")),  # noqa: S104
        *((one, True) for one in ("fe80::1%eth0", "fd00::1", "::ffff:10.0.0.1", "100.64.0.1", "224.0.0.1", "what")),
        *((one, False) for one in ("93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c", "::ffff:8.8.8.8")),
    ],
)
def test_which_addresses_are_private(address, lies_within):
    assert request._lies_within(address) is lies_within


async def test_the_password_goes_to_nobody_else(site):
    async with serving("127.0.0.2") as other:
        other.answers["/feed"] = [gives(numbered(1))]
        site.answers["/feed"] = [sends_to(other.url("/feed"), 302)]
        async with reading(site.url("/feed"), authorization="Basic eDp5", user_agent="linux:acme:1") as desk:
            await desk.rests()
            assert desk.edge.texts == ["entry 1"]
        assert site.requests[0].headers["Authorization"] == "Basic eDp5"
        assert "Authorization" not in other.requests[0].headers
        assert other.requests[0].headers["User-Agent"] == "linux:acme:1"


async def test_where_a_feed_leads_is_told(site):
    async with serving("127.0.0.2") as other:
        other.answers["/login"] = [gives("<!DOCTYPE html><html>", headers={"Content-Type": "text/html"})]
        site.answers["/feed"] = [sends_to(other.url("/login"), 302)]
        async with reading(site.url("/feed")) as desk:
            await desk.rests()
            assert "/feed leads to 127.0.0.2" in desk.trouble
            assert "/login, which cannot be read: it is a web page, not a feed" in desk.trouble
