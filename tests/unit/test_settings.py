"""The configuration: found, read, and explained where it is wrong."""
# ruff: noqa: E501  (messages stand here as people see them, in one line)

import tomllib
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crisisdesk.detect.severity import SeverityRules
from crisisdesk.errors import ConfigurationError, UsageError
from crisisdesk.settings import (
    BLUESKY_URLS,
    DAYS_PER_MONTH,
    EXAMPLE,
    BlueskySource,
    FileSourceSettings,
    MqttOutput,
    Settings,
    find,
    load,
    parse_false_alarms,
)
from crisisdesk.settings.explain import OUTPUT_KINDS, SOURCE_KINDS
from crisisdesk.settings.model import SeveritySettings
from crisisdesk.settings.number import parse_number
from crisisdesk.settings.oncall.calling import CallingSettings
from crisisdesk.settings.places import line_of, lines_of
from crisisdesk.settings.usual import parse_usual, parse_zone

SMALLEST = """\
[desk]
name = "acme"
database = "acme.db"
playbooks = "playbooks/"

[[watch]]
name = "Motrin"
terms = ["motrin", "#motrinmoms", "pain reliever"]
false_alarms = "1 per month"

[[source]]
kind = "bluesky"                        # a comment
url = "ws://127.0.0.1:8080/subscribe"

[[output]]
kind = "mqtt"                           # mqtt | notify | webhook
host = "127.0.0.1"
port = 1883
heartbeat_seconds = 30
"""
DESK = '[desk]\nname = "acme"\n'
MQTT = '[[output]]\nkind = "mqtt"\nhost = "h"\n'


@pytest.fixture
def toml(tmp_path):
    """Load a text as a configuration file."""

    def loaded(text: str) -> Settings:
        path = tmp_path / "crisisdesk.toml"
        path.write_text(text, encoding="utf-8")
        return load(path)

    return loaded


@pytest.fixture
def problems(toml, tmp_path):
    """What is wrong with a text, without the file's name."""

    def told(text: str) -> list[str]:
        with pytest.raises(ConfigurationError) as caught:
            toml(text)
        prefix = f"{tmp_path / 'crisisdesk.toml'}:"
        lines = str(caught.value).split("\n")
        assert all(line.startswith(prefix) for line in lines)
        return [line.removeprefix(prefix) for line in lines]

    return told


def test_the_smallest_useful_file(toml, tmp_path):
    read = toml(SMALLEST)
    assert (read.desk.name, read.desk.database, read.desk.playbooks) == (
        "acme",
        tmp_path / "acme.db",
        tmp_path / "playbooks",
    )
    (watch,) = read.watches
    assert (watch.name, watch.terms) == ("Motrin", ("motrin", "#motrinmoms", "pain reliever"))
    assert (watch.not_terms, watch.languages, watch.false_alarms) == ((), (), 1.0)
    assert read.sources == (BlueskySource(kind="bluesky", url="ws://127.0.0.1:8080/subscribe"),)
    assert read.outputs == (MqttOutput(kind="mqtt", host="127.0.0.1", port=1883, heartbeat_seconds=30.0),)


def test_defaults_and_choices(toml, tmp_path):
    text = DESK + '[[watch]]\nname="A"\nterms=["a"]\nnot=["b"]\nlanguages=["DE"]\nfalse_alarms="strict"\n'
    read = toml(
        text
        + '[[source]]\nkind="bluesky"\n[[source]]\nkind="file"\npath="p/posts.jsonl.gz"\n[[source]]\nkind="file"\npath="-"\n'
    )
    assert read.desk.database == tmp_path / "crisisdesk.db"
    assert read.desk.playbooks is None
    assert read.watches[0].not_terms == ("b",)
    assert read.watches[0].languages == ("de",)
    assert read.watches[0].false_alarms == 0.25
    assert [(source.name, getattr(source, "path", None)) for source in read.sources] == [
        ("bluesky", None),
        ("posts.jsonl.gz", tmp_path / "p/posts.jsonl.gz"),
        ("standard input", Path("-")),
    ]
    assert isinstance(read.sources[0], BlueskySource)
    assert read.sources[0].url == BLUESKY_URLS
    assert isinstance(read.sources[1], FileSourceSettings)


