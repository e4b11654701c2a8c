"""Where people's posts lie in the database, and how they leave it: corrected, grown old, or erased on demand.

Every way ends with `Store.wipe`, so that what stood there is in no file any more: what is deleted in the database is
overwritten (secure_delete), and its log is written into it and cut off.
"""

import sqlite3
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from itertools import chain
from typing import Final

import orjson

from crisisdesk.privacy.ageing import plain_from, words_from
from crisisdesk.privacy.erasure import Erased
from crisisdesk.privacy.pseudonyms import Pseudonyms
from crisisdesk.privacy.terms import Terms
from crisisdesk.records import Correction, Incident, Inquiry, Post, Quote, account, named_in, stamp
from crisisdesk.storage import codec, inquiries, mailbox, outbox
from crisisdesk.text import digest

EVIDENCE, OWED, MAILBOX, QUEUE = "evidence of incidents", "owed to outputs", "mailbox", "answer queue"
"""The places of the database where posts lie, as records of erasures name them."""

KEY: Final = "key of the pseudonyms"
"""Under this name the mark of the key is kept."""

Become = Callable[[Incident], Incident]
"""What becomes of an incident; the same object where nothing does."""

_OLD: Final = (
    "SELECT id, watch, plain_from FROM incidents WHERE plain_from < ?"
    " UNION SELECT id, watch, words_from FROM incidents WHERE words_from < ?"
    " UNION SELECT id, watch, opened FROM incidents WHERE opened < ?"
    " AND id IN (SELECT DISTINCT incident FROM outbox WHERE given_up IS NULL)"
)
_MAIL_OF: Final = "SELECT row, post FROM mailbox WHERE digest = ? OR instr(post, ?)"


def index(database: sqlite3.Connection, incident: Incident) -> None:
    """Write down how old what an incident quotes is, and by what a correction may mean it."""
    times = [_text(plain_from(incident)), _text(words_from(incident))]
    database.execute("UPDATE incidents SET plain_from = ?, words_from = ? WHERE id = ?", (*times, incident.id))
    rows = [(digest(mark), incident.id) for mark in incident.evidence.marks]
    database.executemany("INSERT OR IGNORE INTO quotes (digest, incident) VALUES (?, ?)", rows)


def correct(database: sqlite3.Connection, correction: Correction) -> None:
    """A post reads otherwise now, or is gone: so it does in incidents, in what is owed and in the mailbox."""
    for name in _quoting(database, correction):
        _become(database, name, lambda one: corrected(one, correction))
    for row, post in _mail(database, correction):
        if correction.text is None:  # if the desk falls now, nobody has spoken; better than to keep who it was
            database.execute("DELETE FROM mailbox WHERE row = ?", (row,))
        else:
            text = codec.encode(post.corrected(correction))
            database.execute("UPDATE mailbox SET post = ? WHERE row = ?", (text, row))


def corrected(incident: Incident, correction: Correction) -> Incident:
    """An incident that quotes a post as its author wants it now; the same object where it quotes none."""
    evidence = incident.evidence.corrected(correction)
    return incident if evidence is incident.evidence else replace(incident, evidence=evidence)


def due(database: sqlite3.Connection, terms: Terms, now: datetime) -> list[str]:
    """The incidents that keep more than they may at this moment, and those of which something is owed for so long."""
    shortest, words_until = _text(now - terms.shortest), _text(now - terms.evidence)
    old = database.execute(_OLD, (shortest, words_until, shortest)).fetchall()
    return [name for name, watch, since in old if since < str(_text(now - terms.keeps(watch)))]


def drop_unwatched(database: sqlite3.Connection, watches: Collection[str], before: datetime) -> int:
    """Forget what watches had learnt that are there no more, if they heard nothing since a moment; how many."""
    kept = (name for (name,) in database.execute("SELECT name FROM kept WHERE name LIKE 'watch %'").fetchall())
    gone = [name for name in kept if name.removeprefix("watch ") not in watches]
    old = [(name,) for name in gone if _heard(database, name) < before.timestamp()]
    database.executemany("DELETE FROM kept WHERE name = ?", old)
    return len(old)


