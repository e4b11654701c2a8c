"""The file that `crisisdesk init` writes."""

from typing import Final

EXAMPLE: Final = """\
# The configuration of a crisisdesk. Lines that begin with # are explanations or choices that are switched off.

[desk]
name = "acme"                     # shown on the console, part of the MQTT topics
database = "crisisdesk.db"        # incidents and what was learnt; relative to this file
# playbooks = "playbooks/"        # your own folder of playbooks; without it those that come along are used
# timezone = "Europe/Berlin"      # where the people live who speak of you: by which clock they get up and go to bed
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
# accounts = ["did:plc:…", "@acme@social.example", "@acme@x.com"]    # your own; you are told when they fall silent
# keep_posts = "30 days"          # posts as they were said; then without names. docs/privacy.md says what that means
# answers = false                 # no list of single posts that need an answer (w on the console): docs/answers.md

# usual = "about 20 posts a day"  # how much is said of it, as far as you know; it then judges from the first hour on
# timezone = "America/New_York"   # where its people live, if not where the desk's do

# What makes a notice amber and amber red, besides how unlikely it is. These are the values without this table.
# [severity]
# notice_people = 3               # people behind the negative posts of a notice, at least
# amber_people = 4
# red_people = 10                 # nobody is woken for the anger of fewer,
# red_people_an_hour = 3          # or for so few an hour
# crowd = 60                      # so many more people an hour than usual are red as soon as they are amber
# growth = 2.0                    # fast, which brings red nearer: twice as many in the last quarter of an hour
# reach = 100000                  # wide, which brings red nearer: followers together of those who speak,
# sources = 2                     # and so many networks that each carry a fifth of it

# Where posts come from.
[[source]]
kind = "bluesky"                  # the public posts of Bluesky; no account needed
# url = ["wss://jetstream2.us-east.bsky.network/subscribe"]    # one server or several; without it the four public ones
# compress = false                # servers compress what they send: less traffic for a little more work
# history_hours = 0               # a new watch reads all that was said in the last 36 hours: much, though only once

# [[source]]
# kind = "feed"                   # RSS and Atom: blogs, newspapers, forums, channels, and searches that are offered so
# url = ["https://www.reddit.com/search.rss?q=motrin&sort=new&limit=100", "https://www.reddit.com/r/Parenting/new.rss"]
# every = "10 minutes"            # how often each is read, unless its server asks for more patience
# user_agent = "linux:acme-desk:1.0 (by /u/yourname)"    # Reddit wants to know who asks
# username = "desk"               # where a feed is not for everybody
# password_env = "FEED_PASSWORD"  # the name of an environment variable; or password_file = "feed.secret"

# [[source]]
# kind = "file"
# path = "posts.jsonl"            # JSON lines or CSV with time, text, ...; "-" is standard input
# follow = true                   # go on reading what is appended, also after rotations; without it read once
# timezone = "Europe/Berlin"      # of times that name no zone; without it they are UTC

# [[source]]
# kind = "file"
# path = "recording.csv.gz"       # .gz is unpacked, not followed
# speed = 60                      # an hour in a minute; without it as fast as it goes
# columns = "time=Datum,text=Inhalt"    # where its columns, or fields in JSON, have other names

# [[source]]
# kind = "mastodon"               # what one server of Mastodon sees; needs a user there, and an application of it:
# server = "https://mastodon.social"      # Preferences, Development, New application, scope read:statuses
# token_env = "MASTODON_TOKEN"    # its access token; or token_file = "mastodon.token"
# streams = ["public:local", "hashtag:motrin"]    # its own users, and a hashtag; also "public:remote" (users of others)
#                                 # and "public" (both), which many servers show to nobody
# history_hours = 0               # a new watch reads what was said in the last 24 hours, if that is not too much
# transport = "websocket"         # or "sse", which is used as well where websockets are refused

# [[source]]
# kind = "mqtt"
# host = "127.0.0.1"
# topic = "posts/#"               # what others publish, with QoS 1; or a list of topics
# session_seconds = 86400         # how long the broker keeps what comes while the desk is away
# client_id = "acme-posts"        # as whom it knows the desk again; each desk and source needs one of its own
# username = "desk"               # this and what follows is the same for outputs
# password_env = "MQTT_PASSWORD"  # the name of an environment variable; or password_file = "mqtt.secret"
# tls = true                      # encrypted, on port 8883 unless port says otherwise
# ca_file = "broker-ca.pem"       # who vouches for the broker, if this machine does not know
# certificate_file = "desk.pem"   # if the broker wants to see one of ours; its key there or in key_file

# [[source]]
# kind = "webhook"                # posts that listening suites and forms send, to http://127.0.0.1:8080/ingest/suite
# name = "suite"                  # the end of that address
# secret_env = "SUITE_SECRET"     # with it they sign (docs/sources.md says how); or secret_file = "suite.secret"
# token_env = "SUITE_TOKEN"       # for those that cannot sign; or token_file = "suite.token"
# most_bytes = 5000000            # of one request
# per_minute = 600                # requests

# [[source]]
# kind = "x"                      # what is said on X of the watches. X bills it: `crisisdesk doctor` says how much
# token_env = "X_TOKEN"           # the Bearer token of an app; or token_file = "x.token"
# most_a_month = 200              # USD; where more is to be expected, the desk does not connect
# authors = false                 # without names and followers of authors, which are billed besides
# reposts = true                  # they are left out otherwise, since each is billed
# fill_gaps = false               # do not search for what was said during a break; what is found is billed
# history_hours = 24              # a new watch reads what was said before, up to 168 hours; billed as well
# price_per_post = 0.005          # USD, and price_per_author = 0.01: what https://console.x.com says
# backfill_minutes = 5            # Enterprise only: X itself sends again what a break has cost

# Where consoles, programmes and webhooks reach the desk: docs/server.md. Without this table only this machine does.
# [server]
# listen = "127.0.0.1:8080"       # "0.0.0.0:8443" is reached from elsewhere, too; `crisisdesk token create NAME` first
# tls_certificate = "desk.pem"    # for https, if nothing in front of the desk does that; with its chain
# tls_key = "desk.key"
# tokens = "acme.tokens"          # who may use it, written by `crisisdesk token`; without it beside the database
# per_minute = 600                # requests of each token
# streams = 64                    # consoles and others who listen, at once

# What is kept of other people: docs/privacy.md. These are the values without this table.
# [privacy]
# keep_evidence = "2 years"       # after 'keep_posts', incidents keep the words without names for so long
# pseudonyms = false              # true: authors are pseudonyms from the start, and no address leads to a post

# Where incidents go, besides the console.
# [[output]]
# kind = "mqtt"
# host = "127.0.0.1"
# port = 1883
# heartbeat_seconds = 30
# username = "desk"
# password_env = "MQTT_PASSWORD"  # the name of an environment variable; or password_file = "mqtt.secret"
# commands = ["acknowledge", "note"]    # what may be asked of the desk, "silence" and "resolve" too: docs/outputs.md

# [[output]]
# kind = "webhook"                # every change is posted to a server of yours; docs/outputs.md says what
# name = "suite"
# url = "https://example.org/hook"    # or url_env = "SUITE_URL", where whoever knows the address may post there
# secret_env = "SUITE_SECRET"     # with it the desk signs; or secret_file = "suite.secret"
# token_env = "SUITE_TOKEN"       # for a receiver that cannot check signatures; or token_file = "suite.token"
# ca_file = "suite-ca.pem"        # who vouches for its certificate, if this machine does not know

# [[output]]
# kind = "notify"                 # people, by push, chat, mail, text message or pager: https://appriseit.com/services
# name = "push"                   # each way has a name of its own
# url_env = { "Anna Berg" = "ANNA_PUSH", "Ben Cole" = "BEN_PUSH" }    # whose address is in which environment variable;
#                                 # url_env = "SLACK_URL" for a room where many read; or url_file = "anna.secret"
# language = "de"                 # or { "Anna Berg" = "de" }; without it English
# most = "5 in 15 minutes"        # messages to one address; what is more is told together afterwards

# Who is on call; docs/oncall.md explains it, `crisisdesk oncall` shows it. Without [[chain]] everybody is told, three
# times. What you change from here on counts as soon as it is saved, without a restart.
# [[rota]]
# name = "comms"
# timezone = "Europe/Berlin"      # by whose clocks, if not the desk's
# [[rota.shift]]                  # the first that fits counts
# days = "Mon-Fri"                # without it the whole week
# hours = "08:00-20:00"           # without it the whole day; "20:00-08:00" is a night
# people = ["Anna Berg", "Ben Cole"]      # one, or several that take turns, a calendar week each
# starting = 2026-11-23           # a day of the first one's first week
# [[rota.shift]]
# people = "Ben Cole"
# [[rota.swap]]
# from = "2026-12-24 08:00"
# to = "2026-12-27 08:00"
# person = "Ben Cole"
# instead_of = "Anna Berg"        # without it whoever is on

# Whom an incident calls, one step after the other until somebody answers; the first chain that fits counts.
# [[chain]]
# name = "day and night"
# watches = ["Motrin"]            # without it all
# kinds = ["spike", "blind"]     # and "brigading"; without it all
# severities = ["amber", "red"]
# rounds = 2                      # the whole chain so often
# quiet = { amber = "22:00-07:00" }    # not called then, but afterwards, if it is still open
# [[chain.step]]
# tell = "comms"                  # a rota, a person, or an output that is a room; or a list of them
# by = "push"                     # without it by all outputs that reach them
# wait = "5 minutes"              # for an answer
# times = 2                       # so often, with that wait after each

# [calling]
# group_wait = "30 seconds"       # before the first call: what is over meanwhile calls nobody
# acknowledged_for = "60 minutes"      # after so long without anything done, the calling begins anew
# link = "https://tickets.example/?crisis={incident}"   # a page of yours about it, for messages; the desk has none

# What will be talked about: much talk calls nobody then, a worse mood does.
# [[planned]]
# watch = "Motrin"                # or a list
# from = "2026-11-27 06:00"
# to = "2026-11-30 00:00"
# reason = "Black Friday campaign"
"""
