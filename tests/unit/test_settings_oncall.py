"""[calling], [[rota]], [[chain]] and [[planned]]: what can be written, and what is said of mistakes."""
# ruff: noqa: E501  (messages stand here as people see them, in one line)

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from crisisdesk.cli.orders import agreed, planned
from crisisdesk.detect.planned import Planned
from crisisdesk.errors import ConfigurationError
from crisisdesk.oncall.addresses import Address
from crisisdesk.oncall.chain import Step
from crisisdesk.oncall.hours import Hours
from crisisdesk.oncall.rota import Shift, Swap
from crisisdesk.records import Kind, Severity
from crisisdesk.settings import Settings, load
from crisisdesk.settings.oncall.choice import uncovered

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
"""
WAYS = """\
[[output]]
kind = "notify"
name = "push"
url_env = { "Anna Berg" = "ANNA_PUSH", "Ben Cole" = "BEN_PUSH" }
[[output]]
kind = "notify"
name = "sms"
url_env = { "Anna Berg" = "ANNA_SMS" }
[[output]]
kind = "notify"
name = "slack"
url_env = "SLACK"
"""
ROTA = """\
[[rota]]
name = "comms"
[[rota.shift]]
days = "Mo-Fr"
hours = "08:00-20:00"
people = ["Anna Berg", "Ben Cole"]
starting = 2026-11-23
[[rota.shift]]
people = "Ben Cole"
[[rota.swap]]
from = "2026-12-24 08:00"
to = 2026-12-27 08:00:00
person = "Ben Cole"
instead_of = "Anna Berg"
"""
CHAIN = """\
[[chain]]
name = "red"
watches = ["Motrin"]
kinds = ["spike", "blind"]
severities = ["red"]
rounds = 2
quiet = { amber = "22:00-07:00" }
[[chain.step]]
tell = "comms"
by = "push"
wait = "5 Minuten"
times = 2
[[chain.step]]
tell = ["Ben Cole", "slack"]
"""
STEP = '[[chain.step]]\ntell = "slack"\n'


@pytest.fixture
def read(tmp_path: Path):
    def reading(*parts: str) -> Settings:
        path = tmp_path / "crisisdesk.toml"
        path.write_text("".join(parts), encoding="utf-8")
        return load(path)

    return reading


@pytest.fixture
def wrong(read, tmp_path):
    """What is wrong: messages without the file's name, and for each the text of the line that it names."""

    def told(*parts: str) -> list[tuple[str, str]]:
        with pytest.raises(ConfigurationError) as caught:
            read(*parts)
        lines = "".join(parts).split("\n")
        found = [
            one.removeprefix(f"{tmp_path / 'crisisdesk.toml'}:").split(": ", 1) for one in str(caught.value).split("\n")
        ]
        return [(lines[int(number) - 1], what) for number, what in found]

    return told


def test_all_of_it_becomes_orders(read):
    orders = agreed(
        read(BASE, WAYS, ROTA, CHAIN, '[calling]\ngroup_wait = "1 minute"\nacknowledged_for = "2 Stunden"\n')
    )
    assert (orders.group_wait, orders.acknowledged_for) == (timedelta(minutes=1), timedelta(hours=2))
    assert orders.zone == ZoneInfo("Europe/Berlin")
    assert orders.addresses == (
        Address("push", "Anna Berg"),
        Address("push", "Ben Cole"),
        Address("sms", "Anna Berg"),
        Address("slack"),
    )
    comms = orders.rotas["comms"]
    assert comms.zone == ZoneInfo("Europe/Berlin")
    assert comms.shifts == (
        Shift(("Anna Berg", "Ben Cole"), frozenset(range(5)), Hours("08:00-20:00"), date(2026, 11, 23)),
        Shift(("Ben Cole",)),
    )
    start, end = datetime(2026, 12, 24, 7, tzinfo=UTC), datetime(2026, 12, 27, 7, tzinfo=UTC)
    assert comms.swaps == (Swap(start, end, "Ben Cole", "Anna Berg"),)
    (red,) = orders.chains
    assert (red.watches, red.kinds, red.severities) == ({"Motrin"}, {Kind.SPIKE, Kind.BLIND}, {Severity.RED})
    assert (red.rounds, red.quiet) == (2, {Severity.AMBER: Hours("22:00-07:00")})
    assert red.steps == (
        Step(("comms",), ("push",), timedelta(minutes=5), 2),
        Step(("Ben Cole", "slack"), (), timedelta(minutes=5)),
    )


