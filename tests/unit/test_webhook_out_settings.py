"""[[output]] kind = "webhook": what can be set, what is said of mistakes, and that no secret is repeated."""
# ruff: noqa: E501  (messages stand here as people see them, in one line)

from pathlib import Path

import pytest

from crisisdesk.errors import ConfigurationError
from crisisdesk.settings import WebhookOutput, load

DESK = '[desk]\nname = "acme"\n[[output]]\nkind = "webhook"\nname = "suite"\n'
URL = 'url = "https://example.org/hook"\n'
KNOWN = {"S": "correct horse battery", "T": "a-token-of-its-own", "U": "https://example.org/hook/s3cret?key=s3cret"}


@pytest.fixture
def output(tmp_path: Path):
    """The one output of a text."""

    def loaded(text: str) -> WebhookOutput:
        (tmp_path / "crisisdesk.toml").write_text(DESK + text, encoding="utf-8")
        (only,) = load(tmp_path / "crisisdesk.toml").outputs
        assert isinstance(only, WebhookOutput)
        return only

    return loaded


@pytest.fixture
def problem(output, tmp_path: Path):
    """The one thing that is wrong with a text, without the file's name."""

    def told(text: str) -> str:
        with pytest.raises(ConfigurationError) as caught:
            output(text)
        assert "s3cret" not in str(caught.value)
        return str(caught.value).removeprefix(f"{tmp_path / 'crisisdesk.toml'}:")

    return told


def test_what_is_told_is_looked_up(output):
    found = output(URL + 'secret_env = "S"\ntoken_env = "T"\n')
    assert found.whom(KNOWN) == ("https://example.org/hook", "example.org", False, KNOWN["S"], KNOWN["T"])
    assert found.encryption() is None


def test_an_address_that_is_a_secret_is_told_by_its_place(output, tmp_path: Path):
    assert output('url_env = "U"\n').whom(KNOWN) == (KNOWN["U"], "the address in U", True, None, None)
    (tmp_path / "hook").write_text(f"{KNOWN['U']}\n")
    found = output('url_file = "hook"\n').whom({})
    assert (found.url, found.shown, found.is_secret) == (KNOWN["U"], f"the address in {tmp_path / 'hook'}", True)


@pytest.mark.parametrize(
    "text",
    [
        'url = "http://127.0.0.1:9/hook"\n',
        'url = "http://localhost/hook"\ntoken_env = "T"\n',
        'url = "http://[::1]:5678/hook"\n',
        'url = "http://intranet:5678/hook"\nsecret_env = "S"\n',
        'url = "HTTPS://bücher.example/hook?a=b"\nsecret_env = "S"\n',
    ],
)
def test_addresses_that_are_fine(output, text: str):
    assert output(text).whom(KNOWN).shown


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "has no 'url'; add url = \"https://example.org/hook\", or 'url_env' if the address is a secret"),
        (URL + 'url_env = "U"\n', "has both 'url' and 'url_env'; keep one of them"),
        (URL + 'secret_env = "S"\nsecret_file = "s"\n', "has both 'secret_env' and 'secret_file'; keep one of them"),
        (URL + 'token_env = "S"\ntoken_file = "s"\n', "has both 'token_env' and 'token_file'; keep one of them"),
        (URL, "has no 'secret_env', so that the receiver cannot tell the desk from strangers; add it"),
        (
            'url = "http://example.org/s3cret"\ntoken_env = "T"\n',
            "has a 'url' that does not begin with https://, though a secret travels; http:// is for this machine, and for receivers elsewhere that check the signature",
        ),
        (
            'url = "http://example.org/"\nsecret_env = "S"\nca_file = "ca.pem"\n',
            "has a 'url' that does not begin with https://, though there is a 'ca_file'; mend one of them",
        ),
    ],
)
def test_what_does_not_fit_together_is_told_with_its_cure(problem, text: str, told: str):
    assert problem(text) == f'3: [[output]] "suite" {told}'


@pytest.mark.parametrize(
    "url", ["", "example.org/s3cret", "ftp://s3cret", "https://", "https://a b/s3cret", "https://a:99999", "https://[x"]
)
def test_what_is_no_address_is_not_repeated(problem, output, url: str):
    told = 'is no address of the web; write it like "https://example.org/hook"'
    assert problem(f'url = "{url}"\nsecret_env = "S"\n') == f"6: 'url' in [[output]] \"suite\" {told}"
    with pytest.raises(ConfigurationError) as caught:
        output('url_env = "U"\n').whom({"U": url})
    assert str(caught.value) == f'[[output]] "suite": what url_env names {told}.'


def test_a_password_has_no_place_in_the_file(problem):
    assert problem('url = "https://desk:s3cret@example.org/"\n') == (
        "6: 'url' in [[output]] \"suite\" holds a name or a password; put the whole address where nobody reads it, and say 'url_env'"
    )


@pytest.mark.parametrize(
    ("text", "environ", "told"),
    [
        (URL + 'secret_env = "S"\n', {}, "the environment has no S; set it."),
        (URL + 'secret_env = "S"\n', {"S": "s3cret"}, "its secret has fewer than 16 characters and could be guessed"),
        (
            URL + 'token_env = "T"\n',
            {"T": "s3cret s3cret"},
            "what token_env names holds no token; copy it as it stands.",
        ),
        ('url_env = "U"\n', {}, "the environment has no U; set it."),
        ('url_env = "U"\n', {"U": "http://example.org/s3cret"}, "what url_env names does not begin with https://"),
        (
            'url_env = "U"\ntoken_env = "T"\n',
            KNOWN | {"U": "https://desk:s3cret@example.org/"},
            "what url_env names holds a name or a password, and there is a token besides; keep one of them.",
        ),
    ],
)
def test_what_is_not_where_it_should_be_is_told(output, text: str, environ: dict[str, str], told: str):
    with pytest.raises(ConfigurationError) as caught:
        output(text).whom(environ)
    assert f'[[output]] "suite": {told}' in str(caught.value)
    assert "s3cret" not in str(caught.value)


def test_a_secret_that_was_put_into_the_file_is_not_repeated(problem):
    assert problem(URL + 'secret = "s3cret"\n') == (
        "7: unknown key 'secret' in [[output]] \"suite\"; name its place with 'secret_env' or 'secret_file' instead"
    )


def test_a_file_that_vouches_for_nobody_is_told(output, tmp_path: Path):
    for name, content, why in (("none.pem", None, "No such file or directory"), ("bad.pem", "hello", "")):
        if content:
            (tmp_path / name).write_text(content)
        with pytest.raises(ConfigurationError) as caught:
            output(URL + f'secret_env = "S"\nca_file = "{name}"\n').encryption()
        assert str(caught.value).startswith(
            f'{tmp_path / name}: the certificate of those who vouch for [[output]] "suite" cannot be used ({why}'
        )