def age(database: sqlite3.Connection, incidents: Iterable[str], become: Become) -> int:
    """Keep of these incidents what may be kept; returns how many have changed."""
    return sum(_become(database, name, become) for name in incidents)


def found(database: sqlite3.Connection, corrections: Sequence[Correction]) -> Counter[str]:
    """How many posts there are that these mean, by place."""
    places: Counter[str] = Counter()
    for name in {name for one in corrections for name in _quoting(database, one)}:
        incident = _incident(database, name)
        places[EVIDENCE] += len(_meant(incident, corrections))
        places[OWED] += sum(bool(_meant(one.incident, corrections)) for _, one in outbox.told(database, name))
    places[MAILBOX] = len({row for one in corrections for row, _ in _mail(database, one)})
    places[QUEUE] = sum(_is_meant(post, corrections) for _, posts in _queued(database) for post in posts)
    return +places


def shown(database: sqlite3.Connection, corrections: Sequence[Correction]) -> Iterator[dict[str, object]]:
    """All that is kept of what these mean, for whoever asks what the desk knows of them; each post once a place."""
    for (text,) in database.execute("SELECT record FROM incidents ORDER BY opened, id").fetchall():
        yield from _shown_of(codec.incident(text), EVIDENCE, corrections)
    told: list[dict[str, object]] = []
    for (text,) in database.execute("SELECT notification FROM outbox WHERE given_up IS NULL ORDER BY row").fetchall():
        told += [one for one in _shown_of(codec.notification(text).incident, OWED, corrections) if one not in told]
    yield from told
    for row, post in {row: post for one in corrections for row, post in _mail(database, one)}.items():
        yield {"place": MAILBOX, "row": row, **_fields(post)}
    for name, posts in _queued(database):
        for post in posts:
            if _is_meant(post, corrections):
                yield {"place": QUEUE, "inquiry": name, **_fields(post)}


def _shown_of(incident: Incident, place: str, corrections: Sequence[Correction]) -> Iterator[dict[str, object]]:
    """What an incident quotes of them, and who of them is a voice."""
    meant = {one.key: one for one in incident.evidence.quotes if any(map(one.is_meant, corrections)) and one.id}
    for quote in meant.values():
        yield {"place": place, "incident": incident.id, **_fields(quote)}
    people = {account(one.author) for one in corrections if one.author is not None}
    for name, reach in incident.evidence.voices:
        if account(name) in people:
            yield {"place": place, "incident": incident.id, "author": name, "reach": reach}


def _fields(said: Quote | Post) -> dict[str, object]:
    return {
        "source": said.source,
        "id": said.id,
        "time": stamp(said.time),
        "author": said.author,
        "text": said.text,
        "reach": said.reach,
        "url": said.url,
    }


def keys_of(database: sqlite3.Connection, address: str) -> set[tuple[str, str]]:
    """Source and id of the posts that are known by this address."""
    found: set[tuple[str, str]] = set()
    quoted = orjson.dumps(address)[1:-1].decode()
    for (record,) in database.execute("SELECT record FROM incidents WHERE instr(record, ?)", (quoted,)).fetchall():
        found |= {(one.source, one.id) for one in codec.incident(record).evidence.quotes if one.url == address}
    mail = mailed(database)
    queued = chain.from_iterable(posts for _, posts in _queued(database))
    return found | {(post.source, post.id) for post in chain(mail, queued) if post.url == address}


def written_by(database: sqlite3.Connection, author: Correction) -> set[tuple[str, str]]:
    """Source and id of what incidents and the answer queue have of an author."""
    quotes = (one for name in _quoting(database, author) for one in _incident(database, name).evidence.quotes)
    queued = chain.from_iterable(posts for _, posts in _queued(database))
    said: Iterable[Quote | Post] = chain(quotes, queued)
    return {(one.source, one.id) for one in said if one.id and one.is_meant(author)}


