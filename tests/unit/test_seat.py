"""Who sits at a desk is one whom its outputs and rotas know, or it is said that they do not."""

from pathlib import Path

import pytest

from crisisdesk import settings
from crisisdesk.cli import configured
from crisisdesk.cli.main import run
from crisisdesk.cli.seat import seated
from crisisdesk.errors import UsageError
from crisisdesk.oncall.addresses import Address
from crisisdesk.oncall.chain import Orders

KNOWN = Orders(addresses=(Address("push", "Carla Roth"), Address("push", "Jörg Weiß"), Address("slack")))


@pytest.mark.parametrize(
    ("name", "spelt"),
    [("Carla Roth", "Carla Roth"), ("carla roth", "Carla Roth"), ("Joerg Weiss", "Jörg Weiß"), ("", "")],
)
def test_a_name_that_is_known_is_spelt_as_the_outputs_spell_it(capsys, name, spelt):
    assert seated(name, KNOWN) == spelt
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("name", ["Carla Rot", "Carla Rothe", "Calra Roth", "Karla Roth"])
def test_a_name_a_letter_away_is_refused(name):
    with pytest.raises(UsageError) as caught:
        seated(name, KNOWN)
    assert str(caught.value) == f"--as: '{name}' is in no output and no rota; did you mean 'Carla Roth'?"


def test_an_unknown_name_is_taken_with_a_word(capsys):
    assert seated("Zoe", KNOWN) == "Zoe"
    assert capsys.readouterr().err == (
        "--as: 'Zoe' is in no output and no rota (there are 'Carla Roth', 'Jörg Weiß'); it is taken as it stands.\n"
    )


def test_where_nobody_is_known_every_name_is_as_good(capsys):
    assert seated("Zoe", Orders()) == "Zoe"
    assert capsys.readouterr().err == ""


DESK = """\
[desk]
name = "acme"
[[watch]]
name = "Motrin"
terms = ["motrin"]
[[source]]
kind = "bluesky"
[[output]]
kind = "notify"
url_env = { "Carla Roth" = "CARLA_PUSH" }
"""
MQTT = '[[output]]\nkind = "mqtt"\nhost = "127.0.0.1"\ncommands = ["silence"]\n'


@pytest.fixture
def started(tmp_path: Path, monkeypatch, capsys):
    """How `run` starts: exit code, what is said before it, and the plans that were run."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(settings.VARIABLE, raising=False)
    monkeypatch.setenv("CARLA_PUSH", "json://127.0.0.1:9")
    plans = []
    monkeypatch.setattr(configured, "run", lambda plan, *, headless, **_: plans.append((plan.person, headless)))

    def start(text: str, *arguments: str) -> tuple[int, str, list[tuple[str, bool]]]:
        (tmp_path / "crisisdesk.toml").write_text(text, encoding="utf-8")
        return run(["run", *arguments]), capsys.readouterr().err, plans

    return start


def test_a_desk_at_which_nobody_sits_says_that_it_calls_nobody(started):
    assert started(DESK, "--headless") == (0, "", [("", True)])
    alone = DESK[: DESK.index("[[output]]")]
    nobody = 'Nobody is called: no [[output]] with kind = "notify"; incidents show on consoles'
    assert started(alone, "--headless")[:2] == (0, f"{nobody} only.\n")
    assert started(alone + MQTT, "--headless")[:2] == (0, f"{nobody} and go out by mqtt.\n")


def test_a_misspelt_person_does_not_start_a_desk(started):
    assert started(DESK + MQTT, "--as", "Carla Rot") == (
        2,
        "--as: 'Carla Rot' is in no output and no rota; did you mean 'Carla Roth'?\n",
        [],
    )
    assert started(DESK + MQTT, "--as", "carla roth")[2] == [("Carla Roth", True)]


def test_a_variable_that_is_not_set_is_told_with_its_line_and_the_nearest(started, tmp_path):
    two = '"Carla Roth" = "CARLA_PUSCH", "Ben Cole" = "NOT_THERE"'
    code, err, _ = started(DESK.replace('"Carla Roth" = "CARLA_PUSH"', two), "--headless")
    where = f'{tmp_path / "crisisdesk.toml"}:10: [[output]] "notify" of'
    assert (code, err.splitlines()) == (
        2,
        [
            f"{where} Carla Roth: the environment has no CARLA_PUSCH; did you mean CARLA_PUSH?",
            f"{where} Ben Cole: the environment has no NOT_THERE; set it.",
        ],
    )
