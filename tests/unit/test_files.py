"""Reading posts from files that are large, packed, cut off or no posts at all."""

import gzip
import io
import json
import os
import re
import sys
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crisisdesk.errors import UsageError
from crisisdesk.lines import MAX_LINE, BadLine, size_of
from crisisdesk.settings.columns import parse_columns
from crisisdesk.sources.file.reading import read_posts, read_texts
from crisisdesk.sources.posts import text_from

STDIN = Path("-")


def line(text: str = "ouch", **fields: object) -> bytes:
    return orjson.dumps({"time": "2008-11-15T03:40:00Z", "text": text} | fields) + b"\n"


def written(folder: Path, name: str, content: bytes) -> Path:
    path = folder / name
    path.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    return path


def read(*paths: Path, **options) -> tuple[list[str], list[BadLine]]:
    bad: list[BadLine] = []
    return [post.text for post in read_posts(paths, on_bad=bad.append, **options)], bad


def piped(monkeypatch, content: bytes) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BufferedReader(io.BytesIO(content))))


@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz", "a.txt", "packed-without-saying-so"])
def test_json_lines(tmp_path, name):
    content = line("one") + b"\n  \r\n" + line("two").rstrip()
    if name.startswith("packed"):
        content = gzip.compress(content)
    assert read(written(tmp_path, name, content)) == (["one", "two"], [])


def test_files_follow_each_other_and_name_the_source(tmp_path):
    paths = [
        written(tmp_path, "first.v1.jsonl.gz", line("one")),
        written(tmp_path, "second.csv", b"time,text\n2008-11-15T03:40,two\n"),
    ]
    posts = list(read_posts(paths, on_bad=pytest.fail))
    assert [(post.source, post.text) for post in posts] == [("first", "one"), ("second", "two")]


def test_bad_lines_are_told_with_place_and_reason_and_the_run_goes_on(tmp_path):
    content = b"".join(
        (
            b"\xef\xbb\xbf" + line("one"),
            b"not json\n",
            b'{"text": "caf\xe9"}\n',
            b'{"text": "a\x00b"}\n',
            b'["a list"]\n',
            b"{}\n",
            line(time="2008-99-01T00:00:00Z"),
            b"[" * 50_000 + b"\n",
            line("x" * (10 * MAX_LINE)),
            line("two"),
        )
    )
    path = written(tmp_path, "posts.jsonl", content)
    texts, bad = read(path)
    assert texts == ["one", "two"]
    assert [entry.line for entry in bad] == [2, 3, 4, 5, 6, 7, 8, 9]
    assert {entry.file for entry in bad} == {str(path)}
    reasons = [entry.reason for entry in bad]
    assert "is not JSON" in reasons[0]
    assert reasons[1] == "byte 14 is not UTF-8; save the file as UTF-8"
    assert "zero bytes" in reasons[2]
    assert "one post a line" in reasons[3]
    assert reasons[4].startswith("time: is missing")
    assert "'2008-99-01T00:00:00Z' is not a date" in reasons[5]
    assert "longer than any post" in reasons[7]
    assert str(bad[0]).startswith(f"{path}:2: is not JSON")


@pytest.mark.parametrize("half", ["\\ud83d", "\\uDE21", "\\ud83d\\ud83d\\ude21"])
def test_a_text_cut_within_an_emoji_is_no_lost_complaint(tmp_path, half):
    content = f'{{"time":"2008-11-15T03:40:00Z","text":"ouch {half}","author":"{half}","tags":["{half}"]}}\n'
    texts, bad = read(written(tmp_path, "posts.jsonl", content.encode()))
    assert bad == []
    assert texts == [text_from(json.loads(content)["text"])]
    assert texts[0].startswith("ouch \ufffd")
    assert texts[0].encode()


@pytest.mark.parametrize("line", [b'{"text": "\\ud83d"', b'"\\ud83d' + b"[" * 100_000, b'{"a\xe9": "\\ud83d"}'])
def test_half_an_emoji_does_not_make_any_line_a_post(tmp_path, line):
    assert [len(part) for part in read(written(tmp_path, "posts.jsonl", line))] == [0, 1]