def test_the_example_loads_and_its_choices_can_be_switched_on(toml, tmp_path):
    assert toml(EXAMPLE).desk.database == tmp_path / "crisisdesk.db"
    head = EXAMPLE.index("\n")
    switched_on = EXAMPLE[:head] + "".join(
        f"\n{line.removeprefix('# ') if '=' in line or line.startswith('# [') else line}"
        for line in EXAMPLE[head + 1 :].split("\n")
    )
    read = toml(switched_on)
    assert {source.kind for source in read.sources} == set(SOURCE_KINDS)
    assert {output.kind for output in read.outputs} == set(OUTPUT_KINDS)
    assert read.watches[0].not_terms == ("motrin pm",)
    assert (read.desk.timezone, read.watches[0].timezone) == (ZoneInfo("Europe/Berlin"), ZoneInfo("America/New_York"))
    assert read.watches[0].usual == pytest.approx(20 / 24)
    assert read.severity == SeveritySettings(), "what the example names is what holds without it"
    assert read.calling.model_copy(update={"link": None}) == CallingSettings()
    assert (len(read.rotas), len(read.chains), len(read.planned)) == (1, 1, 1)


def test_the_rules_of_severity_hold_what_the_settings_say():
    assert SeverityRules(**SeveritySettings().model_dump()) == SeverityRules()


def test_a_wrong_severity_names_its_line(problems):
    assert problems(DESK + "[severity]\ncrowd = 0\nred_peple = 4\ngrowth = 9\n") == [
        "4: 'crowd' in [severity] must be more than 0",
        "5: unknown key 'red_peple' in [severity]; did you mean 'red_people'?",
        "6: 'growth' in [severity] must be at most 4",
    ]
    assert problems(DESK + "[[severity]]\ncrowd = 9\n") == [
        "3: 'severity' must be one table; write [severity] and its keys below"
    ]


@pytest.mark.parametrize(
    ("text", "number"),
    [("1000", 1000), ("1.000", 1000), ("1,000", 1000), ("1 000", 1000), ("1\u202f000", 1000), ("1'000", 1000),
     ("1.5", 1.5), ("1,5", 1.5), ("0.500", 0.5), ("1.000,5", 1000.5), ("1,000.5", 1000.5), ("1.234.567", 1234567),
     ("1234.567", 1234.567)],
)  # fmt: skip
def test_a_sign_before_three_digits_stands_for_thousands(text, number):
    assert parse_number(text) == number


@pytest.mark.parametrize("text", ["", "a", "-1", "1.00.0", "1,2,3", "1.000.00", "1e3", "\u0661"])
def test_no_numbers(text):
    with pytest.raises(ValueError, match="is no number"):
        parse_number(text)


@pytest.mark.parametrize(
    ("line", "cure"),
    [("growth = 0,5", "'growth' is 0,5; write growth = 0.5"),
     ("reach = 100.000  # readers", "'reach' is 100.000; write reach = 100000, or 100.0000 if a fraction is meant"),
     ("reach = 100,000", "'reach' is 100,000; write reach = 100000"),
     ("reach = 1.000.000", "'reach' is 1.000.000; write reach = 1000000"),
     ("crowd = 1.500", "'crowd' is 1.500; write crowd = 1500, or 1.5000 if a fraction is meant")],
)  # fmt: skip
def test_a_number_as_germans_write_it_is_told_how_to_write_it(problems, line, cure):
    assert problems(DESK + f"[severity]\n{line}\n") == [f"4: {cure}"]


def test_a_table_in_capitals_is_told_its_name_in_brackets(problems):
    assert problems(DESK + "[Severity]\n") == ["3: unknown key 'Severity' in the file; did you mean [severity]?"]


