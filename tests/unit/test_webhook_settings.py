"""[server] and [[source]] kind = "webhook": what can be set, and what is said of mistakes."""

from pathlib import Path

import pytest

from crisisdesk.errors import ConfigurationError
from crisisdesk.settings import Address, Settings, WebhookSource, load
from crisisdesk.settings.server import is_loopback

DESK = '[desk]\nname = "acme"\n'
HOOK = '[[source]]\nkind = "webhook"\n'
KEYS = {"SUITE_SECRET": "correct horse battery", "SUITE_TOKEN": "a token of its own"}


@pytest.fixture
def toml(tmp_path):
    """Load a text as a configuration file."""

    def loaded(text: str) -> Settings:
        path = tmp_path / "crisisdesk.toml"
        path.write_text(text, encoding="utf-8")
        return load(path)

    return loaded


@pytest.fixture
def problem(toml, tmp_path):
    """The one thing that is wrong with a text, without the file's name."""

    def told(text: str) -> str:
        with pytest.raises(ConfigurationError) as caught:
            toml(text)
        return str(caught.value).removeprefix(f"{tmp_path / 'crisisdesk.toml'}:")

    return told


def hook(settings: Settings) -> WebhookSource:
    (source,) = settings.sources
    assert isinstance(source, WebhookSource)
    return source


def test_what_holds_where_nothing_is_set(toml):
    read = toml(DESK + HOOK)
    assert read.server.listen == Address("127.0.0.1", 8080)
    assert (hook(read).name, hook(read).most_bytes, hook(read).per_minute) == ("webhook", 5_000_000, 600)
    assert hook(read).secrets({}) == (None, None)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("0.0.0.0:80", Address("0.0.0.0", 80)),  # noqa: S104 - it is what somebody writes
        ("[::1]:8443", Address("::1", 8443)),
        ("desk.example:8443", Address("desk.example", 8443)),
    ],
)
def test_an_address_is_written_as_everywhere(toml, written, meant):
    read = toml(DESK + f'[server]\nlisten = "{written}"\n')
    assert read.server.listen == meant
    assert str(meant) == written


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        *((host, True) for host in ("127.0.0.1", "127.9.9.9", "::1", "localhost", "LocalHost")),
        *((host, False) for host in ("0.0.0.0", "::", "10.0.0.1", "localhost.evil.example", "")),  # noqa: S104
    ],
)
def test_who_reaches_an_address(host, loopback):
    assert is_loopback(host) is loopback


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('[server]\nlisten = "8080"\n', "4: 'listen' in [server]: '8080' is no address and port; write it like"),
        ("[server]\nlisten = 8080\n", "4: 'listen' in [server] must be a text in quotes; write it like"),
        ('[server]\nlisten = "127.0.0.1:0"\n', "4: 'listen' in [server]: '127.0.0.1:0' is no address and port"),
        ('[server]\ntls_key = "k"\n', "3: [server] has a 'tls_key' but no 'tls_certificate'; add it, or take both out"),
        (HOOK + 'name = "a b"\n', "5: 'name' in [[source]] \"a b\" must be letters, digits, '-' or '_', at most 64"),
        (HOOK + "most_bytes = 10\n", "5: 'most_bytes' in [[source]] \"webhook\" must be at least 1000"),
        (HOOK + "per_minute = 0\n", "5: 'per_minute' in [[source]] \"webhook\" must be at least 1"),
        (
            HOOK + 'secret = "x"\n',
            "5: unknown key 'secret' in [[source]] \"webhook\"; name its place with 'secret_env' or",
        ),
        (
            HOOK + 'token = "x"\n',
            "5: unknown key 'token' in [[source]] \"webhook\"; name its place with 'token_env' or",
        ),
        (
            HOOK + 'sekret_env = "x"\n',
            "5: unknown key 'sekret_env' in [[source]] \"webhook\"; did you mean 'secret_env'?",
        ),
        (
            HOOK + 'token_env = "A"\ntoken_file = "b"\n',
            "3: [[source]] \"webhook\" has both 'token_env' and 'token_file'",
        ),
        (HOOK + HOOK, '5: two [[source]] are called "webhook" (the other in line 3)'),
    ],
)
def test_a_mistake_names_its_line_and_its_cure(problem, text, told):
    assert problem(DESK + text).startswith(told)


def test_who_is_reached_by_everybody_needs_a_secret_or_a_token(toml, problem):
    open_to_all = DESK + '[server]\nlisten = "0.0.0.0:8080"\n' + HOOK
    assert problem(open_to_all) == (
        "5: [[source]] \"webhook\" takes posts of everybody who reaches 0.0.0.0:8080; give it a 'secret_env' or "
        "'secret_file', or listen on 127.0.0.1 under [server]"
    )
    for key in ("secret_env", "secret_file", "token_env", "token_file"):
        assert not hook(toml(open_to_all + f'{key} = "A"\n')).is_open


def test_secrets_are_looked_up_and_never_kept(toml, tmp_path):
    read = hook(toml(DESK + HOOK + 'secret_env = "SUITE_SECRET"\ntoken_file = "suite.token"\n'))
    Path(tmp_path / "suite.token").write_text("a token of its own\r\nmore\n")
    assert read.secrets(KEYS) == ("correct horse battery", "a token of its own")
    assert "correct" not in repr(read)
    with pytest.raises(
        ConfigurationError, match=r'\[\[source\]\] "webhook": the environment has no SUITE_SECRET; set it'
    ):
        read.secrets({})


def test_a_secret_that_can_be_guessed_is_refused_and_not_repeated(toml):
    read = hook(toml(DESK + HOOK + 'secret_env = "SUITE_SECRET"\n'))
    for short in ("", "swordfish"):
        with pytest.raises(
            ConfigurationError, match="its secret has fewer than 16 characters and could be guessed"
        ) as told:
            read.secrets({"SUITE_SECRET": short})
        assert "swordfish" not in str(told.value)
