"""`crisisdesk oncall`, as a head of communications sees it."""

import json
import re
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest
from rich.cells import cell_len

from crisisdesk import settings
from crisisdesk.cli.main import run

BASE = """\
[desk]
name = "acme"
timezone = "Europe/Berlin"
[[watch]]
name = "Motrin"
terms = ["motrin"]
[[watch]]
name = "Aspirin"
terms = ["aspirin"]
[[source]]
kind = "bluesky"
[[output]]
kind = "mqtt"
host = "127.0.0.1"
commands = ["acknowledge"]
[[output]]
kind = "notify"
name = "push"
url_env = { "Anna Berg" = "ANNA_PUSH", "Ben Cole" = "BEN_PUSH" }
[[output]]
kind = "notify"
name = "sms"
url_env = { "Ben Cole" = "BEN_SMS" }
[[output]]
kind = "notify"
name = "slack"
url_env = "SLACK"
"""
ROTA = """\
[[rota]]
name = "comms"
[[rota.shift]]
people = ["Anna Berg", "Ben Cole"]
starting = 2026-12-21
"""
CHAIN = """\
[[chain]]
name = "call"
quiet = { amber = "22:00-07:00" }
[[chain.step]]
tell = "Anna Berg"
wait = "5 minutes"
times = 2
[[chain.step]]
tell = "Ben Cole"
wait = "10 minutes"
"""

BY_ROTA = CHAIN.replace('tell = "Anna Berg"', 'tell = "comms"')


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(settings.VARIABLE, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "configurations"))
    for variable in ("ANNA_PUSH", "BEN_PUSH", "CEM_PUSH", "ANNA_SMS", "BEN_SMS", "SLACK", "SLACK_ROOM", "URL"):
        monkeypatch.setenv(variable, "json://127.0.0.1:9")
    return tmp_path


@pytest.fixture
def oncall(here, capsys):
    """What it says of a configuration at a moment: exit code, stdout, stderr."""

    def asked(text: str, *arguments: str, at: str = "2026-12-24 03:00") -> tuple[int, str, str]:
        (here / "crisisdesk.toml").write_text(text, encoding="utf-8")
        code = run(["oncall", *(("--at", at) if at else ()), *arguments])
        return code, *capsys.readouterr()

    return asked


def test_who_is_on_now_and_next_and_whom_an_incident_would_call(oncall):
    assert oncall(BASE + ROTA + BY_ROTA) == (
        0,
        """\
Thu 24 Dec 2026 03:00 CET

comms (Europe/Berlin)
  now   Anna Berg  until Mon 28 Dec 00:00
  next  Ben Cole   from Mon 28 Dec 00:00 until Mon 4 Jan 00:00

A red incident now:
  03:00  Anna Berg by push
  03:05  again
  03:10  Ben Cole by push and sms
  03:20  nobody has answered: everybody is told

An amber incident now:
  03:00  quiet hours until 07:00
  07:00  Anna Berg by push
  07:05  again
  07:10  Ben Cole by push and sms
  07:20  nobody has answered: everybody is told
""",
        "",
    )


def test_what_calls_alike_is_told_once(oncall):
    _, out, _ = oncall(BASE + CHAIN, at="2026-12-24 12:00")
    assert out.count("now:") == 1
    assert "A red incident, or an amber incident now:" in out


def test_the_rota_keeps_its_own_clocks(oncall):
    _, out, _ = oncall(BASE + ROTA.replace("[[rota.shift]]", 'timezone = "America/New_York"\n[[rota.shift]]') + CHAIN)
    assert "comms (America/New_York)\n  now   Anna Berg  until Mon 28 Dec 00:00\n" in out


def test_who_is_always_on_is_on_for_weeks(oncall):
    _, out, _ = oncall(BASE + '[[rota]]\nname = "comms"\n[[rota.shift]]\npeople = "Anna Berg"\n')
    assert "comms (Europe/Berlin)\n  now   Anna Berg  for 8 weeks at least\n\n" in out


def test_a_moment_that_names_its_zone(oncall):
    assert oncall(BASE + CHAIN, at="2026-12-24T02:00Z")[1].startswith("Thu 24 Dec 2026 03:00 CET\n")