@pytest.mark.parametrize(
    ("text", "an_hour"),
    [("about 20 posts a day", 20 / 24), ("20 per day", 20 / 24), ("5 posts an hour", 5), ("3/week", 3 / 168),
     ("ca. 1 post per Hour", 1), ("0.5 posts a day", 0.5 / 24), ("about 1.000 posts a day", 1000 / 24),
     ("about 1,000 posts a day", 1000 / 24), ("1 000 posts a day", 1000 / 24), ("1000 a day", 1000 / 24),
     ("1.5 posts an hour", 1.5), ("1,5 posts an hour", 1.5), ("1.000,5 posts an hour", 1000.5),
     ("etwa 1.000 Beiträge am Tag", 1000 / 24), ("ca. 20 am Tag", 20 / 24), ("3 Beiträge pro Woche", 3 / 168)],
)  # fmt: skip
def test_how_much_is_usual(text, an_hour):
    assert parse_usual(text) == pytest.approx(an_hour)


@pytest.mark.parametrize("text", ["", "20", "a few", "0 posts a day", "20 posts a month", "-3 a day"])
def test_what_does_not_say_how_much_is_usual(text):
    with pytest.raises(UsageError, match="does not say how much is usual; write"):
        parse_usual(text)


@pytest.mark.parametrize(
    ("name", "near"),
    [("Europe/Berln", "Europe/Berlin"), ("Berlin", "Europe/Berlin"), ("new york", "America/New_York"),
     ("Europe/berlin", "Europe/Berlin"), ("MEZ", "Europe/Berlin"), ("MESZ", "Europe/Berlin"),
     ("UTC+1", "Europe/Berlin"), ("PST", "America/Los_Angeles")],
)  # fmt: skip
def test_an_unknown_time_zone_is_told_the_nearest(name, near):
    with pytest.raises(UsageError, match=f'is no time zone; did you mean "{near}"'):
        parse_zone(name)


def test_a_time_zone_out_of_nowhere_is_told_how_they_look():
    for name in ("../../etc/passwd", "GMT+2", "UTC+2", "IST", "JST", "Moskau"):
        with pytest.raises(UsageError, match="is no time zone; name the nearest large city, like"):
            parse_zone(name)


def test_reading_creates_nothing_and_settings_do_not_change(toml, tmp_path):
    read = toml(SMALLEST)
    assert [path.name for path in tmp_path.iterdir()] == ["crisisdesk.toml"]
    with pytest.raises(ValueError, match="frozen"):
        read.desk.name = "b"  # type: ignore[misc]


@pytest.mark.parametrize(
    ("text", "a_month"),
    [("1 per month", 1), ("4 per month", 4), (" 4 Per Month ", 4), ("1/4 a month", 0.25), ("0.5 per month", 0.5),
     ("1 per week", DAYS_PER_MONTH / 7), ("2 per day", 2 * DAYS_PER_MONTH), ("12 a year", 1),
     ("sensitive", 4), ("balanced", 1), ("Strict", 0.25), ("0,5 per month", 0.5), ("once a month", 1),
     ("4 im Monat", 4), ("einmal pro Woche", DAYS_PER_MONTH / 7)],
)  # fmt: skip
def test_false_alarm_budgets(text, a_month):
    assert parse_false_alarms(text) == pytest.approx(a_month)


@pytest.mark.parametrize(
    "text",
    ["", "often", "1", "0 per month", "-1 per month", "1/0 per month", "999 per day", "\u0661 per day", "1 per hour"],
)
def test_no_budgets(text):
    with pytest.raises(UsageError, match='write "1 per month", "4 per month", "1 per week", or "sensitive"'):
        parse_false_alarms(text)


def test_an_unknown_key_names_its_line_and_the_nearest(problems):
    text = (
        DESK
        + '\n[[watch]]\nname = "A"\nterms = ["a"]\n\n[[watch]]\nname = "Motrin"\nterms = ["m"]\nfals_alarms = "1"\n'
    )
    assert problems(text) == ["""11: unknown key 'fals_alarms' in [[watch]] "Motrin"; did you mean 'false_alarms'?"""]
    assert problems(DESK + "[limits]\n") == [
        "3: unknown key 'limits' in the file; the keys there are desk, severity, server, privacy, watch, source, output, calling, rota, chain, planned"
    ]
    assert problems(DESK + "[[wacht]]\n") == ["3: unknown key 'wacht' in the file; did you mean [[watch]]?"]
    assert problems("[desk]\nname='a'\nDatabase='b'")[0].endswith("did you mean 'database'?")


