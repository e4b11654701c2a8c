"""[[source]] kind = "mastodon": what may stand there, and what is said of what may not."""

from pathlib import Path

import pytest

from crisisdesk.errors import ConfigurationError
from crisisdesk.settings import MastodonSource, load

DESK = '[desk]\nname = "acme"\n[[watch]]\nname = "Motrin"\nterms = ["motrin"]\n[[source]]\nkind = "mastodon"\n'
HOME = 'server = "https://home.example"\n'
TOKEN = 'token_env = "TOKEN"\n'  # noqa: S105


@pytest.fixture
def read(tmp_path: Path):
    def loaded(text: str) -> MastodonSource:
        path = tmp_path / "crisisdesk.toml"
        path.write_text(DESK + text, encoding="utf-8")
        (source,) = load(path).sources
        assert isinstance(source, MastodonSource)
        return source

    return loaded


def test_a_server_and_a_token_are_enough(read):
    source = read(HOME + TOKEN)
    assert (source.server, source.streams, source.transport) == ("https://home.example", ("public",), "websocket")
    assert source.history_hours == 24
    assert source.token({"TOKEN": " secret\n"}) == "secret"


def test_streams_are_written_in_several_ways(read):
    assert read(HOME + TOKEN + 'streams = "hashtag:#MotrinMoms"').streams == ("hashtag:motrinmoms",)
    assert read(HOME + TOKEN + 'streams = ["#MotrinMoms", "hashtag:प्रयोग"]').streams == (
        "hashtag:motrinmoms",
        "hashtag:प्रयोग",
    )
    assert read(HOME + TOKEN + 'streams = "hashtag:Ko\\u0308ln"').streams == ("hashtag:köln",)
    streams = '["public:local", "hashtag:Köln", "hashtag:köln", "public"]'
    assert read(f"{HOME}{TOKEN}streams = {streams}").streams == ("public:local", "hashtag:köln", "public")


@pytest.mark.parametrize(
    "server", ["https://home.example/", "http://127.0.0.1:3000", "http://localhost", "http://[::1]:3"]
)
def test_a_server_is_an_address_without_a_path(read, server):
    assert read(f'server = "{server}"\n{TOKEN}').server == server.rstrip("/")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (TOKEN, "has no 'server'; add server = \"https://mastodon.social\""),
        ('server = "mastodon.social"\n' + TOKEN, "'mastodon.social' is no address of a server; write it like"),
        ('server = "https://home.example/about"\n' + TOKEN, "is no address of a server; write it like"),
        ('server = "https://me@home.example"\n' + TOKEN, "is no address of a server; write it like"),
        ('server = "http://home.example"\n' + TOKEN, "must begin with https://, since the token goes there"),
        (HOME, "has neither 'token_env' nor 'token_file'; servers stream only to users"),
        (HOME + TOKEN + 'token_file = "x"', "has both 'token_env' and 'token_file'; keep one of them"),
        (HOME + TOKEN + "streams = []", "'streams' in [[source]] \"mastodon\" must be a list such as"),
        (HOME + TOKEN + 'streams = "home"', "'home' is no stream; write public, public:local, public:remote or"),
        (HOME + TOKEN + 'streams = ["hashtag:a/b"]', "'hashtag:a/b' is no stream"),
        (HOME + TOKEN + f"streams = {[f'hashtag:a{n}' for n in range(101)]}", "has more than 100 streams"),
        (HOME + TOKEN + "history_hours = -1", "'history_hours' in [[source]] \"mastodon\""),
        (HOME + TOKEN + 'transport = "ws"', "'ws' is no way to send; write websocket or sse"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_its_cure(read, text, problem):
    with pytest.raises(ConfigurationError) as told:
        read(text)
    assert problem in str(told.value)


@pytest.mark.parametrize(
    ("environ", "problem"),
    [({}, "the environment has no TOKEN; set it."), ({"TOKEN": ""}, "what token_env names holds no access token"),
     ({"TOKEN": "two words"}, "holds no access token"), ({"TOKEN": "a\r\nX-Evil: 1"}, "holds no access token")],
)  # fmt: skip
def test_a_token_that_is_none_is_told(read, environ, problem):
    with pytest.raises(ConfigurationError) as told:
        read(HOME + TOKEN).token(environ)
    assert problem in str(told.value)
    assert "Evil" not in str(told.value)


def test_a_token_is_read_from_a_file(read, tmp_path):
    (tmp_path / "mastodon.token").write_text("secret\nsecond line\n", encoding="utf-8")
    assert read(HOME + 'token_file = "mastodon.token"').token({}) == "secret"