def test_without_a_moment_it_is_now(oncall):
    code, out, err = oncall(BASE + ROTA + BY_ROTA, at="")
    assert (code, err) == (0, "")
    assert "  now   " in out


def test_an_hour_without_its_0(oncall):
    assert oncall(BASE + CHAIN, at="2026-12-24 3:00")[1].startswith("Thu 24 Dec 2026 03:00 CET\n")


def test_the_shifts_of_the_next_weeks(oncall):
    _, out, _ = oncall(BASE + ROTA + CHAIN, "--weeks", "2")
    assert (
        """\
  Thu 24 Dec 2026 03:00 to Mon 28 Dec 00:00  Anna Berg
  Mon 28 Dec 2026 00:00 to Mon 4 Jan 00:00   Ben Cole
  Mon  4 Jan 2027 00:00 to Thu 7 Jan 03:00   Anna Berg
"""
        in out
    )


def test_a_gap_in_which_nobody_could_be_called_is_a_problem(oncall):
    office = ROTA.replace("people", 'days = "Mon-Fri"\npeople')
    code, out, err = oncall(BASE + office + CHAIN.replace('"Anna Berg"', '"comms"').replace('"Ben Cole"', '"comms"'))
    assert code == 1
    assert "  now   Anna Berg  until Sat 26 Dec 00:00" in out
    assert err == (
        "warning: comms: nobody is on from Sat 26 Dec 00:00 to Mon 28 Dec 00:00, and 3 times more in the next four "
        "weeks; a red incident would call nobody then.\n"
    )


def test_a_gap_that_others_fill_is_only_told(oncall):
    office = ROTA.replace("people", 'days = "Mon-Fri"\npeople')
    code, out, err = oncall(BASE + office + CHAIN.replace('"Anna Berg"', '"comms"'), at="2026-12-26 12:00")
    assert code == 0
    assert "nobody is on from 12:00 to Mon 28 Dec 00:00" in err
    assert "  now   nobody    until Mon 28 Dec 00:00\n  next  Ben Cole  from Mon 28 Dec 00:00" in out
    assert "A red incident, or an amber incident now:\n  12:00  Ben Cole by push and sms\n" in out


def test_nobody_on_call_at_all_is_loud(oncall):
    office = ROTA.replace("people", 'days = "Mon-Fri"\npeople')
    everybody_off = CHAIN.replace('"Anna Berg"', '"comms"').replace('"Ben Cole"', '"comms"')
    _, out, _ = oncall(BASE + office + everybody_off, at="2026-12-26 12:00")
    assert "  12:00  NOBODY CAN BE REACHED; everybody is told so" in out


def test_severities_that_nobody_is_called_for(oncall):
    code, out, err = oncall(BASE + CHAIN.replace("quiet", 'severities = "red"\nquiet'))
    assert (code, err) == (
        0,
        "warning: No [[chain]] is for an amber incident: nobody is called; add one, or widen one.\n",
    )
    assert "An amber incident now:\n  nobody is called\n" in out
    assert oncall(BASE + CHAIN.replace("quiet", 'severities = "amber"\nquiet'))[0] == 1


def test_a_swap_that_does_nothing_is_told(oncall):
    when = 'from = "2026-12-24 08:00"\nto = "2026-12-26 08:00"\n'
    swap = f'[[rota.swap]]\n{when}person = "Anna Berg"\ninstead_of = "Ben Cole"\n'
    code, _, err = oncall(BASE + ROTA + swap + BY_ROTA)
    what = "the swap from 08:00 to Sat 26 Dec 08:00 does nothing: Ben Cole is not on then (Anna Berg is)"
    assert (code, err) == (0, f"warning: comms: {what}.\n")
    assert oncall(BASE + ROTA + swap + BY_ROTA, at="2026-12-27 03:00")[2] == ""