def test_everything_that_is_wrong_is_told_at_once_in_order(problems):
    text = """\
[desk]
database = 3

[[watch]]
name = "B"
terms = "motrin"
not = [
  1,
  "#",
]
languages = ["english"]
false_alarms = "often"

[[watch]]
terms = []
false_alarms = 3

[[source]]
kind = "myspace"

[[source]]
kind = "bluesky"
url = "http://x"

[[source]]
path = "x"

[[source]]
kind = "file"
pth = ""

[[output]]
kind = "pigeon"
url = "x"

[[output]]
kind = "mqtt"
host = ""
port = 70000
heartbeat_seconds = "x"
password = "secret"
"""
    told = problems(text)
    assert told == [
        "1: [desk] has no 'name'; add name = \"…\"",
        "2: 'database' in [desk] must be a path in quotes",
        '6: \'terms\' in [[watch]] "B" must be a list in brackets, such as ["one", "two"]',
        "7: 'not' in [[watch]] \"B\" must be a text in quotes",
        "7: 'not' in [[watch]] \"B\": '#' holds nothing to look for; write a word, #tag, @name or phrase",
        '11: \'languages\' in [[watch]] "B": \'english\' is no language; write it like "en" or "de"',
        '12: \'false_alarms\' in [[watch]] "B": \'often\' is no false-alarm budget; write "1 per month", "4 per month", "1 per week", or "sensitive", "balanced" or "strict"',
        "14: [[watch]] has no 'name'; add name = \"…\"",
        "15: 'terms' in [[watch]] must not be empty",
        "16: 'false_alarms' in [[watch]] must be a text in quotes such as \"1 per month\"",
        f"19: kind 'myspace' in [[source]] is not available in this version; available: {', '.join(SOURCE_KINDS)}",
        f'23: \'url\' in [[source]] "bluesky" must be a websocket address such as "{BLUESKY_URLS[0]}", or a list of them',
        "25: [[source]] has no 'kind'; add kind = " + " or ".join(f'"{kind}"' for kind in SOURCE_KINDS),
        '28: [[source]] "file" has no \'path\'; add path = "posts.jsonl"',
        "30: unknown key 'pth' in [[source]] \"file\"; did you mean 'path'?",
        f"33: kind 'pigeon' in [[output]] is not available in this version; available: {', '.join(OUTPUT_KINDS)}",
        "38: 'host' in [[output]] \"mqtt\" must not be empty",
        "39: 'port' in [[output]] \"mqtt\" must be at most 65535",
        "40: 'heartbeat_seconds' in [[output]] \"mqtt\" must be a number, without quotes",
        "41: unknown key 'password' in [[output]] \"mqtt\"; name its place with 'password_env' or 'password_file' instead",
    ]
    assert "secret" not in "".join(told)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", '1: the file has no table [desk]; add [desk] with name = "acme"'),
        ("desk = 5", "1: 'desk' must be one table; write [desk] and its keys below"),
        (DESK + '[watch]\nname = "a"', "3: 'watch' must be a list of tables; write [[watch]], with two brackets, once for each"),
        ("source = [5]\n" + DESK, "1: [[source]] must be a table"),
        ('watch = [{name = "x"}]\n' + DESK,
         """1: [[watch]] "x" has no 'terms'; add terms = ["motrin", "#motrinmoms", "pain reliever"]"""),
        ('[desk]\nname = "a/b"', """2: 'name' in [desk] must be letters, digits, '-', '_' or '.', at most 64, such as "acme\""""),
        ("[desk]\n\nname = acme\n", "3: is not TOML: invalid value; write key = value, texts in quotes, lists in [brackets]"),
        ('[desk]\nname = "a"\nname = "b"', "3: this key or table is there already; keep one of them"),
        (DESK + "[desk]\n", "3: this key or table is there already; keep one of them"),
        (DESK + "x = [1,\n\n", "3: is not TOML: invalid value; write key = value, texts in quotes, lists in [brackets]"),
        (DESK + '[[watch]]\nname = " A"\nterms = ["a"]', '4: \'name\' in [[watch]] "A" must be a printable name, without spaces before and after'),
        (MQTT + 'password_env = "A"\n' + DESK, "1: [[output]] \"mqtt\" has a password but no 'username'; add it"),
        (MQTT + "port = 1.5\n" + DESK, "4: 'port' in [[output]] \"mqtt\" must be a whole number, without quotes"),
        (MQTT + 'username = "u"\npassword_env = "A"\npassword_file = "b"\n' + DESK,
         "1: [[output]] \"mqtt\" has both 'password_env' and 'password_file'; keep one of them"),
    ],
)  # fmt: skip
def test_single_problems(problems, text, problem):
    assert problems(text) == [problem]