def test_without_a_chain_everybody_is_told_three_times(read):
    orders = agreed(read(BASE, WAYS))
    (chain,) = orders.chains
    (step,) = chain.steps
    assert (step.times, step.wait, chain.rounds) == (3, timedelta(minutes=15), 1)
    assert orders.reached(step, datetime(2026, 11, 23, tzinfo=UTC)) == orders.addresses
    assert chain.severities == {Severity.AMBER, Severity.RED}


def test_without_addresses_there_are_no_orders(read):
    assert agreed(read(BASE)).chains == ()
    assert agreed(read(BASE)).addresses == ()


def test_a_rota_may_have_clocks_of_its_own(read):
    zone = 'name = "comms"\ntimezone = "America/New_York"\n'
    comms = agreed(read(BASE, WAYS, ROTA.replace('name = "comms"\n', zone))).rotas["comms"]
    assert comms.zone == ZoneInfo("America/New_York")
    assert comms.swaps[0].start == datetime(2026, 12, 24, 13, tzinfo=UTC)


def test_the_order_of_people_may_repeat_somebody(read):
    people = 'people = ["Anna Berg", "Ben Cole", "Anna Berg"]'
    comms = agreed(read(BASE, WAYS, ROTA.replace('people = ["Anna Berg", "Ben Cole"]', people))).rotas["comms"]
    assert comms.shifts[0].people == ("Anna Berg", "Ben Cole", "Anna Berg")


def test_planned_events_are_told_for_each_watch(read):
    text = '[[planned]]\nwatch = ["Motrin", "Aspirin"]\nfrom = "27.11.2026 6:00"\nto = "2026-11-30T00:00Z"\nreason = "Black Friday"\n'
    start, end = datetime(2026, 11, 27, 5, tzinfo=UTC), datetime(2026, 11, 30, tzinfo=UTC)
    assert planned(read(BASE, text)) == tuple(
        Planned(watch, start, end, "Black Friday") for watch in ("Motrin", "Aspirin")
    )