def mailed(database: sqlite3.Connection) -> list[Post]:
    """The posts of the mailbox."""
    return [codec.post(text) for (text,) in database.execute("SELECT post FROM mailbox").fetchall()]


def numbers_of(database: sqlite3.Connection, corrections: Sequence[Correction]) -> list[int]:
    """By what the posts that these mean are known again when they come once more: digests of their keys."""
    keys = [one.key for one in corrections if one.author is None]
    keys += [post.key for one in corrections for _, post in _mail(database, one)]
    for name in {name for one in corrections for name in _quoting(database, one)}:
        quotes = _incident(database, name).evidence.quotes
        keys += [quote.key for quote in quotes if quote.id and any(map(quote.is_meant, corrections))]
    keys += [post.key for _, posts in _queued(database) for post in posts if _is_meant(post, corrections)]
    return list(dict.fromkeys(map(digest, keys)))


def erase(database: sqlite3.Connection, corrections: Sequence[Correction], numbers: Iterable[int]) -> None:
    """Erase what these mean; what comes again by one of these numbers is not new."""
    for one in corrections:
        correct(database, one)
    for name, text in database.execute("SELECT id, record FROM inquiries").fetchall():
        before = inquiries.decode(text)
        after: Inquiry | None = before
        for one in corrections:
            after = after.corrected(one) if after else None
        if after is None:
            database.execute("DELETE FROM inquiries WHERE id = ?", (name,))
        elif after is not before:
            database.execute("UPDATE inquiries SET record = ? WHERE id = ?", (inquiries.encode(after), name))
    database.executemany("INSERT OR REPLACE INTO gone_through (digest) VALUES (?)", [(one,) for one in numbers])


def record(database: sqlite3.Connection, erased: Erased) -> None:
    """Keep the record of an erasure."""
    database.execute(
        "INSERT INTO erasures (at, person, kind, source, name, found) VALUES (?, ?, ?, ?, ?, ?)",
        (
            erased.at.astimezone(UTC).isoformat(), erased.person, erased.kind, erased.source, erased.name,
            orjson.dumps(dict(erased.found)).decode(),
        ),
    )  # fmt: skip


def records(database: sqlite3.Connection) -> list[Erased]:
    """The records of all erasures, oldest first."""
    rows = database.execute("SELECT at, person, kind, source, name, found FROM erasures ORDER BY row").fetchall()
    return [
        Erased(datetime.fromisoformat(at), person, kind, source, name, tuple(orjson.loads(places).items()))
        for at, person, kind, source, name, places in rows
    ]


def known(database: sqlite3.Connection) -> tuple[set[str], set[tuple[str, str, str]]]:
    """All authors whom the database names, and all posts, those too that others repeat: source, id and address."""
    authors: set[str] = set()
    posts: set[tuple[str, str, str]] = set()
    rows = database.execute("SELECT record FROM incidents").fetchall()
    incidents = [codec.incident(record) for (record,) in rows]
    owed = database.execute("SELECT notification FROM outbox WHERE given_up IS NULL").fetchall()
    for incident in (*incidents, *(codec.notification(text).incident for (text,) in owed)):
        authors.update(name for name, _ in incident.evidence.voices)
        authors.update(quote.author for quote in incident.evidence.quotes if quote.author)
        posts.update((quote.source, quote.id, quote.url or "") for quote in incident.evidence.quotes if quote.id)
    mail = mailed(database)
    for post in chain(mail, chain.from_iterable(queued for _, queued in _queued(database))):
        authors.update([post.author] if post.author else ())
        posts.update([(post.source, post.id, post.url or "")] if post.id else ())
        posts.update([(post.source, post.original, "")] if post.original else ())
    return authors | {who for _, name, _ in posts if (who := named_in(name))}, posts