def test_two_things_of_one_name(problems):
    watch = '[[watch]]\nname = "A"\nterms = ["a"]\n'
    source = '[[source]]\nkind = "bluesky"\n'
    assert problems(DESK + watch + watch + source + source) == [
        '7: two [[watch]] are called "A" (the other in line 4); give each its own name',
        '11: two [[source]] are called "bluesky" (the other in line 9); give each its own name',
    ]


def test_two_sources_of_one_file(problems):
    """Its posts would count twice."""
    source = '[[source]]\nkind = "file"\nname = "{}"\npath = "{}"\n'
    assert problems(DESK + source.format("a", "posts.jsonl") + source.format("b", "x/../posts.jsonl")) == [
        "10: another [[source]] (line 6) reads this file; take one of them out",
    ]


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    with pytest.raises(ConfigurationError, match=r"gone\.toml: cannot be read \(no such file or directory\)"):
        load(tmp_path / "gone.toml")
    path = tmp_path / "latin.toml"
    path.write_bytes(b'[desk]\nname = "caf\xe9"\n')
    with pytest.raises(ConfigurationError, match=r"latin\.toml: cannot be read \(it is not utf-8 text\)"):
        load(path)


def test_a_byte_order_mark_and_windows_line_ends_do_no_harm(tmp_path):
    path = tmp_path / "a.toml"
    path.write_bytes(b"\xef\xbb\xbf" + SMALLEST.replace("\n", "\r\n").encode())
    assert load(path).desk.name == "acme"
    path.write_bytes(path.read_bytes() + b"fals = 1\r\n")
    with pytest.raises(ConfigurationError, match=r"a\.toml:20: unknown key 'fals'"):
        load(path)


def test_where_the_configuration_is_found(tmp_path):
    cwd, user = tmp_path / "cwd", tmp_path / "user"
    cwd.mkdir()
    user.mkdir()
    assert find(None, {}, cwd, user) is None
    (user / "crisisdesk.toml").touch()
    assert find(None, {}, cwd, user) == user / "crisisdesk.toml"
    (cwd / "crisisdesk.toml").touch()
    assert find(None, {}, cwd, user) == cwd / "crisisdesk.toml"
    assert find(None, {"CRISISDESK_CONFIG": "named.toml"}, cwd, user) == Path("named.toml")
    assert find(Path("said.toml"), {"CRISISDESK_CONFIG": "named.toml"}, cwd, user) == Path("said.toml")


def test_a_secret_in_the_place_of_its_variable_is_not_repeated(problems):
    (told,) = problems(DESK + MQTT + 'username = "u"\npassword_env = "abcdef1234"\n')
    assert "must be the name of an environment variable" in told
    assert "abcdef1234" not in told


def test_passwords_are_looked_up_and_never_kept(toml, tmp_path):
    by_env = toml(DESK + MQTT + 'username = "u"\npassword_env = "BROKER"\n').outputs[0]
    assert by_env.password({"BROKER": "hush"}) == "hush"
    assert "hush" not in repr(by_env)
    with pytest.raises(ConfigurationError, match="the environment has no BROKER"):
        by_env.password({})
    by_file = toml(DESK + MQTT + 'username = "u"\npassword_file = "secret"\n').outputs[0]
    with pytest.raises(ConfigurationError, match=r"secret: the password of \[\[output\]\] \"mqtt\" cannot be read"):
        by_file.password({})
    (tmp_path / "secret").write_text("hush\n")
    assert by_file.password({}) == "hush"
    assert "hush" not in repr(by_file)
    assert toml(DESK + MQTT).outputs[0].password({}) is None


