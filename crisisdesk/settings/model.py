"""What can be set: frozen sections, each field explained below it. The names of the keys are a promise."""

import re
from contextlib import suppress
from difflib import get_close_matches
from typing import Annotated, Final, Literal, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    ValidationInfo,
    field_validator,
    model_validator,
)

from crisisdesk.errors import UsageError
from crisisdesk.settings.budget import DEFAULT_BUDGET, parse_false_alarms
from crisisdesk.settings.feed import FeedSource
from crisisdesk.settings.file import FileSourceSettings
from crisisdesk.settings.mastodon import MastodonSource
from crisisdesk.settings.mqtt import MqttOutput, MqttSourceSettings
from crisisdesk.settings.notify import NotifyOutput
from crisisdesk.settings.oncall.calling import CallingSettings, PlannedSettings
from crisisdesk.settings.oncall.chain import ChainSettings
from crisisdesk.settings.oncall.rota import RotaSettings
from crisisdesk.settings.privacy import KEEP_POSTS, KeepPosts, PrivacySettings
from crisisdesk.settings.section import FilePath, Label, Section, Zone, below
from crisisdesk.settings.server import ServerSettings
from crisisdesk.settings.usual import parse_usual
from crisisdesk.settings.webhook import WebhookSource
from crisisdesk.settings.webhook_out import WebhookOutput
from crisisdesk.settings.x import XSource
from crisisdesk.text import clean

BLUESKY_URLS: Final = (
    "wss://jetstream2.us-east.bsky.network/subscribe",
    "wss://jetstream1.us-east.bsky.network/subscribe",
    "wss://jetstream2.us-west.bsky.network/subscribe",
    "wss://jetstream1.us-west.bsky.network/subscribe",
)
DEFAULT_DATABASE: Final = "crisisdesk.db"
MAX_DESK_NAME: Final = 64
SIGNS: Final = "#@$"
MOODS: Final = ("negative", "neutral", "positive")


def _budget(value: object) -> float:
    """False alarms a month."""
    if not isinstance(value, str):
        raise ValueError('must be a text in quotes such as "1 per month"')  # noqa: TRY004
    try:
        return parse_false_alarms(value)
    except UsageError as error:
        raise ValueError(str(error)) from None


def _usual(value: object) -> float:
    """Posts an hour."""
    if not isinstance(value, str):
        raise ValueError('must be a text in quotes such as "20 posts a day" or "20 Beiträge am Tag"')  # noqa: TRY004
    try:
        return parse_usual(value)
    except UsageError as error:
        raise ValueError(str(error)) from None


def _topic_name(name: str) -> str:
    """A name that can stand in an MQTT topic."""
    if not re.fullmatch(r"\w[\w.-]*", name) or len(name) > MAX_DESK_NAME:
        raise ValueError(f"must be letters, digits, '-', '_' or '.', at most {MAX_DESK_NAME}, such as \"acme\"")
    return name


def _findable(term: str) -> str:
    if not clean(term).strip(SIGNS + " -"):
        raise ValueError(f"'{clean(term, 40)}' holds nothing to look for; write a word, #tag, @name or phrase")
    return clean(term)


def _model(asked: object, info: ValidationInfo) -> str:
    """A name of the hub as it stands, or a folder as it is meant: relative to the configuration file."""
    if not isinstance(asked, str) or not asked.strip() or "\0" in asked:
        raise ValueError(
            'must be a name of the Hugging Face hub such as "cardiffnlp/twitter-xlm-roberta-base-sentiment", '
            'or a folder such as "./my-model"'
        )
    folder = below(asked, info)
    with suppress(OSError):  # too long for a path, so that it is none
        if asked.startswith((".", "~")) or folder.is_dir():
            return str(folder.absolute())
    return asked


def _mood(mood: str) -> str:
    if mood not in MOODS:
        near = get_close_matches(mood.casefold(), MOODS, n=1)
        hint = f"did you mean '{near[0]}'?" if near else f"write {', '.join(MOODS[:-1])} or {MOODS[-1]}"
        raise ValueError(f"'{clean(mood, 40)}' is no mood; {hint}")
    return mood


