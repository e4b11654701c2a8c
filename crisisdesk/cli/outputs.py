"""From the [[output]] tables of the configuration to the ways out of the building."""

import os
from collections.abc import Callable, Mapping, Sequence

from crisisdesk import settings
from crisisdesk.app import App
from crisisdesk.cli import people
from crisisdesk.clock import Clock, WallClock
from crisisdesk.commands import Commands
from crisisdesk.mqtt import Broker, visit
from crisisdesk.outputs.base import Output, PersonalOutput
from crisisdesk.outputs.mqtt.output import MqttOutput
from crisisdesk.outputs.webhook import visit as webhook_visit
from crisisdesk.outputs.webhook.line import Receiver
from crisisdesk.outputs.webhook.output import WebhookOutput
from crisisdesk.payloads.heartbeat import heartbeat_data
from crisisdesk.records import Foreseen
from crisisdesk.settings import BrokerSettings, OutputSettings, Settings

Maker = Callable[[App], Sequence[Output | PersonalOutput]]
"""Outputs tell how the desk is doing, so they are made when there is one."""


def outputs(configured: Settings, clock: Clock) -> Maker:
    """All outputs.

    Raises:
        ConfigurationError: what one of them needs is not where the settings say.
    """
    makers = [_maker(output, configured, clock) for output in configured.outputs]
    return lambda app: [output for make in makers for output in make(app)]


def _maker(output: OutputSettings, configured: Settings, clock: Clock) -> Maker:
    desk = configured.desk.name
    if isinstance(output, settings.NotifyOutput):
        addresses = people.addressed(configured, clock, only=output.name)
        return lambda _: addresses
    if isinstance(output, settings.WebhookOutput):
        receiver = _receiver(output)
        return lambda _: [WebhookOutput(receiver, desk=desk, clock=clock, name=output.name)]
    reached = broker(output)
    return lambda app: [
        MqttOutput(
            reached,
            desk=desk,
            name=output.name,
            clock=clock,
            heartbeat=lambda: heartbeat(app),
            heartbeat_seconds=output.heartbeat_seconds,
            incidents=lambda: app.register.incidents(),  # noqa: PLW0108  neither is there yet
            commands=Commands(lambda: app.desk, output.commands, clock) if output.commands else None,
        )
    ]


async def visited(output: OutputSettings, configured: Settings) -> Foreseen:
    """Look whether an output can be reached, as somebody else than the desk; nothing is told.

    Raises:
        ConfigurationError: what it needs is not where the settings say.
        OutputError: it cannot.
    """
    if isinstance(output, settings.NotifyOutput):
        return await people.visited(output, configured)
    if isinstance(output, settings.WebhookOutput):
        return await webhook_visit.visit(_receiver(output), WallClock())
    await visit(broker(output), f"crisisdesk-{configured.desk.name}-doctor")
    return Foreseen("lets us in; whether it takes alerts shows when the desk runs.")


def broker(there: BrokerSettings) -> Broker:
    """Where an MQTT broker is, and how to be let in."""
    return Broker(there.host, there.port, there.username, there.password(os.environ), tls=there.encryption())


def _receiver(output: settings.WebhookOutput) -> Receiver:
    return Receiver(*output.whom(os.environ), tls=output.encryption())


def heartbeat(app: App) -> Mapping[str, object]:
    """What a desk says of itself every so many seconds."""
    return heartbeat_data(
        app.plan.clock.now(),
        app.sources(),
        app.outputs(),
        app.waiting(),
        app.scoring.model,
        other_languages=app.tally.other_languages,
        troubles=(*app.troubles(), *app.playbook_troubles()),
    )