def test_places_in_a_difficult_text():
    text = '''\
top.deep = 1   # [desk]
"quoted key" = """
[watch]
name = 1 ""\\"
"""
list = [ # [[watch]]
  "]", ']', [1, 2],
  { a = "}" },
]
[ desk . "in.ner" ]
k = 'x = 1'
[[watch]]
a = \'\'\'
b = 2
\'\'\'
[[watch]]
[[watch.sub]]
c = 1
[watch.table]
d = 1
[[watch]]
e = { f = [
 1 ] }
g = 2'''
    tomllib.loads(text)
    lines = lines_of(text)
    expected = {
        ("top", "deep"): 1,
        ("quoted key",): 2,
        ("list",): 6,
        ("desk", "in.ner"): 10,
        ("desk", "in.ner", "k"): 11,
        ("watch", 0): 12,
        ("watch", 0, "a"): 13,
        ("watch", 1): 16,
        ("watch", 1, "sub", 0): 17,
        ("watch", 1, "sub", 0, "c"): 18,
        ("watch", 1, "table"): 19,
        ("watch", 1, "table", "d"): 20,
        ("watch", 2): 21,
        ("watch", 2, "e"): 22,
        ("watch", 2, "g"): 24,
    }
    assert {place: lines.get(place) for place in expected} == expected
    assert line_of(lines, ("watch", 2, "e", "f", 0)) == 22
    assert line_of(lines, ("gone", 1)) == 1


@settings(deadline=None)
@given(
    st.lists(
        st.sampled_from([*SMALLEST.splitlines(), "x = 1", '"" = 1', "a.b = []", "[desk.x]", "é", 'n = """', "'''", ""])
    )
)
def test_any_file_loads_or_is_explained_with_a_line(tmp_path_factory, lines):
    path = tmp_path_factory.getbasetemp() / "any.toml"
    path.write_text("\n".join(lines), encoding="utf-8")
    try:
        load(path)
    except ConfigurationError as error:
        for line in str(error).split("\n"):
            number = int(line.removeprefix(f"{path}:").split(":")[0])
            assert 1 <= number <= max(len(lines), 1)


def test_a_model_is_a_name_of_the_hub_or_a_folder_beside_the_file(toml, tmp_path):
    assert toml(DESK).desk.model is None
    assert toml(DESK + 'model = "acme/moods"').desk.model == "acme/moods"
    (tmp_path / "acme" / "moods").mkdir(parents=True)
    assert toml(DESK + 'model = "acme/moods"').desk.model == str(tmp_path / "acme" / "moods")
    assert toml(DESK + 'model = "./not there"').desk.model == str(tmp_path / "not there")


def test_what_labels_mean_is_a_table_of_moods(toml, problems):
    named = DESK + "model = 'acme/moods'\n"
    assert toml(named + 'model_labels = { "LABEL 0" = "negative" }').desk.model_labels == {"LABEL 0": "negative"}
    assert problems(DESK + "model_labels = { joy = 'positive' }") == [
        "3: 'model_labels' in [desk] says what the labels of another model mean; write which: model = …, or take it out"
    ]
    assert problems(DESK + "model_labels = { joy = 'positiv' }") == [
        "3: 'joy' in [desk]: 'positiv' is no mood; did you mean 'positive'?"
    ]
    assert problems(DESK + "model_labels = 'positive'") == ["3: 'model_labels' in [desk] must be a table"]
    assert problems(DESK + "modl = 'acme/moods'") == ["3: unknown key 'modl' in [desk]; did you mean 'model'?"]
    assert problems(DESK + "model = 7")[0].startswith("3: 'model' in [desk] must be a name of the Hugging Face hub")


def test_red_needs_no_fewer_people_than_amber(problems):
    assert problems(DESK + "[severity]\nred_people = 2\n") == [
        "3: [severity] asks for 3 people for a notice, 4 for amber and 2 for red; each must need as many as the one before or more"
    ]


FILE = '[[source]]\nkind = "file"\npath = "a.csv"\n'


