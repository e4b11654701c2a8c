"""The file that `crisisdesk init` writes."""

from typing import Final

EXAMPLE: Final = """\
# The configuration of a crisisdesk. Lines that begin with # are explanations or choices that are switched off.

[desk]
name = "acme"                     # shown on the console, part of the MQTT topics
database = "crisisdesk.db"        # incidents and what was learnt; relative to this file
# playbooks = "playbooks/"        # your own folder of playbooks; without it those that come along are used
# model = "cardiffnlp/twitter-xlm-roberta-base-sentiment"    # any classifier of the Hugging Face hub, or a "./folder";
#                                 # see `crisisdesk model import --help`; without it the model that comes along
# model_labels = { LABEL_0 = "negative", LABEL_1 = "neutral", LABEL_2 = "positive" }    # if its labels are unusual

# What to watch: one [[watch]] for each brand or topic.
[[watch]]
name = "Motrin"
terms = ["motrin", "#motrinmoms", "pain reliever"]    # words, #tags, @names, $cashtags or phrases; any of them counts
# not = ["motrin pm"]             # a post with one of these is left out
# languages = ["en", "de"]        # posts in others are shown and counted apart; without it: what the model knows
false_alarms = "1 per month"      # how many you will bear: also "4 per month", "1 per week", "sensitive", "strict"

# Where posts come from.
[[source]]
kind = "bluesky"                  # the public posts of Bluesky; no account needed
url = "wss://jetstream2.us-east.bsky.network/subscribe"

# [[source]]
# kind = "file"
# path = "posts.jsonl.gz"         # JSON lines or CSV with time, text, ...

# Where incidents go, besides the console.
# [[output]]
# kind = "mqtt"
# host = "127.0.0.1"
# port = 1883
# heartbeat_seconds = 30
# username = "desk"
# password_env = "MQTT_PASSWORD"  # the name of an environment variable; or password_file = "mqtt.secret"
"""