def test_a_cut_archive_gives_what_is_whole(tmp_path):
    whole = gzip.compress(b"".join(line(f"post {n} {hash(str(n))}") for n in range(5000)))
    path = tmp_path / "cut.jsonl.gz"
    path.write_bytes(whole[: len(whole) // 2])
    texts, bad = read(path)
    assert len(texts) > 1000
    assert len(bad) == 1
    assert bad[0].line == len(texts) + 1
    assert "the archive is cut off" in bad[0].reason


def test_a_damaged_archive_and_a_binary_file_are_bad_lines(tmp_path):
    damaged = tmp_path / "damaged.jsonl.gz"
    damaged.write_bytes(b"\x1f\x8b\x08\x00" + bytes(range(256)) * 8)
    picture = written(tmp_path, "picture.png", b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 5000)
    texts, bad = read(damaged, picture, written(tmp_path, "good.jsonl", line("good")))
    assert texts == ["good"]
    assert {entry.file for entry in bad} == {str(damaged), str(picture)}


def test_empty_files_are_no_posts(tmp_path):
    names = ("a.jsonl", "b.csv", "c.jsonl.gz", "d")
    assert read(*(written(tmp_path, name, b"") for name in names)) == ([], [])


def test_progress_counts_bytes_on_the_disk(tmp_path):
    paths = [written(tmp_path, f"{n}.jsonl.gz", b"".join(line(f"{n} {k}") for k in range(2000))) for n in range(2)]
    seen: list[int] = []
    read(*paths, progress=seen.append)
    assert seen == sorted(seen)
    assert len(seen) > 10
    assert seen[-1] == size_of(paths) == sum(path.stat().st_size for path in paths)
    assert size_of([*paths, STDIN]) is None


def test_the_file_is_not_read_ahead(tmp_path):
    path = written(tmp_path, "large.jsonl", line("x" * 5000) * 2000)
    seen: list[int] = []
    posts = read_posts([path], on_bad=pytest.fail, progress=seen.append)
    for _ in range(300):
        next(posts)
    posts.close()
    assert 0 < seen[-1] < path.stat().st_size / 4


@pytest.mark.parametrize("name", ["nowhere.jsonl", ".", "nul\0.jsonl"])
def test_a_file_that_cannot_be_opened_is_named_at_once(tmp_path, name):
    with pytest.raises(UsageError, match=r"cannot be read|is a folder"):
        read_posts([tmp_path / name], on_bad=pytest.fail)


def test_a_name_that_is_no_text_is_cleaned_where_it_is_stored_or_shown(tmp_path):
    path = tmp_path / os.fsdecode(b"p\xff\x1b[31m.jsonl")
    try:
        path.write_bytes(line("one") + b"oops\n")
    except OSError:
        pytest.skip("this disk takes only names that are text")
    bad: list[BadLine] = []
    (post,) = read_posts([path], on_bad=bad.append)
    assert post.source == "p\N{REPLACEMENT CHARACTER}"
    assert str(bad[0]).startswith(f"{tmp_path}/p\N{REPLACEMENT CHARACTER}.jsonl:2: is not JSON")
    path.unlink()
    with pytest.raises(UsageError) as refused:
        read_posts([path], on_bad=pytest.fail)
    assert str(refused.value).startswith(f"{tmp_path}/p\N{REPLACEMENT CHARACTER}.jsonl: cannot be read")


def test_files_of_one_name_are_sources_of_their_own(tmp_path):
    names = ["a/posts.jsonl", "b/posts.jsonl", "b/posts.jsonl.gz", "b/posts.json", "b/other.jsonl"]
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        written(tmp_path, name, line(name, id=1))
    posts = list(read_posts([tmp_path / name for name in names], on_bad=pytest.fail))
    assert [post.source for post in posts] == ["posts", "b/posts", "b/posts 2", "b/posts 3", "other"]
    assert len({post.key for post in posts}) == len(names)


def test_a_file_given_twice_and_a_source_that_a_post_names_stay_one_source(tmp_path, monkeypatch):
    (tmp_path / "b").mkdir()
    first = written(tmp_path, "posts.jsonl", line("one"))
    written(tmp_path, "b/posts.jsonl", line("two", source="bluesky"))
    monkeypatch.chdir(tmp_path)
    posts = read_posts([first, Path("posts.jsonl"), Path("b/posts.jsonl")], on_bad=pytest.fail)
    assert [post.source for post in posts] == ["posts", "posts", "bluesky"]


def test_standard_input(monkeypatch):
    piped(monkeypatch, line("one") + line("two") + b"oops\n")
    texts, bad = read(STDIN)
    assert texts == ["one", "two"]
    assert bad[0].file == "standard input"
    assert not sys.stdin.buffer.closed


def test_standard_input_may_be_a_packed_table(monkeypatch):
    piped(monkeypatch, gzip.compress(b"when,body\n2008-11-15T03:40:00Z,one\n"))
    assert read(STDIN, columns={"time": "when", "text": "body"}) == (["one"], [])


def test_live_posts_are_not_later_than_now(tmp_path):
    now = datetime(2008, 11, 15, 3, tzinfo=UTC)
    paths = [written(tmp_path, "a.jsonl", line())]
    posts = list(read_posts(paths, on_bad=pytest.fail, present=lambda: now, live=True))
    assert [post.time for post in posts] == [now]
    assert [post.time.minute for post in read_posts(paths, on_bad=pytest.fail, present=lambda: now)] == [40]


@pytest.mark.parametrize("live", [False, True])
def test_a_post_of_the_future_or_of_a_clock_that_was_never_set_is_a_bad_line(tmp_path, live):
    now = datetime(2008, 11, 15, 4, tzinfo=UTC)
    times = ["2099-01-01T00:00:00Z", "1970-01-01T00:00:00Z", "2008-11-16T04:00:01Z"]
    content = line("one") + b"".join(line("x", time=time) for time in times) + line("two", time="2008-11-16T03:59:00Z")
    texts, bad = read(written(tmp_path, "a.jsonl", content), present=lambda: now, live=live)
    assert texts == ["one", "two"]
    assert [(one.line, one.reason) for one in bad] == [
        (2, f"time: '{times[0]}' is still to come; mend it, or set the clock of this machine right"),
        (3, f"time: '{times[1]}' cannot be the time of a post; write it like 2008-11-15T03:40:00Z"),
        (4, f"time: '{times[2]}' is still to come; mend it, or set the clock of this machine right"),
    ]


def test_table(tmp_path):
    content = (
        "\ufeffID,Created At,body,repost,reach,tags,other\r\n"
        '1,2008-11-15 03:40:00,"one, ""two""\r\n\r\nthree",true,12,"A,B",x\r\n'
        "2,2008-11-15 03:41:00,four,,,,\r\n"
    )
    path = written(tmp_path, "export.CSV.gz", b"")
    path.write_bytes(gzip.compress(content.encode()))
    posts = list(read_posts([path], columns={"time": "created at", "text": "Body"}, on_bad=pytest.fail))
    assert [(p.id, p.text, p.original, p.reach, p.tags) for p in posts] == [
        ("1", 'one, "two" three', "", 12, ("A", "B")),
        ("2", "four", None, 0, ()),
    ]


@pytest.mark.parametrize("separator", [";", "\t"])
def test_tables_as_spreadsheets_write_them(tmp_path, separator):
    content = f"time{separator}text\n2008-11-15T03:40:00Z{separator}one, two\n".encode()
    assert read(written(tmp_path, "a.csv", content)) == (["one, two"], [])


WINDOWS = 'Datum;Text;Autor\r\n15.11.2008 16:30;"Kaffee für 3 €; übel";Söhne\r\n15.11.2008 9:05:07;gut;x\r\n'


@pytest.mark.parametrize(
    ("encoding", "before"), [("cp1252", ""), ("utf-8", ""), ("utf-8-sig", ""), ("utf-16", ""), ("cp1252", "sep=;\r\n")]
)
def test_tables_as_a_german_spreadsheet_saves_them(tmp_path, encoding, before):
    notes: list[str] = []
    path = written(tmp_path, "a.csv", (before + WINDOWS).encode(encoding))
    columns = {"time": "Datum", "text": "text", "author": "autor"}
    posts = list(read_posts([path], columns=columns, on_bad=pytest.fail, on_note=notes.append))
    assert [(post.time.isoformat(), post.text, post.author) for post in posts] == [
        ("2008-11-15T16:30:00+00:00", "Kaffee für 3 €; übel", "Söhne"),
        ("2008-11-15T09:05:07+00:00", "gut", "x"),
    ]
    line = 3 if before else 2
    windows = f"{path}: line {line} is not UTF-8; such letters are read as Windows writes them (cp1252)."
    assert (windows in notes) == (encoding == "cp1252")
    assert notes[-1] == f"{path}: times without a zone are taken for UTC; --timezone names another."


def test_times_without_a_zone_are_of_the_one_that_is_asked_for(tmp_path):
    content = WINDOWS.encode() + b"2008-11-15T16:30:00Z;zoned;x\n15.07.2008 16:30;summer;x\n"
    columns = {"time": "Datum", "text": "Text"}
    path, berlin = written(tmp_path, "a.csv", content), ZoneInfo("Europe/Berlin")
    posts = list(read_posts([path], columns=columns, on_bad=pytest.fail, on_note=pytest.fail, zone=berlin))
    assert [post.time.hour for post in posts] == [15, 8, 16, 14]


def test_a_spreadsheet_itself_is_told_to_be_saved_as_csv(tmp_path):
    with pytest.raises(UsageError, match=r"b\.xlsx: is a spreadsheet or an archive; save its table as CSV"):
        read(written(tmp_path, "b.xlsx", b"PK\x03\x04 and so on"))


def test_bad_records_of_a_table(tmp_path):
    at = b"2008-11-15T03:40,"
    bad_rows = [b"soon,two", at + b"thr,ee", at + b"a\0b", at + b"x" * 2 * MAX_LINE, at]
    rows = [b"time,text", at + b"one", *bad_rows, at + b"four"]
    texts, bad = read(written(tmp_path, "a.csv", b"\n".join(rows)))
    assert texts == ["one", "four"]
    assert [entry.line for entry in bad] == [3, 4, 5, 6, 7]
    assert "put quotes round the text" in bad[1].reason


@pytest.mark.parametrize("after", [3, 1000])
def test_a_quote_that_never_closes_costs_one_line(tmp_path, after):
    rows = [b"time,text", b'2008-11-15T03:40,"five inches'] + [b"2008-11-15T03:40,post %d" % n for n in range(after)]
    texts, bad = read(written(tmp_path, "a.csv", b"\n".join(rows)))
    assert texts == [f"post {n}" for n in range(after)]
    assert [(entry.line, entry.reason) for entry in bad] == [(2, "a quote opens here and does not close")]


def test_a_missing_column_names_the_header_and_the_cure(tmp_path):
    path = written(tmp_path, "a.csv", b"created_at,body\n1,2\n")
    with pytest.raises(UsageError, match=r"no column 'time' and no column 'text'; the header has: created_at, body\."):
        read(path)
    with pytest.raises(UsageError, match=r"Say which they are: --columns time=created_at,text=body$"):
        read(path)
    german = written(tmp_path, "b.csv", b"Datum;Was;Autor\n1;2;3\n")
    with pytest.raises(UsageError, match=r"--columns text=Was,time=Datum$"):
        read(german, columns={"text": "Was"})
    with pytest.raises(UsageError, match=r"--columns time=Datum,text=NAME$"):
        read(german)
    suite = written(tmp_path, "c.csv", b"Query Name,Date,Title,Full Text\n1,2,3,4\n")
    with pytest.raises(UsageError, match=r'--columns "time=Date,text=Full Text"$'):
        read(suite)
    with pytest.raises(UsageError, match=r"no column 'created' for time; the header has: created_at, body"):
        read(path, columns={"time": "created", "text": "body"})


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"time,text\r2008-11-15T03:40,one\r2008-11-15T03:41,two\r", "its header is no CSV; save it as 'CSV UTF-8'"),
        ("time,text\n2008-11-15T03:40,one\n".encode("utf-16-le"), "a.csv:1: holds zero bytes; save the file as UTF-8"),
        (b"time," + b"x" * (MAX_LINE + 1) + b",text\n2008-11-15T03:40,,one\n", "a.csv:1: is longer than any post"),
    ],
)
def test_a_header_that_cannot_be_read_is_said_and_nothing_taken_for_it(tmp_path, content, reason):
    with pytest.raises(UsageError, match=re.escape(reason)):
        read(written(tmp_path, "a.csv", content))