@pytest.mark.parametrize(
    ("old", "new", "line", "what"),
    [
        ('people = ["Anna Berg", "Ben Cole"]', 'people = ["Ana Berg", "Ben Cole"]', "", "'people' in [[rota.shift]] of \"comms\": 'Ana Berg' has no address in any output; did you mean 'Anna Berg'?"),
        ('people = "Ben Cole"', 'people = "Dora Ek"', "", "'people' in [[rota.shift]] of \"comms\": 'Dora Ek' has no address in any output; give one in an [[output]] with kind = \"notify\", such as url_env = { \"Dora Ek\" = \"…\" }"),
        ("starting = 2026-11-23\n", "", "[[rota.shift]]", "[[rota.shift]] of \"comms\" has 2 people but no 'starting'; add a day of Anna Berg's first week, such as starting = 2026-11-23"),
        ("starting = 2026-11-23", 'starting = "next week"', "", "'starting' in [[rota.shift]] of \"comms\": 'next week' is no day; write it like 2026-11-23"),
        ("starting = 2026-11-23", "starting = 2026-11-23 08:00:00", "", "'starting' in [[rota.shift]] of \"comms\" must be a day, without a time; write it like 2026-11-23"),
        ('days = "Mo-Fr"', 'days = "Mo-Freitg"', "", "'days' in [[rota.shift]] of \"comms\": 'freitg' is no day of the week; did you mean Freitag?"),
        ('hours = "08:00-20:00"', 'hours = "8 to late"', "", "'hours' in [[rota.shift]] of \"comms\": '8 to late' are no hours of the day; write them like \"08:00-20:00\", or \"22:00-07:00\" for over midnight"),
        ("to = 2026-12-27 08:00:00", 'to = "2026-12-23 08:00"', "", "'to' in [[rota.swap]] of \"comms\": 2026-12-23 08:00 is not after 'from', 2026-12-24 08:00; swap them?"),
        ("to = 2026-12-27 08:00:00", "to = 2026-12-27", "", "'to' in [[rota.swap]] of \"comms\": '2026-12-27' does not say at what time; write day and time like \"2026-12-24 08:00\""),
        ('from = "2026-12-24 08:00"', 'from = "Christmas"', "", "'from' in [[rota.swap]] of \"comms\": 'Christmas' is no moment; write day and time like \"2026-12-24 08:00\""),
        ('from = "2026-12-24 08:00"\n', "", "[[rota.swap]]", "[[rota.swap]] of \"comms\" has no 'from'; add from = \"2026-12-24 08:00\""),
        ('person = "Ben Cole"', 'person = "Ben Coal"', "", "'person' in [[rota.swap]] of \"comms\": 'Ben Coal' has no address in any output; did you mean 'Ben Cole'?"),
        ('instead_of = "Anna Berg"', 'instead_of = "Anna"', "", "'instead_of' in [[rota.swap]] of \"comms\": 'Anna' has no shift in \"comms\", so nobody is replaced; did you mean 'Anna Berg'?"),
        ('hours = "08:00-20:00"', 'hour = "08:00-20:00"', "", "unknown key 'hour' in [[rota.shift]] of \"comms\"; did you mean 'hours'?"),
        ('name = "comms"', 'name = "slack"', "", '[[rota]] "slack" is called like an output; give it a name of its own'),
        ('tell = "comms"', 'tell = "coms"', "", "'tell' in [[chain.step]] of \"red\": 'coms' is unknown; did you mean 'comms'?"),
        ('tell = "comms"', 'tell = "ben"', "", "'tell' in [[chain.step]] of \"red\": 'ben' is unknown; did you mean 'Ben Cole'?"),
        ('tell = "comms"', 'tell = "push"', "", "'tell' in [[chain.step]] of \"red\": 'push' is no room but reaches people by name; name them, or a rota"),
        ('by = "push"', 'by = "pusch"', "", "'by' in [[chain.step]] of \"red\": 'pusch' is unknown; did you mean 'push'?"),
        ('by = "push"', 'by = ["sms"]', "", "'by' in [[chain.step]] of \"red\": 'sms' does not reach Ben Cole of comms; write 'push', or give it an address there"),
        ('by = "push"', 'by = ["push", "slack"]', "", "'by' in [[chain.step]] of \"red\": 'slack' is a room; name it in 'tell' to have it told"),
        ('wait = "5 Minuten"', 'wait = "soon"', "", "'wait' in [[chain.step]] of \"red\": 'soon' is no length of time; write it like \"5 minutes\""),
        ('wait = "5 Minuten"', 'wait = "1 second"', "", "'wait' in [[chain.step]] of \"red\": '1 second' is not between 10 seconds and a day"),
        ('wait = "5 Minuten"', "wait = 5", "", "'wait' in [[chain.step]] of \"red\" must be a time in quotes; write it with its unit, like \"5 minutes\""),
        ('wait = "5 Minuten"', 'wait = "5"', "", "'wait' in [[chain.step]] of \"red\": '5' of what? Write it with its unit, like \"5 minutes\""),
        ("times = 2", "times = 0", "", "'times' in [[chain.step]] of \"red\" must be at least 1"),
        ('tell = "comms"\n', "", "[[chain.step]]", "[[chain.step]] of \"red\" has no 'tell'; add tell = \"Anna Berg\""),
        ('watches = ["Motrin"]', 'watches = ["Motrim"]', "", "'watches' in [[chain]] \"red\": 'Motrim' is unknown; did you mean 'Motrin'?"),
        ('severities = ["red"]', 'severities = ["notice"]', "", "'severities' in [[chain]] \"red\": 'notice' calls nobody, it stands in the feed only; write 'amber' or 'red'"),
        ('severities = ["red"]', 'severities = ["read"]', "", "'severities' in [[chain]] \"red\": 'read' is no severity; did you mean 'red'?"),
        ('kinds = ["spike", "blind"]', 'kinds = ["spikes"]', "", "'kinds' in [[chain]] \"red\": 'spikes' is no kind of incident; did you mean 'spike'?"),
        ('quiet = { amber = "22:00-07:00" }', 'quiet = { amber = "22:00" }', "", "'quiet' in [[chain]] \"red\": '22:00' are no hours of the day; write them like \"08:00-20:00\", or \"22:00-07:00\" for over midnight"),
        ('quiet = { amber = "22:00-07:00" }', 'quiet = { amber = "00:00-24:00" }', "", "'quiet' in [[chain]] \"red\" is the whole day of amber, so that it never calls; leave it out of 'severities'"),
        ('quiet = { amber = "22:00-07:00" }', 'quiet = { green = "22:00-07:00" }', "", "'quiet' in [[chain]] \"red\": 'green' is no severity; write \"amber\" or \"red\""),
        ("[[chain.step]]", "[[chain.steps]]", "[[chain.steps]]", "unknown key 'steps' in [[chain]] \"red\"; did you mean 'step'?"),
        ("[[rota.swap]]", "[rota.swap]", "[rota.swap]", "'rota.swap' must be a list of tables; write [[rota.swap]], with two brackets, once for each"),
    ],
)  # fmt: skip
def test_each_mistake_is_told_with_its_line_and_its_cure(wrong, old, new, line, what):
    text = ROTA + CHAIN
    assert old in text
    text = text.replace(old, new) if old == "[[chain.step]]" else text.replace(old, new, 1)
    assert (line or new, what) in wrong(BASE, WAYS, text)


