"""What the MQTT source makes of messages, whatever somebody has published."""

from fuzz_mqtt import fuzz


def test_broken_messages():
    found = fuzz(6_000, seed=3)
    assert min(found["with posts"], found["without"]) > 500, "all ways out are taken"
