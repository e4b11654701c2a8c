"""From the configuration file, or from the terms of a call, to a live desk."""

import hashlib
import os
import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Final

import typer

from crisisdesk import settings
from crisisdesk.app import App
from crisisdesk.cli.loading import model_loader
from crisisdesk.cli.logs import log_desk
from crisisdesk.cli.outputs import broker, outputs
from crisisdesk.cli.running import load_shipped_model, run_console, run_headless
from crisisdesk.cli.serving import check_shared, listening, serving
from crisisdesk.cli.standing import StandingOrders
from crisisdesk.cli.terminal import (
    clocks,
    event_line,
    let_go_of_stdout,
    open_json,
    open_line,
    put,
    put_json,
    say,
)
from crisisdesk.clock import Clock, WallClock
from crisisdesk.console.times import Times
from crisisdesk.detect.baseline import Expectation
from crisisdesk.detect.severity import SeverityRules
from crisisdesk.detect.standard import Standard
from crisisdesk.errors import ConfigurationError, UsageError
from crisisdesk.match import WatchRule
from crisisdesk.mqtt import unshared
from crisisdesk.payloads.incident import line
from crisisdesk.plan import Plan
from crisisdesk.privacy.terms import Terms
from crisisdesk.records import Incident
from crisisdesk.resources import folder
from crisisdesk.server.http import Listener
from crisisdesk.settings import (
    BlueskySource,
    FeedSource,
    MastodonSource,
    MqttSourceSettings,
    Settings,
    SourceSettings,
    WebhookSource,
    XSource,
)
from crisisdesk.settings.privacy import secret_files
from crisisdesk.sources.base import Source
from crisisdesk.sources.bluesky.source import Bluesky
from crisisdesk.sources.feed.source import Feeds
from crisisdesk.sources.file.source import FileSource
from crisisdesk.sources.mastodon.source import Mastodon
from crisisdesk.sources.mqtt import MqttSource
from crisisdesk.sources.unusable import Unusable
from crisisdesk.sources.webhook.signature import Keys
from crisisdesk.sources.webhook.source import Webhook
from crisisdesk.sources.x.api import Api
from crisisdesk.sources.x.cost import Bill, Prices
from crisisdesk.sources.x.rules import Topic
from crisisdesk.sources.x.source import Wishes, X
from crisisdesk.text import counted

WATCHES_TOLD: Final = 10


def desk_plan(config: Path | None) -> Plan:
    """The desk of a configuration.

    Raises:
        ConfigurationError: there is none, it is broken, or it has nothing to do.
    """
    configured, file = read(config), place(config)
    if file is None or not configured.watches or not configured.sources:
        missing = "[[source]]" if configured.watches else "[[watch]]"
        raise ConfigurationError(f"The configuration has no {missing}, so there is nothing to do; add one.")
    clock, listener = WallClock(), listening(configured)
    check_shared(configured, file, clock)
    return Plan(
        watches=rules(configured),
        sources=sources(configured, clock, listener=listener),
        database=configured.desk.database,
        playbooks=configured.desk.playbooks or folder("playbooks"),
        clock=clock,
        load_model=model_loader(configured.desk.model, configured.desk.model_labels) or load_shipped_model,
        outputs=outputs(configured, clock),
        service=serving(configured, listener, clock),
        standing=StandingOrders(file, configured),
        live=True,
        answers=[watch.name for watch in configured.watches if watch.answers],
        privacy=terms(configured),
        secrets=[*secret_files(configured)],
        zone=configured.desk.timezone,
    )


def watch_plan(
    terms: Sequence[str],
    url: str | None,
    model: str | None = None,
    labels: Mapping[str, str] | None = None,
    *,
    history: timedelta = timedelta(),
) -> Plan:
    """A desk that listens on Bluesky for some terms; each set of terms has a database of its own."""
    clock = WallClock()
    home = Path(typer.get_app_dir("crisisdesk"))
    home.mkdir(parents=True, exist_ok=True)
    readable = re.sub(r"[^a-z0-9]+", "-", terms[0].casefold()).strip("-")[:40]
    exact = hashlib.sha256("\n".join(terms).encode()).hexdigest()[:8]
    return Plan(
        watches={WatchRule(terms[0], tuple(terms)): Standard(settings.DEFAULT_BUDGET)},
        sources=[Bluesky([url] if url else settings.BLUESKY_URLS, clock, history=history)],
        database=home / f"watch-{readable}-{exact}.db",
        playbooks=folder("playbooks"),
        clock=clock,
        load_model=model_loader(model, labels) or load_shipped_model,
        live=True,
        answers=[terms[0]],
    )


def run(plan: Plan, *, headless: bool, as_json: bool = False) -> None:
    """Run a live desk to its end, with the console or without; then `as_json` says how incidents are printed."""
    if not headless:
        run_console(plan)
        return

    def prepare(app: App) -> None:
        _print_incidents(app, as_json=as_json)
        log_desk(app)

    watched = _some([rule.name for rule in plan.watches])
    say(f"Watching {watched}. Incidents are printed here, one line each; ctrl+c or SIGTERM stops in order.")
    app = run_headless(plan, prepare)
    say(f"Stopped. What happened and what was learnt is in {plan.database}; start again to go on.")
    for output in app.outputs():
        if output.waiting:
            alerts = counted(output.waiting, "alert waits", "alerts wait")
            say(f"{output.name}: {alerts} in {plan.database}, to go out after the next start.")