def test_a_misspelt_person_is_one_mistake(wrong):
    assert wrong(BASE, WAYS, ROTA.replace('people = "Ben Cole"', 'people = "Karla Roth"'), CHAIN) == [
        (
            'people = "Karla Roth"',
            '\'people\' in [[rota.shift]] of "comms": \'Karla Roth\' has no address in any output; give one in an [[output]] with kind = "notify", such as url_env = { "Karla Roth" = "…" }',
        )
    ]


@pytest.mark.parametrize(
    ("name", "other"), [("anna berg", "Anna Berg"), ("Jonas Weiss", "Jonas Weiß"), ("Jörg Muller", "Joerg Muller")]
)
def test_one_name_in_two_spellings_would_be_two_people(wrong, name, other):
    push = f'[[output]]\nkind = "notify"\nname = "push"\nurl_env = {{ "{other}" = "A" }}\n'
    mail = f'[[output]]\nkind = "notify"\nname = "mail"\nurl_env = {{ "{name}" = "B" }}\n'
    assert wrong(BASE, push, mail) == [
        (
            f'url_env = {{ "{name}" = "B" }}',
            f"'url_env' in [[output]] \"mail\": '{name}' is '{other}' in [[output]] \"push\"; write the name alike everywhere",
        )
    ]


def test_an_output_that_is_called_like_a_person(wrong):
    assert wrong(BASE, WAYS.replace('"slack"', '"Anna berg"')) == [
        (
            'name = "Anna berg"',
            "[[output]] \"Anna berg\" is called like a person, 'Anna Berg'; give it a name of its own",
        )
    ]


SHIFT = '[[rota.shift]]\npeople = "Anna Berg"\n'


@pytest.mark.parametrize(
    "shifts",
    [
        [SHIFT, f'{SHIFT}days = "Sat"\n'],
        [f'{SHIFT}hours = "09:00-09:00"\n', f'{SHIFT}hours = "20:00-08:00"\n'],
        [f'{SHIFT}days = "Mon-Thu"\n', f'{SHIFT}days = "Fri-Sun"\n', SHIFT],
        [f'{SHIFT}days = "Sun"\nhours = "22:00-10:00"\n', f'{SHIFT}days = "Mon"\nhours = "06:00-10:00"\n'],
    ],
)
def test_a_shift_that_can_never_count_is_told(wrong, shifts):
    (found,) = wrong(BASE, WAYS, '[[rota]]\nname = "comms"\n', *shifts)
    cure = "put it before them, or take it out"
    said = f'[[rota.shift]] {len(shifts)} of "comms" never counts: those before it are for all of its hours; {cure}'
    assert found == ("[[rota.shift]]", said)


def test_a_shift_that_counts_for_some_minutes_is_one(read):
    night = f'{SHIFT}days = "Sun"\nhours = "22:00-10:00"\n'
    read(BASE, WAYS, '[[rota]]\nname = "comms"\n', night, f'{SHIFT}days = "Mon"\nhours = "06:00-10:01"\n')


def test_times_as_people_abbreviate_them(read):
    found = read(BASE, WAYS, ROTA.replace("2026-12-24 08:00", "2026-12-24 8:00"), CHAIN.replace("5 Minuten", "5 Min."))
    assert found.chains[0].steps[0].wait == timedelta(minutes=5)
    assert found.rotas[0].swaps[0].start == datetime(2026, 12, 24, 8)  # noqa: DTZ001  by the clocks on the wall


@pytest.mark.parametrize(("table", "kind", "near"), [("output", "notfy", "notify"), ("source", "blusky", "bluesky")])
def test_a_misspelt_kind_has_the_nearest(wrong, table, kind, near):
    (found,) = wrong(BASE, f'[[{table}]]\nkind = "{kind}"\n')
    assert found[1] == f"kind '{kind}' in [[{table}]] is not available in this version; did you mean '{near}'?"


def test_a_rota_without_shifts_and_a_chain_without_steps(wrong):
    found = wrong(BASE, WAYS, '[[rota]]\nname = "comms"\n[[chain]]\nname = "red"\n')
    assert [what for _, what in found] == [
        '[[rota]] "comms" has no [[rota.shift]], so that nobody is ever on; add one',
        '[[chain]] "red" has no [[chain.step]], so that it calls nobody; add one',
    ]