def test_empty_columns_at_the_end_of_a_record_may_be_left_out(tmp_path):
    table = b"time,text,author,lang\n2008-11-15T03:40,one\n2008-11-15T03:40,two,anna\n2008-11-15T03:40\n"
    path = written(tmp_path, "a.csv", table)
    bad: list[BadLine] = []
    posts = list(read_posts([path], on_bad=bad.append))
    assert [(post.text, post.author) for post in posts] == [("one", None), ("two", "anna")]
    assert [entry.line for entry in bad] == [4]


def test_fields_of_other_names_are_said_with_the_cure_and_can_be_named(tmp_path):
    path = written(tmp_path, "a.jsonl", b'{"created_at": "2008-11-15T03:40:00Z", "body": "ouch", "user": "a"}\n')
    (bad,) = read(path)[1]
    assert bad.reason == (
        "time: is missing; the line has: created_at, body, user; say which are meant: "
        'columns "time=created_at,text=body"'
    )
    assert read(path, columns={"time": "created_at", "text": "body"}) == (["ouch"], [])


def test_parse_columns():
    assert parse_columns("time=created_at, text = the body,") == {"time": "created_at", "text": "the body"}
    with pytest.raises(UsageError, match="'tiem' is no field of a post; did you mean 'time'"):
        parse_columns("tiem=a")
    with pytest.raises(UsageError, match="the fields are id, source, time"):
        parse_columns("qqqq=a")
    with pytest.raises(UsageError, match="'created_at' has no '='"):
        parse_columns("created_at")
    with pytest.raises(UsageError, match="'time' is given twice"):
        parse_columns("time=a,time=b")