def test_watches_with_chains_of_their_own(oncall):
    own = CHAIN.replace('"call"', '"motrin"\nwatches = "Motrin"').replace('tell = "Anna Berg"', 'tell = "slack"')
    _, out, _ = oncall(BASE + own + CHAIN, at="2026-12-24 12:00")
    assert "A red incident of Motrin, or an amber incident of Motrin now:\n  12:00  slack\n" in out
    assert (
        "A red incident of other watches, of blind sources, or an amber incident of other\n"
        "watches, of blind sources now:\n  12:00  Anna Berg by push\n"
    ) in out


def test_long_chains_are_cut(oncall):
    _, out, _ = oncall(BASE + CHAIN.replace("times = 2", "times = 50"), at="2026-12-24 12:00")
    assert "         … and 41 more\n  16:20  nobody has answered: everybody is told" in out


def test_wide_names_and_many_people_fit_the_terminal(oncall):
    names = ["山田太郎", "Ángela de la Cruz y Pérez", *(f"Person Number {number}" for number in range(12))]
    table = ", ".join(f'"{name}" = "URL"' for name in names)
    push = f'[[output]]\nkind = "notify"\nname = "push"\nurl_env = {{ {table} }}\n'
    some = ", ".join(f'"{name}"' for name in names)
    rota = f'[[rota]]\nname = "当番"\n[[rota.shift]]\npeople = [{some}]\nstarting = 2026-12-21\n'
    base = BASE[: BASE.index("[[output]]")]
    _, out, _ = oncall(base + push + rota)
    assert max(map(cell_len, out.splitlines())) <= 80
    assert "  now   山田太郎                   until Mon 28 Dec 00:00\n  next  Ángela de la Cruz y Pérez  from" in out


def test_lines_for_other_programs(oncall):
    code, out, err = oncall(BASE + ROTA + BY_ROTA, "--json", "--weeks", "1")
    assert (code, err) == (0, "")
    rota, *calls = map(json.loads, out.splitlines())
    week = {"person": "Anna Berg", "from": "2026-12-20T23:00:00Z", "to": "2026-12-27T23:00:00Z"}
    assert (rota["part"], rota["name"], rota["timezone"], rota["now"]) == ("rota", "comms", "Europe/Berlin", week)
    assert rota["next"]["person"] == "Ben Cole"
    assert [turn["person"] for turn in rota["turns"]] == ["Anna Berg", "Ben Cole"]
    red = next(one for one in calls if one["severity"] == "red")
    assert red["acts"][0] == {"time": "2026-12-24T02:00:30Z", "do": "call", "to": ["push to Anna Berg"]}
    assert red["acts"][-1]["do"] == "give_up"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--at", "tomorrow"], "--at: 'tomorrow' is no moment; write day and time like \"2026-12-24 08:00\""),
        (["--test", "Ana Berg"], "--test: 'Ana Berg' has no address in any output; did you mean 'Anna Berg'?"),
    ],
)
def test_wrong_calls_have_a_cure(oncall, arguments, message):
    assert oncall(BASE + ROTA + CHAIN, *arguments, at="") == (2, "", f"{message}\n")


def test_an_address_that_is_not_there_is_a_problem_and_says_where(oncall, here, monkeypatch):
    monkeypatch.delenv("ANNA_PUSH")
    monkeypatch.setenv("ANNA_PUSCH", "json://127.0.0.1:9")
    monkeypatch.setenv("BEN_SMS", " ")
    code, out, err = oncall(BASE + ROTA + BY_ROTA)
    assert code == 1
    assert "comms" in out
    push, sms = err.replace(f"{here}/", "").splitlines()
    missing = "the environment has no ANNA_PUSH; did you mean ANNA_PUSCH?"
    assert push == f'warning: crisisdesk.toml:19: [[output]] "push" of Anna Berg: {missing}'
    assert sms.startswith('warning: crisisdesk.toml:23: [[output]] "sms" of Ben Cole: BEN_SMS is empty; put an Apprise')


def test_a_rota_that_no_chain_names_is_told(oncall):
    code, _, err = oncall(BASE + ROTA + CHAIN)
    said = 'No [[chain]] names [[rota]] "comms", so nobody is called by it; write tell = "comms" in a [[chain.step]].'
    assert (code, err) == (0, f"warning: {said}\n")
    assert "so everybody is called, whoever is on; write" in oncall(BASE + ROTA)[2]