def test_two_of_one_name(wrong):
    (found,) = wrong(BASE, WAYS, f'[[chain]]\nname = "a"\nseverities = "red"\n{STEP}[[chain]]\nname = "a"\n{STEP}')
    assert found == ('name = "a"', 'two [[chain]] are called "a" (the other in line 25); give each its own name')


def test_people_can_only_be_called_by_an_output(wrong):
    assert wrong(BASE, ROTA) == [
        ("[[rota]]", 'nobody can be called: there is no [[output]] with kind = "notify"; add one')
    ]


def test_every_mistake_is_told_at_once_in_its_own_line(wrong):
    found = wrong(BASE, WAYS, ROTA.replace("Ben Cole", "Ben Coal"), CHAIN.replace("comms", "coms"))
    assert [line for line, _ in found] == [
        'people = ["Anna Berg", "Ben Coal"]',
        'people = "Ben Coal"',
        'person = "Ben Coal"',
        'tell = "coms"',
    ]


def test_a_chain_behind_one_that_fits_everything_is_told(wrong, read):
    every, red = f'[[chain]]\nname = "all"\n{STEP}', f'[[chain]]\nname = "red"\nseverities = "red"\n{STEP}'
    (found,) = wrong(BASE, WAYS, every, red)
    assert found == (
        "[[chain]]",
        '[[chain]] "red" never calls: those before it are for all that it is for; put it before them, or take it out',
    )
    assert len(read(BASE, WAYS, red, every).chains) == 2


def test_a_chain_behind_several_that_fit_everything_together_is_told(wrong):
    parts = [f'[[chain]]\nname = "{one}"\nseverities = "{one}"\nwatches = "Motrin"\n{STEP}' for one in ("red", "amber")]
    both = f'[[chain]]\nname = "both"\nwatches = ["Motrin"]\nkinds = "spike"\n{STEP}'
    (found,) = wrong(BASE, WAYS, *parts, both)
    assert found[1].startswith('[[chain]] "both" never calls')


@pytest.mark.parametrize(
    ("chain", "missing"),
    [
        ("", []),
        ('severities = "red"', ["an amber incident"]),
        ('watches = "Motrin"', ["a red incident of other watches, of blind sources", "an amber incident of other watches, of blind sources"]),
        ('kinds = "spike"', ["a red incident of blind sources", "an amber incident of blind sources, of any watch (brigading)"]),
        ('watches = ["Motrin", "Aspirin", "bluesky"]', ["a red incident of other sources", "an amber incident of other sources"]),
    ],
)  # fmt: skip
def test_what_no_chain_is_for_can_be_told(read, chain, missing):
    settings = read(BASE, WAYS, f'[[chain]]\nname = "one"\n{chain}\n{STEP}')
    assert [said for _, said in uncovered(settings)] == [
        f"No [[chain]] is for {one}: nobody is called; add one, or widen one." for one in missing
    ]


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        ('[calling]\ngroup_wait = "2 hours"', 'group_wait = "2 hours"', "'group_wait' in [calling]: '2 hours' is too long; at most an hour"),
        ("[calling]\nacknowledged_for = 60", "acknowledged_for = 60", "'acknowledged_for' in [calling] must be a time in quotes; write it with its unit, like \"60 minutes\""),
        ("[calling]\nacknowledged_for = true", "acknowledged_for = true", "'acknowledged_for' in [calling] must be a time in quotes; write it with its unit, like \"60 minutes\""),
        ('[calling]\nlink = "https://desk.example/{id}"', 'link = "https://desk.example/{id}"', "'link' in [calling] holds {id}; what can stand there is {incident}"),
        ('[calling]\nlink = "desk"', 'link = "desk"', "'link' in [calling] must be a web address such as \"https://tickets.example/?crisis={incident}\""),
        ("[[calling]]", "[[calling]]", "'calling' must be one table; write [calling] and its keys below"),
        ('[[planned]]\nwatch = "Motrim"\nfrom = "2026-11-27 06:00"\nto = "2026-11-30 00:00"\nreason = "x"', 'watch = "Motrim"', "'watch' in [[planned]]: 'Motrim' is unknown; did you mean 'Motrin'?"),
        ('[[planned]]\nwatch = "Motrin"\nfrom = "2026-11-27 06:00"\nto = "2026-11-27 06:00"\nreason = "x"', 'to = "2026-11-27 06:00"', "'to' in [[planned]]: 2026-11-27 06:00 is not after 'from', 2026-11-27 06:00; swap them?"),
    ],
)  # fmt: skip
def test_mistakes_elsewhere(wrong, text, line, what):
    assert wrong(BASE, text) == [(line, what)]