def _language(tag: str) -> str:
    if not re.fullmatch(r"[A-Za-z]{2,3}(-[A-Za-z0-9]+)*", tag):
        raise ValueError(f'\'{clean(tag, 40)}\' is no language; write it like "en" or "de"')
    return tag.lower()


def _socket_addresses(urls: object) -> tuple[str, ...]:
    """One address or several; never none."""
    given = tuple(urls) if isinstance(urls, list | tuple) else (urls,)
    for url in given:
        if not isinstance(url, str) or not re.fullmatch(r"wss?://[^\s/?#]+(/[^\s#]*)?", url):
            raise ValueError(f'must be a websocket address such as "{BLUESKY_URLS[0]}", or a list of them')
    if not given:
        raise ValueError("must not be empty")
    return tuple(dict.fromkeys(given))


Term = Annotated[str, AfterValidator(_findable)]
Language = Annotated[str, AfterValidator(_language)]


def _account(name: str) -> str:
    """An account as posts name their author: without the @ before it, in small letters."""
    account = clean(name, 500).removeprefix("@").casefold()
    if not account or " " in account or "/" in account:
        raise ValueError(
            f'\'{clean(name, 40)}\' is no account; write it like "did:plc:…", "@acme@social.example" or "@acme@x.com"'
        )
    if name.startswith("@") and "@" not in account:
        raise ValueError(
            f"'{clean(name, 40)}' names no network; for Bluesky write its DID, \"did:plc:…\", which "
            f"https://bsky.social/xrpc/com.atproto.identity.resolveHandle?handle={account} shows; "
            f'for Mastodon write "@acme@social.example", for X "@{account}@x.com"'
        )
    return account


Account = Annotated[str, AfterValidator(_account)]


class DeskSettings(Section):
    """[desk]: the desk itself."""

    name: Annotated[str, AfterValidator(_topic_name)]
    """What the desk is called, on screen and in MQTT topics."""
    database: FilePath = Field(default=DEFAULT_DATABASE, validate_default=True)
    """The SQLite file that keeps incidents, baselines and what is still owed to the outputs."""
    playbooks: FilePath | None = None
    """The folder of playbooks; None for those that come along."""
    timezone: Zone | None = None
    """Where the people live who speak of the watches: they get up and go to bed by its clocks, which the console shows.
    Without it days are those of UTC, and the console shows the machine's own time."""
    model: Annotated[str, BeforeValidator(_model)] | None = None
    """A classifier of the Hugging Face hub by its name, or a folder; None for the model that comes along."""
    model_labels: dict[str, Annotated[str, AfterValidator(_mood)]] = Field(default_factory=dict)
    """What the labels of that classifier mean: each negative, neutral or positive."""

    @field_validator("model_labels")
    @classmethod
    def _of_a_model(cls, labels: dict[str, str], info: ValidationInfo) -> dict[str, str]:
        if labels and info.data.get("model", labels) is None:
            raise ValueError("says what the labels of another model mean; write which: model = …, or take it out")
        return labels


class WatchSettings(Section):
    """[[watch]]: a brand or topic."""

    name: Label
    """What people call it; unique."""
    terms: Annotated[tuple[Term, ...], Field(strict=False, min_length=1)]
    """Words, #tags, @names, $cashtags or phrases, any of which makes a post a mention."""
    not_terms: Annotated[tuple[Term, ...], Field(strict=False, alias="not")] = ()
    """Terms that turn a post away."""
    languages: Annotated[tuple[Language, ...], Field(strict=False)] = ()
    """Languages that count, such as "en"; those that the model knows where none are named. Others count apart."""
    false_alarms: Annotated[float, BeforeValidator(_budget)] = DEFAULT_BUDGET
    """False alarms a month that people will bear: the one setting of sensitivity."""
    usual: Annotated[float, BeforeValidator(_usual)] | None = None
    """Posts an hour that are expected until the watch has been heard, such as "20 posts a day"; None for no idea."""
    timezone: Zone | None = None
    """Where its people live; the desk's time zone where nothing is set."""
    accounts: Annotated[tuple[Account, ...], Field(strict=False)] = ()
    """The brand's own accounts, as the network names authors; where they fall silent, people are told."""
    keep_posts: KeepPosts = KEEP_POSTS
    """How long its posts are kept as they were said; afterwards without names, or not at all."""
    answers: bool = True
    """Whether single posts that need an answer form a list for people to work through."""