def mark_of_key(database: sqlite3.Connection) -> str:
    """By what the key of the pseudonyms here is known; empty where there are none."""
    row = database.execute("SELECT content FROM kept WHERE name = ?", (KEY,)).fetchone()
    return bytes(row[0]).decode("ascii", "replace") if row else ""


def keep_mark(database: sqlite3.Connection, names: Pseudonyms) -> None:
    """These are the pseudonyms here."""
    if mark_of_key(database) != names.mark:
        database.execute(mailbox.KEEP, (KEY, names.mark.encode()))


def queued_watches(database: sqlite3.Connection) -> list[str]:
    """The watches of which posts are in the answer queue, also those that are watched no more."""
    return [watch for (watch,) in database.execute("SELECT DISTINCT watch FROM inquiries").fetchall()]


def _become(database: sqlite3.Connection, name: str, become: Become) -> bool:
    """Change an incident and what is owed of it. What no correction can mean any more is not looked for any more."""
    before = _incident(database, name)
    after = become(before)
    known = _marks(before, *(one.incident for _, one in outbox.told(database, name)))
    gone = known - _marks(after, *outbox.mend(database, name, become))
    if after is not before:
        database.execute("UPDATE incidents SET record = ? WHERE id = ?", (codec.encode(after), name))
    rows = [(digest(mark), name) for mark in gone]
    database.executemany("DELETE FROM quotes WHERE digest = ? AND incident = ?", rows)
    index(database, after)
    return after is not before or bool(gone)


def _heard(database: sqlite3.Connection, name: str) -> float:
    """When a watch had heard something last, in seconds since 1970; 0 where that cannot be read any more."""
    (content,) = database.execute("SELECT content FROM kept WHERE name = ?", (name,)).fetchone()
    try:
        return float(orjson.loads(content)["now"])
    except (KeyError, TypeError, ValueError):
        return 0.0


def _marks(*standing: Incident) -> set[str]:
    return {mark for one in standing for mark in one.evidence.marks}


def _quoting(database: sqlite3.Connection, correction: Correction) -> list[str]:
    query = "SELECT incident FROM quotes WHERE digest = ?"
    return [name for (name,) in database.execute(query, (digest(correction.mark),)).fetchall()]


def _incident(database: sqlite3.Connection, name: str) -> Incident:
    (text,) = database.execute("SELECT record FROM incidents WHERE id = ?", (name,)).fetchone()
    return codec.incident(text)


def _mail(database: sqlite3.Connection, correction: Correction) -> list[tuple[int, Post]]:
    """What is in the mailbox of what a correction means."""
    if correction.author is None:
        named = orjson.dumps(correction.id)[1:-1].decode()
        rows = database.execute(_MAIL_OF, (digest(correction.key), named)).fetchall()
    else:
        rows = database.execute("SELECT row, post FROM mailbox").fetchall()
    posts = ((row, codec.post(text)) for row, text in rows)
    return [(row, post) for row, post in posts if post.is_meant(correction)]


def _queued(database: sqlite3.Connection) -> Iterator[tuple[str, list[Post]]]:
    """The answer queue: the posts of each inquiry, by its id."""
    for name, text in database.execute("SELECT id, record FROM inquiries").fetchall():
        fields = orjson.loads(text)
        posts = [fields["post"], *fields.get("others", ())]
        yield name, [codec.post(orjson.dumps(post).decode()) for post in posts]


def _meant(incident: Incident, corrections: Sequence[Correction]) -> set[tuple[str, str]]:
    """The posts of an incident that corrections mean, each once."""
    quotes = incident.evidence.quotes
    return {(one.source, one.id) for one in quotes if one.id and any(map(one.is_meant, corrections))}


def _is_meant(post: Post, corrections: Sequence[Correction]) -> bool:
    return bool(post.id) and any(map(post.is_meant, corrections))


def _text(moment: datetime | None) -> str | None:
    """As incidents' times are kept, so that texts compare as times do."""
    return None if moment is None else moment.astimezone(UTC).isoformat()