def texts_of(path: Path) -> tuple[list[tuple[str, str]], list[BadLine]]:
    bad: list[BadLine] = []
    return list(read_texts(path, on_bad=bad.append)), bad


def test_of_a_table_the_texts_are_scored_and_not_its_header_and_rows(tmp_path):
    path = written(tmp_path, "a.csv", b'id;text;other\n7;"ouch; and\nmore";x\n;fine;\n9;;\n')
    texts, bad = texts_of(path)
    assert texts == [("7", "ouch; and more"), ("4", "fine")]
    assert [(one.line, one.reason.partition(":")[0]) for one in bad] == [(5, "text")]
    german = written(tmp_path, "export.txt", "Datum;Beitrag\n15.11.2008;schön\n".encode("cp1252"))
    said: list[str] = []
    found = read_texts(german, columns={"text": "Beitrag"}, on_bad=pytest.fail, on_note=said.append)
    assert list(found) == [("2", "schön")]
    assert "cp1252" in said[0]
    with pytest.raises(UsageError, match=r"no column 'text'; .* --columns text=Beitrag$"):
        texts_of(german.rename(tmp_path / "b.csv"))


def test_texts_as_posts(tmp_path):
    path = written(tmp_path, "a", b'\n{"text": "one"}\n{"id": 7, "text": "two\\u001b[2J"}\n{"id": "c"}\nfour\n')
    texts, bad = texts_of(path)
    assert texts == [("2", "one"), ("7", "two")]
    assert [entry.line for entry in bad] == [4, 5]


