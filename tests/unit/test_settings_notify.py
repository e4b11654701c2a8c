"""People in the configuration: by which way, at which address, in which language, how often."""
# ruff: noqa: E501  (messages stand here as people see them, in one line)

from datetime import timedelta
from pathlib import Path

import pytest

from crisisdesk.errors import ConfigurationError
from crisisdesk.settings import NotifyOutput, load

DESK = '[desk]\nname = "acme"\n'
TWO = 'url_env = { "Anna Berg" = "ANNA_PUSH", "Ben Cole" = "BEN_PUSH" }'


def way(tmp_path: Path, more: str) -> NotifyOutput:
    path = tmp_path / "crisisdesk.toml"
    path.write_text(f'{DESK}[[output]]\nkind = "notify"\nname = "push"\n{more}\n')
    (only,) = load(path).outputs
    assert isinstance(only, NotifyOutput)
    return only


def told(tmp_path: Path, more: str) -> str:
    with pytest.raises(ConfigurationError) as caught:
        way(tmp_path, more)
    return str(caught.value).replace(f"{tmp_path}/crisisdesk.toml:", "")


def test_a_room_has_one_address(tmp_path):
    found = way(tmp_path, 'url_env = "SLACK_URL"')
    assert (found.people, found.language_of(None), found.most) == ((), "en", (5, timedelta(minutes=15)))
    assert found.reached(None, {"SLACK_URL": " slack://a/b/c\n"}) == ("slack://a/b/c", "SLACK_URL")


def test_people_have_one_each(tmp_path):
    found = way(tmp_path, f'{TWO}\nlanguage = {{ "Anna Berg" = "de" }}')
    assert found.people == ("Anna Berg", "Ben Cole")
    assert [found.language_of(person) for person in found.people] == ["de", "en"]
    assert found.reached("Ben Cole", {"BEN_PUSH": "ntfy://ben"}) == ("ntfy://ben", "BEN_PUSH")


def test_addresses_may_be_in_files_beside_the_configuration(tmp_path):
    (tmp_path / "anna.secret").write_text("ntfy://anna\n# Anna's telephone\n")
    found = way(tmp_path, 'url_file = { "Anna Berg" = "anna.secret" }\nlanguage = "Deutsch"')
    assert found.reached("Anna Berg", {}) == ("ntfy://anna", str(tmp_path / "anna.secret"))
    assert found.language_of("Anna Berg") == "de"


@pytest.mark.parametrize(
    ("environ", "what"),
    [
        ({"ANNA_SMS": "x"}, '[[output]] "push" of Anna Berg: the environment has no ANNA_PUSH; set it.'),
        (
            {"ANNA_PUSCH": "x"},
            '[[output]] "push" of Anna Berg: the environment has no ANNA_PUSH; did you mean ANNA_PUSCH?',
        ),
        (
            {"ANNA_PUSH": " "},
            '[[output]] "push" of Anna Berg: ANNA_PUSH is empty; put an Apprise address there, like ntfy://… or mailto://…',
        ),
    ],
)
def test_an_address_that_is_not_there_is_named(tmp_path, environ, what):
    with pytest.raises(ConfigurationError) as caught:
        way(tmp_path, TWO).reached("Anna Berg", environ)
    assert str(caught.value) == f"{tmp_path / 'crisisdesk.toml'}:6: {what}"


@pytest.mark.parametrize(
    ("written", "most"),
    [
        ("5 in 15 minutes", (5, 15)),
        ("1 per hour", (1, 60)),
        ("10 messages a day", (10, 24 * 60)),
        ("3 Nachrichten pro Stunde", (3, 60)),
        ("12 in 90 min", (12, 90)),
        ("unlimited", (None, 0)),
        ("unbegrenzt", (None, 0)),
    ],
)
def test_how_often_is_written_in_several_ways(tmp_path, written, most):
    assert way(tmp_path, f'{TWO}\nmost = "{written}"').most == (most[0], timedelta(minutes=most[1]))


SAMPLE = '"SLACK_URL" for a room, or { "Anna Berg" = "ANNA_PUSH" } for people'


@pytest.mark.parametrize(
    ("more", "what"),
    [
        ("", f"3: [[output]] \"push\" has no 'url_env', which says where its addresses are; add url_env = {SAMPLE}"),
        (f'{TWO}\nurl_file = "anna"', "3: [[output]] \"push\" has both 'url_env' and 'url_file'; keep one of them"),
        ('url = "slack://a/b/c"', "6: unknown key 'url' in [[output]] \"push\"; name its place with 'url_env' or 'url_file' instead"),
        ('url_env = "slack://a/b/c"', "6: 'url_env' in [[output]] \"push\" must be the name of an environment variable, in capitals such as DESK_TOKEN, whose value is the secret"),
        ('url_env = { "Anna" = "ntfy://anna" }', "6: 'url_env' in [[output]] \"push\" of 'Anna' must be the name of an environment variable, in capitals such as DESK_TOKEN, whose value is the secret"),
        ("url_env = {}", f"6: 'url_env' in [[output]] \"push\" names nobody; write url_env = {SAMPLE}"),
        (f"{TWO}\nlanguage = {{}}", "7: 'language' in [[output]] \"push\" names nobody; write language = \"de\", or { \"Anna Berg\" = \"de\" }"),
        (f'{TWO}\nlanguage = "fr"', "7: 'language' in [[output]] \"push\" must be \"en\" or \"de\", or a table such as { \"Anna Berg\" = \"de\" }"),
        (f'{TWO}\nlanguage = {{ "Ann Berg" = "de" }}', "7: 'language' in [[output]] \"push\" is for 'Ann Berg', who has no address here; did you mean 'Anna Berg'?"),
        (f'{TWO}\nmost = "often"', "7: 'most' in [[output]] \"push\": 'often' does not say how many messages in which time, at most a day; write it like \"5 in 15 minutes\", or \"unlimited\""),
        (f'{TWO}\nmost = "5 in 3 days"', "7: 'most' in [[output]] \"push\": '5 in 3 days' does not say how many messages in which time, at most a day; write it like \"5 in 15 minutes\", or \"unlimited\""),
        (f'{TWO}\nmost = "0 in 15 minutes"', "7: 'most' in [[output]] \"push\": '0 in 15 minutes' is not between 1 and 1000 messages; write it like \"5 in 15 minutes\", or \"unlimited\""),
        (f"{TWO}\nmost = 5", "7: 'most' in [[output]] \"push\" must be a text in quotes; write it like \"5 in 15 minutes\", or \"unlimited\""),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_its_line_and_no_address(tmp_path, more, what):
    message = told(tmp_path, more)
    assert message == what
    assert "://" not in message
