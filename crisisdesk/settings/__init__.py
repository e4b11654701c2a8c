"""The configuration, `crisisdesk.toml`: found, read, and explained where it is wrong."""

from crisisdesk.settings.budget import DAYS_PER_MONTH, DEFAULT_BUDGET, parse_false_alarms
from crisisdesk.settings.example import EXAMPLE
from crisisdesk.settings.feed import FeedSource
from crisisdesk.settings.file import FileSourceSettings
from crisisdesk.settings.load import FILE_NAME, VARIABLE, find, load
from crisisdesk.settings.mastodon import MastodonSource
from crisisdesk.settings.model import (
    BLUESKY_URLS,
    BlueskySource,
    DeskSettings,
    OutputSettings,
    Settings,
    SourceSettings,
    WatchSettings,
)
from crisisdesk.settings.mqtt import BrokerSettings, MqttOutput, MqttSourceSettings
from crisisdesk.settings.notify import NotifyOutput
from crisisdesk.settings.server import Address, ServerSettings
from crisisdesk.settings.webhook import WebhookSource
from crisisdesk.settings.webhook_out import WebhookOutput
from crisisdesk.settings.x import XSource

__all__ = [
    "BLUESKY_URLS",
    "DAYS_PER_MONTH",
    "DEFAULT_BUDGET",
    "EXAMPLE",
    "FILE_NAME",
    "VARIABLE",
    "Address",
    "BlueskySource",
    "BrokerSettings",
    "DeskSettings",
    "FeedSource",
    "FileSourceSettings",
    "MastodonSource",
    "MqttOutput",
    "MqttSourceSettings",
    "NotifyOutput",
    "OutputSettings",
    "ServerSettings",
    "Settings",
    "SourceSettings",
    "WatchSettings",
    "WebhookOutput",
    "WebhookSource",
    "XSource",
    "find",
    "load",
    "parse_false_alarms",
]