def _print_incidents(app: App, *, as_json: bool) -> None:
    """Those that are still open, then what becomes of each: as JSON lines, or by the clocks of its watch."""
    times = {rule.name: clocks(standard.zone) for rule, standard in app.plan.watches.items()}

    def clock_of(incident: Incident) -> Times:
        return times.get(incident.watch, clocks(app.plan.zone))

    def show(text: str, record: Mapping[str, object]) -> None:
        try:
            put_json(record) if as_json else put(text)
        except OSError as error:  # whoever read along is gone, or their disk is full; the desk goes on
            let_go_of_stdout()
            say(f"Incidents are not printed any more ({error.strerror or error}); the desk goes on.", "warning")

    for incident in app.register.incidents():
        if incident.is_open:
            show(open_line(incident, clock_of(incident)), open_json(incident))
    app.register.subscribe(lambda told: show(event_line(told, clock_of(told.incident)), line(told)))


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - WATCHES_TOLD} more" if len(names) > WATCHES_TOLD else ""
    return ", ".join(names[:WATCHES_TOLD]) + more


def place(explicit: Path | None) -> Path | None:
    """Where the configuration in force lies; None where there is none."""
    return settings.find(explicit, os.environ, Path.cwd(), _user_folder())


def _user_folder() -> Path:
    return Path(typer.get_app_dir("crisisdesk"))


def read(explicit: Path | None) -> Settings:
    """The configuration in force.

    Raises:
        ConfigurationError: it is broken, or nowhere to be found.
    """
    if (found := read_if_any(explicit)) is None:
        raise ConfigurationError(
            f"There is no configuration: no --config, no ${settings.VARIABLE}, no {settings.FILE_NAME} here or in "
            f"{_user_folder()}. `crisisdesk init` writes one to start from; `crisisdesk demo` needs none."
        )
    return found


def read_if_any(explicit: Path | None) -> Settings | None:
    """The same; None where there is none.

    Raises:
        ConfigurationError: it is broken, or not where it was said to be.
    """
    path = place(explicit)
    return None if path is None else settings.load(path)


def terms(configured: Settings) -> Terms:
    """How long posts are kept, and whether their authors are known by name."""
    wanted = configured.privacy
    kept = {watch.name: watch.keep_posts for watch in configured.watches}
    return Terms(kept, wanted.keep_evidence, wanted.pseudonyms)


def rules(configured: Settings) -> dict[WatchRule, Standard]:
    """The watches and by what each is judged."""
    severity = SeverityRules(**configured.severity.model_dump())
    return {
        WatchRule(watch.name, watch.terms, watch.not_terms, watch.languages, watch.accounts): Standard(
            watch.false_alarms,
            Expectation(watch.usual),
            watch.timezone or configured.desk.timezone,
            severity,
        )
        for watch in configured.watches
    }


def sources(
    configured: Settings, clock: Clock, *, listener: Listener | None = None, visiting: bool = False
) -> list[Source]:
    """The sources; all webhooks have one address together.

    Args:
        configured: names them.
        clock: tells when something comes.
        listener: on that address; one is made where there is none.
        visiting: they are only looked at: nobody who runs the desk may miss what they bring.
    """
    listener = listener or listening(configured, visiting=visiting)
    return [_source_or_why_not(source, configured, clock, listener, visiting) for source in configured.sources]


def _source_or_why_not(
    source: SourceSettings, configured: Settings, clock: Clock, listener: Listener, visiting: bool
) -> Source:
    try:
        return _source(source, configured, clock, listener, visiting)
    except UsageError as error:  # the others need not be deaf for that
        return Unusable(source.name, str(error))


def _source(  # noqa: PLR0911  a return for each kind is the plainest table
    source: SourceSettings, configured: Settings, clock: Clock, listener: Listener, visiting: bool
) -> Source:
    if isinstance(source, BlueskySource):
        history = timedelta(hours=source.history_hours)
        return Bluesky(source.url, clock, name=source.name, compress=source.compress, history=history)
    if isinstance(source, MastodonSource):
        token, websocket = source.token(os.environ), source.transport == "websocket"
        history, name = timedelta(hours=source.history_hours), source.name
        return Mastodon(source.server, token, source.streams, clock, name=name, history=history, websocket=websocket)
    if isinstance(source, FeedSource):
        agent, authorization = source.user_agent, source.authorization(os.environ)
        return Feeds(
            source.url, clock, name=source.name, every=source.every, user_agent=agent, authorization=authorization
        )
    if isinstance(source, MqttSourceSettings):
        client_id, seconds, topics = source.client_name(configured.desk.name), source.session_seconds, source.topic
        if visiting:
            client_id, seconds, topics = f"{client_id}-doctor", 0, tuple(map(unshared, topics))
        return MqttSource(broker(source), topics, clock, client_id=client_id, name=source.name, session_seconds=seconds)
    if isinstance(source, WebhookSource):
        keys, most, rate = Keys(*source.secrets(os.environ)), source.most_bytes, source.per_minute
        return Webhook(source.name, listener, clock, keys, most_bytes=most, per_minute=rate)
    if isinstance(source, XSource):
        return _x(source, configured, clock)
    return FileSource(
        source.name, source.path, clock, source.columns,
        follow=source.follow, speed=source.speed, zone=source.timezone,
    )  # fmt: skip


def _x(source: XSource, configured: Settings, clock: Clock) -> Source:
    """What X brings is what the watches look for, so it needs to know them."""
    authors, reposts = source.authors, source.reposts
    wishes = Wishes(
        topics=[Topic(one.name, one.terms, one.accounts if authors else ()) for one in configured.watches],
        desk=configured.desk.name,
        bill=Bill(Prices(source.price_per_post, source.price_per_author if authors else 0.0)),
        reposts=reposts,
        fill_gaps=source.fill_gaps,
        history=timedelta(hours=source.history_hours),
        backfill_minutes=source.backfill_minutes,
        most_a_month=source.most_a_month,
    )
    api = Api(source.url, source.token(os.environ), clock, authors=authors, reposts=reposts)
    return X(api, wishes, clock, name=source.name)