def test_a_table_may_name_its_columns(toml):
    (source,) = toml(DESK + FILE + 'columns = "time=Datum, text=Inhalt"\n').sources
    assert source.columns == {"time": "Datum", "text": "Inhalt"}
    for wrong, told in (
        ('"tiem=Datum"', "'columns' in [[source]] \"file\": 'tiem' is no field of a post; did you mean 'time'?"),
        ('["time"]', '\'columns\' in [[source]] "file" must be a text in quotes such as "time=Datum,text=Inhalt"'),
    ):
        with pytest.raises(ConfigurationError) as caught:
            toml(f"{DESK}{FILE}columns = {wrong}\n")
        assert str(caught.value).endswith(f"crisisdesk.toml:6: {told}")


def test_bluesky_may_be_heard_from_one_server_or_several(toml):
    new = "wss://jetstream.us-east.bsky.network/xrpc/network.bsky.jetstream.subscribeEvents"
    (source,) = toml(
        DESK + f'[[source]]\nkind = "bluesky"\nurl = ["{BLUESKY_URLS[0]}", "{new}"]\ncompress = false\n'
    ).sources
    assert (source.url, source.compress) == ((BLUESKY_URLS[0], new), False)
    for wrong in ("[]", '["https://x"]', "[5]", "5"):
        with pytest.raises(ConfigurationError, match=r"'url' in \[\[source\]\] \"bluesky\" must "):
            toml(DESK + f'[[source]]\nkind = "bluesky"\nurl = {wrong}\n')


def test_a_file_may_be_followed_or_played_at_a_speed(toml):
    (source,) = toml(DESK + FILE + 'follow = true\ntimezone = "Europe/Berlin"\n').sources
    assert (source.follow, source.speed, str(source.timezone)) == (True, None, "Europe/Berlin")
    (source,) = toml(DESK + FILE + "speed = 60\n").sources
    assert (source.follow, source.speed, source.timezone) == (False, 60, None)


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("follow = true\nspeed = 1", "[[source]] \"file\" has both 'follow' and 'speed'; keep one of them"),
        ('follow = "yes"', "'follow' in [[source]] \"file\" must be true or false, without quotes"),
        ("speed = 0", "'speed' in [[source]] \"file\" must be at least 0.1"),
        ('speed = "fast"', "'speed' in [[source]] \"file\" must be a number, without quotes"),
        ('timezone = "MEZ"', "'timezone' in [[source]] \"file\""),
        ("folow = true", "unknown key 'folow' in [[source]] \"file\"; did you mean 'follow'?"),
    ],
)
def test_what_is_wrong_with_a_file_source_is_told_with_its_cure(toml, written, told):
    with pytest.raises(ConfigurationError) as caught:
        toml(f"{DESK}{FILE}{written}\n")
    assert told in str(caught.value)


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("-", "follows standard input, which is read as it comes; take 'follow' out"),
        ("a.csv.gz", "follows a packed file, to which nothing can be added; follow the one that is packed later"),
    ],
)
def test_what_cannot_be_followed_is_told_before_the_start(toml, path, told):
    with pytest.raises(ConfigurationError, match=told):
        toml(DESK + FILE.replace("a.csv", path) + "follow = true\n")


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("terms = [„brummel“]", 'the quotes are not those of a programme; write straight ones: terms = ["brummel"]'),
        ("name = “acme”", 'the quotes are not those of a programme; write straight ones: name = "acme"'),
        ('name = "acme“', 'the quotes are not those of a programme; write straight ones: name = "acme"'),
        ('terms = ["it’s", brummel]', "is not TOML: invalid value; write key = value, texts in quotes, lists in [brackets]"),
        ('terms = ["a" "b"]', "is not TOML: unclosed array; put a comma between every two entries of the list and ] at its end"),
    ],
)  # fmt: skip
def test_quotes_of_word_processors_and_missing_commas_have_their_cure(toml, written, told):
    with pytest.raises(ConfigurationError) as caught:
        toml(f"{DESK}[[watch]]\n{written}\n")
    assert str(caught.value).endswith(f"crisisdesk.toml:4: {told}")


def test_how_much_is_usual_is_shown_in_german_too():
    with pytest.raises(UsageError, match=r'"20 Beiträge am Tag"$'):
        parse_usual("viel")
