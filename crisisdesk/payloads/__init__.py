"""What machines are told, as JSON objects: over MQTT, webhooks and HTTP, and in the lines of `--json`.

The shapes are promises: keys may be added, none is renamed or removed.
"""