def test_two_names_that_may_be_one_person_are_told(oncall):
    mail = '[[output]]\nkind = "notify"\nname = "mail"\nurl_env = { "Ana Berg" = "URL" }\n'
    code, _, err = oncall(BASE + mail + CHAIN)
    said = "'Ana Berg' ('mail') is in no rota and no chain, but 'Anna Berg' is"
    assert (code, err) == (0, f"warning: {said}; if they are one, write the name alike everywhere.\n")
    assert "'Ana Berg' ('mail') and 'Anna Berg' are two people to the desk; if they are one" in oncall(BASE + mail)[2]


def test_two_people_of_like_names_in_one_output_are_two(oncall):
    both = BASE.replace('"Ben Cole" = "BEN_PUSH"', '"Ben Cole" = "BEN_PUSH", "Anna Bera" = "URL"')
    assert oncall(both + CHAIN)[::2] == (0, "")


def test_without_addresses_nobody_is_called(oncall):
    code, out, err = oncall(BASE[: BASE.index("[[output]]")])
    assert (code, out) == (1, "")
    assert err == 'Nobody is called: the configuration has no [[output]] with kind = "notify"; add one.\n'


services = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")
"""Apprise looks for a module that later Pythons do not have."""


@pytest.fixture
def service():
    """A service that takes messages as JSON; what it got, and where it is."""
    told: list[str] = []

    class Takes(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            told.append(self.rfile.read(int(self.headers["Content-Length"])).decode())
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    with HTTPServer(("127.0.0.1", 0), Takes) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield told, f"json://127.0.0.1:{server.server_port}"
        server.shutdown()


@services
def test_a_test_message_goes_by_every_way_to_one_person(oncall, service, monkeypatch):
    told, address = service
    for variable in ("ANNA_PUSH", "BEN_PUSH", "BEN_SMS", "SLACK"):
        monkeypatch.setenv(variable, address)
    code, out, err = oncall(BASE + ROTA + CHAIN, "--test", "ben cole", at="")
    assert (code, out) == (0, "sent    push to Ben Cole\nsent    sms to Ben Cole\n")
    assert err.startswith("Ask whether it has arrived")
    assert len(told) == 2
    assert all("test" in one.lower() for one in told)
    assert oncall(BASE + ROTA + CHAIN, "--test", "slack", at="")[1] == "sent    slack\n"


@services
def test_a_test_message_needs_only_the_addresses_of_whom_it_is_for(oncall, service, here, monkeypatch):
    told, address = service
    monkeypatch.setenv("BEN_SMS", address)
    monkeypatch.delenv("BEN_PUSH")
    monkeypatch.delenv("ANNA_PUSH")
    code, out, _ = oncall(BASE + ROTA + CHAIN, "--test", "Ben Cole", at="")
    missing = '[[output]] "push" of Ben Cole: the environment has no BEN_PUSH; set it.'
    assert (code, out) == (1, f"failed  {here / 'crisisdesk.toml'}:19: {missing}\nsent    sms to Ben Cole\n")
    assert len(told) == 1


@services
def test_a_test_message_that_is_not_taken_is_told(oncall, monkeypatch):
    for variable in ("ANNA_PUSH", "BEN_PUSH"):
        monkeypatch.setenv(variable, "json://127.0.0.1:9")
    code, out, _ = oncall(BASE + ROTA + CHAIN, "--test", "Anna Berg", at="")
    assert code == 1
    assert out.startswith("failed  push to Anna Berg: ")


DOCUMENT = (Path(__file__).parents[2] / "docs" / "oncall.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```toml\n(.*?)```", DOCUMENT, re.DOTALL)


def test_the_documented_pieces_fit_together(oncall):
    pieces = "".join(one for one in EXAMPLES if "[desk]" not in one)
    code, out, err = oncall(BASE[: BASE.index('[[output]]\nkind = "notify"')] + pieces)
    assert (code, err) == (0, "")
    assert "now   Cem Demir" in out


def test_the_documented_example_says_what_the_document_says(oncall):
    (whole,) = [one for one in EXAMPLES if "[desk]" in one]
    assert oncall(whole)[1] in DOCUMENT
