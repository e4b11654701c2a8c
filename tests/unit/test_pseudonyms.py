"""Names that stand for names, and the key that tells whose they are."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from crisisdesk.errors import StorageError
from crisisdesk.privacy.erasure import Wanted
from crisisdesk.privacy.key import KeyFile
from crisisdesk.privacy.pseudonyms import Pseudonyms
from crisisdesk.records import Correction, Post

NAMES = Pseudonyms(b"k" * 32)
POST = Post(
    "at://did:plc:anna/app.bsky.feed.post/1", "bluesky", datetime(2026, 11, 20, tzinfo=UTC), "Acme, why?",
    author="did:plc:anna", url="https://bsky.app/profile/did:plc:anna/post/1", original=None,
    reply_to="at://did:plc:ben/app.bsky.feed.post/7",
)  # fmt: skip


def test_a_person_has_one_pseudonym_however_the_name_is_written():
    assert NAMES.person("@Anna@x.com") == NAMES.person("anna@x.com")
    assert NAMES.person("anna") != NAMES.person("anne")
    assert len(NAMES.person("anna")) == len("person-3f9a2c7104")


def test_another_key_gives_other_pseudonyms():
    assert NAMES.person("anna") != Pseudonyms(b"l" * 32).person("anna")


def test_nothing_of_a_post_leads_to_its_author_but_its_words():
    named = NAMES.of_post(POST)
    assert "plc" not in str(named)
    assert named.url is None
    assert named.text == POST.text


def test_the_pseudonym_of_a_pseudonym_is_itself():
    named = NAMES.of_post(POST)
    assert NAMES.of_post(named) == named
    correction = NAMES.of_correction(Correction("bluesky", POST.id))
    assert NAMES.of_correction(correction) == correction


@pytest.mark.parametrize(
    "correction",
    [
        Correction("bluesky", POST.id),
        Correction("bluesky", author="did:plc:anna"),
        Correction("", author="@DID:plc:anna", asked=True),
    ],
)
def test_what_the_network_takes_back_is_found_by_its_pseudonym(correction: Correction):
    assert POST.is_meant(correction)
    assert NAMES.of_post(POST).is_meant(NAMES.of_correction(correction))
    assert not NAMES.of_post(POST).is_meant(correction)


def test_with_an_author_go_the_reposts_that_others_made_of_it():
    repost = Post("r", "bluesky", POST.time, POST.text, author="did:plc:carl", original=POST.id)
    correction = Correction("bluesky", author="did:plc:anna")
    assert repost.is_meant(correction)
    assert NAMES.of_post(repost).is_meant(NAMES.of_correction(correction))


def test_a_key_is_made_once_and_is_its_owners_only(tmp_path: Path):
    key = KeyFile(tmp_path / "desk.db")
    assert key.known() is None
    assert key.forms(Correction("x", "1")) == (Correction("x", "1"),)
    person = key.needed().person("anna")
    assert KeyFile(tmp_path / "desk.db").needed().person("anna") == person
    assert key.path.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["desk.db.key"]
    assert len(key.forms(Correction("x", "1"))) == 2


def test_a_key_that_others_can_read_is_refused_with_its_cure(tmp_path: Path):
    KeyFile(tmp_path / "desk.db").needed()
    (tmp_path / "desk.db.key").chmod(0o640)
    with pytest.raises(StorageError, match=r"chmod 600 .*desk\.db\.key"):
        KeyFile(tmp_path / "desk.db").known()


@pytest.mark.parametrize("content", ["", "no key", "ab" * 31])
def test_a_damaged_key_is_refused_and_not_replaced(tmp_path: Path, content: str):
    (tmp_path / "desk.db.key").write_text(content)
    (tmp_path / "desk.db.key").chmod(0o600)
    with pytest.raises(StorageError, match="damaged"):
        KeyFile(tmp_path / "desk.db").needed()
    assert (tmp_path / "desk.db.key").read_text() == content


def test_a_folder_that_takes_no_key_is_told(tmp_path: Path):
    with pytest.raises(StorageError, match="cannot be made"):
        KeyFile(tmp_path / "missing" / "desk.db").needed()


@pytest.mark.parametrize(
    ("address", "source", "name"),
    [
        ("https://bsky.app/profile/did:plc:anna/post/3k", "bluesky", "at://did:plc:anna/app.bsky.feed.post/3k"),
        ("at://did:plc:anna/app.bsky.feed.post/3k", "bluesky", "at://did:plc:anna/app.bsky.feed.post/3k"),
        ("https://x.com/anna/status/17?s=20", "x", "17"),
        ("https://twitter.com/anna/status/17", "x", "17"),
        ("https://m.example/@anna/17", "mastodon", "https://m.example/users/anna/statuses/17"),
        ("https://m.example/users/anna/statuses/17", "mastodon", "https://m.example/users/anna/statuses/17"),
        ("https://www.paper.example/news/17.html", "paper.example", "https://www.paper.example/news/17.html"),
        ("forum:a:17", "forum", "a:17"),
    ],
)
def test_a_post_is_known_by_its_address_also_when_that_was_not_kept(address: str, source: str, name: str):
    assert Correction(source, name, asked=True) in Wanted(post=address).corrections()