def test_texts_as_plain_lines(tmp_path):
    texts, bad = texts_of(written(tmp_path, "a.txt.gz", b'one\n\n{"text": "two"}\n caf\xe9\r\n[x] four\r\n'))
    assert texts == [("1", "one"), ("3", '{"text": "two"}'), ("5", "[x] four")]
    assert [entry.line for entry in bad] == [4]


@pytest.mark.parametrize("name", ["a.jsonl", "a"])
def test_of_json_the_field_that_is_named_is_scored(tmp_path, name):
    path = written(tmp_path, name, b'{"body": "ouch"}\n')
    assert list(read_texts(path, columns={"text": "body"}, on_bad=pytest.fail)) == [("1", "ouch")]


def test_texts_of_a_file_that_is_not_there(tmp_path):
    with pytest.raises(UsageError, match=r"gone\.txt: cannot be read"):
        read_texts(tmp_path / "gone.txt", on_bad=pytest.fail)


@settings(deadline=None)
@given(st.binary(max_size=400), st.sampled_from([".jsonl", ".csv", ""]), st.booleans())
def test_any_bytes_are_read_without_failing(tmp_path_factory, content, ending, header):
    path = tmp_path_factory.mktemp("fuzz") / f"a{ending}"
    path.write_bytes((b"time,text\n2008-11-15T03:40,first\n" if header else line("first")) + content)
    try:
        texts, bad = read(path)
    except UsageError as error:
        assert "no column" in str(error)  # noqa: PT017
        assert ending != ".jsonl"
    else:
        assert all(entry.line > 0 and entry.reason for entry in bad)
        assert len(texts) + len(bad) <= path.read_bytes().count(b"\n") + 1