class SeveritySettings(Section):
    """[severity]: what makes a notice amber, and amber red, besides how unlikely it is."""

    notice_people: Annotated[int, Field(ge=1)] = 3
    """People behind the negative posts of a notice, at least."""
    amber_people: Annotated[int, Field(ge=1)] = 4
    """The same of amber."""
    red_people: Annotated[int, Field(ge=1)] = 10
    """The same of red."""
    red_people_an_hour: Annotated[float, Field(ge=0)] = 3.0
    """So many of them an hour."""
    crowd: Annotated[float, Field(gt=0)] = 60.0
    """So many people an hour more than usual are red as soon as they are amber."""
    growth: Annotated[float, Field(gt=1, le=4)] = 2.0
    """Fast, which brings red nearer: as many times the posts in the last quarter of an hour as in an average one."""
    reach: Annotated[int, Field(ge=1)] = 100_000
    """Wide, which brings red nearer: followers together of those who speak."""
    sources: Annotated[int, Field(ge=2)] = 2
    """Wide, too: networks that each carry a fifth of the negative posts."""

    @model_validator(mode="after")
    def _rising(self) -> Self:
        if not self.notice_people <= self.amber_people <= self.red_people:
            notice, amber, red = self.notice_people, self.amber_people, self.red_people
            asked = f"{notice} people for a notice, {amber} for amber and {red} for red"
            raise ValueError(f"asks for {asked}; each must need as many as the one before or more")
        return self


class BlueskySource(Section):
    """[[source]] kind = "bluesky": the public posts of Bluesky, no account needed."""

    kind: Literal["bluesky"]
    name: Label = "bluesky"
    """What status lines call it."""
    url: Annotated[tuple[str, ...], BeforeValidator(_socket_addresses)] = BLUESKY_URLS
    """Jetstream servers, one or a list: where one fails, the next is asked."""
    compress: bool = True
    """Whether servers are asked to compress what they send: less traffic for a little more work."""
    history_hours: Annotated[float, Field(ge=0, le=36)] = 36.0
    """How far back a new watch learns from what the network still has; once, and it is all that anybody said."""


SourceSettings = Annotated[
    BlueskySource | FeedSource | FileSourceSettings | MastodonSource | MqttSourceSettings | WebhookSource | XSource,
    Field(discriminator="kind"),
]

OutputSettings = Annotated[MqttOutput | NotifyOutput | WebhookOutput, Field(discriminator="kind")]


class Settings(Section):
    """The whole file."""

    desk: DeskSettings
    severity: SeveritySettings = SeveritySettings()
    server: ServerSettings = ServerSettings()
    privacy: PrivacySettings = PrivacySettings()
    watches: Annotated[tuple[WatchSettings, ...], Field(strict=False, alias="watch")] = ()
    sources: Annotated[tuple[SourceSettings, ...], Field(strict=False, alias="source")] = ()
    outputs: Annotated[tuple[OutputSettings, ...], Field(strict=False, alias="output")] = ()
    calling: CallingSettings = CallingSettings()
    rotas: Annotated[tuple[RotaSettings, ...], Field(strict=False, alias="rota")] = ()
    chains: Annotated[tuple[ChainSettings, ...], Field(strict=False, alias="chain")] = ()
    planned: Annotated[tuple[PlannedSettings, ...], Field(strict=False)] = ()
