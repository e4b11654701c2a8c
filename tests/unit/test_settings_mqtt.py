"""Brokers in the configuration: where they are, how to be let in, and what is read there."""
# ruff: noqa: E501  (messages stand here as people see them, in one line)

import ssl
from pathlib import Path

import pytest

from crisisdesk.errors import ConfigurationError
from crisisdesk.settings import MqttOutput, MqttSourceSettings, load

DESK = '[desk]\nname = "acme"\n'


def source(tmp_path: Path, more: str) -> MqttSourceSettings:
    path = tmp_path / "crisisdesk.toml"
    path.write_text(f'{DESK}[[source]]\nkind = "mqtt"\nhost = "broker"\n{more}\n')
    (only,) = load(path).sources
    assert isinstance(only, MqttSourceSettings)
    return only


def told(tmp_path: Path, more: str) -> str:
    with pytest.raises(ConfigurationError) as caught:
        source(tmp_path, more)
    return str(caught.value).replace(f"{tmp_path}/crisisdesk.toml:", "")


def test_the_smallest_one(tmp_path):
    found = source(tmp_path, 'topic = "posts/#"')
    assert (found.name, found.port, found.topic, found.session_seconds) == ("mqtt", 1883, ("posts/#",), 86_400)
    assert found.encryption() is None
    assert found.password({}) is None


@pytest.mark.parametrize(
    "topic",
    ["a", "a/b c/ä", "+", "#", "a/+/c", "+/+/#", "/", "$share/desks/posts/#", "$share/desks//", "$SYS/broker/#"],
)
def test_topics_that_brokers_take(tmp_path, topic):
    assert source(tmp_path, f'topic = "{topic}"').topic == (topic,)


def test_several_topics(tmp_path):
    assert source(tmp_path, 'topic = ["a/b", "$share/desks/c/#"]').topic == ("a/b", "$share/desks/c/#")


@pytest.mark.parametrize(
    ("topic", "what"),
    [
        ("", "it is empty"),
        ("a/#/b", "'#' stands alone at the end, such as \"posts/#\""),
        ("a/b#", "'#' stands alone at the end, such as \"posts/#\""),
        ("a/b+/c", "'+' stands alone between two '/', such as \"posts/+/new\""),
        ("$share/desks", 'a shared one is "$share/<group>/<topic>"'),
        ("$share//a", 'a shared one is "$share/<group>/<topic>"'),
        ("$share/a+/b", 'a shared one is "$share/<group>/<topic>"'),
        ("$share/a/", "it is empty"),
        (" posts", "it holds what cannot be printed, has a space before or after it, or is too long"),
        ("posts/# ", "it holds what cannot be printed, has a space before or after it, or is too long"),
        ("a\\u0000b", "it holds what cannot be printed, has a space before or after it, or is too long"),
        ("x" * 65_536, "it holds what cannot be printed, has a space before or after it, or is too long"),
    ],
    ids=lambda value: value[:20].replace("\\u0000", "zero"),
)
def test_topics_that_no_broker_takes(tmp_path, topic, what):
    assert told(tmp_path, f'topic = ["fine", "{topic}"]').endswith(f" is no topic: {what}")


@pytest.mark.parametrize(
    ("more", "what"),
    [
        ("", '3: [[source]] "mqtt" has no \'topic\'; add topic = "posts/#"'),
        (
            "topic = 7",
            '6: \'topic\' in [[source]] "mqtt" must be a topic in quotes such as "posts/#", or a list of topics in brackets',
        ),
        ('topics = "a"', "6: unknown key 'topics' in [[source]] \"mqtt\"; did you mean 'topic'?"),
        (
            'topic = "a"\npassword = "x"',
            "7: unknown key 'password' in [[source]] \"mqtt\"; name its place with 'password_env' or 'password_file' instead",
        ),
        ('topic = "a"\nsession_seconds = 5', "7: 'session_seconds' in [[source]] \"mqtt\" must be at least 60"),
        (
            'topic = "a"\nclient_id = ""',
            '7: \'client_id\' in [[source]] "mqtt" must be a printable name such as "crisisdesk-acme-posts", without spaces around it',
        ),
        (
            'topic = "a"\npassword_env = "P"',
            "3: [[source]] \"mqtt\" has a password but no 'username'; add it",
        ),
        (
            'topic = "a"\nca_file = "ca.pem"',
            "3: [[source]] \"mqtt\" has a 'ca_file' but does not say 'tls = true'; add it",
        ),
        (
            'topic = "a"\ntls = true\nkey_file = "x"',
            "3: [[source]] \"mqtt\" has a 'key_file' but no 'certificate_file'; add it",
        ),
    ],
    ids=lambda value: value.replace("\n", " ")[:40],
)
def test_what_is_wrong_is_told_with_its_cure(tmp_path, more, what):
    lines = told(tmp_path, more).splitlines()
    assert what in lines


@pytest.mark.parametrize("host", ["mqtt://broker", "broker:1883", "broker/x", "u@broker", " broker", "[::1]"])
def test_a_host_is_a_name_or_an_address_alone(tmp_path, host):
    path = tmp_path / "crisisdesk.toml"
    path.write_text(f'{DESK}[[source]]\nkind = "mqtt"\nhost = "{host}"\ntopic = "a"\n')
    with pytest.raises(
        ConfigurationError, match=r"5: 'host' in .* must be a name or an address alone, such as .*'port'"
    ):
        load(path)
    for fine in ("broker", "b-1.example", "127.0.0.1", "::1", "fe80::1%eth0", "bröker.example"):
        path.write_text(f'{DESK}[[source]]\nkind = "mqtt"\nhost = "{fine}"\ntopic = "a"\n')
        assert load(path).sources[0].host == fine


def test_the_name_by_which_the_broker_knows_us(tmp_path):
    assert source(tmp_path, 'topic = "a"\nname = "forum-2"').client_name("acme") == "crisisdesk-acme-forum-2"
    names = [
        source(tmp_path, f'topic = "a"\nname = "{name}"').client_name("acme")
        for name in ("Caf-posts", "Café posts", "Caf posts", "форум", "论坛")
    ]
    assert len(set(names)) == len(names), "two of one name would push each other out"
    assert all(name.isascii() and set(name).isdisjoint(" +#/") for name in names)
    assert source(tmp_path, 'topic = "a"\nclient_id = "mine"').client_name("acme") == "mine"


def test_encryption_has_its_own_port(tmp_path):
    found = source(tmp_path, 'topic = "a"\ntls = true')
    assert found.port == 8883
    assert source(tmp_path, 'topic = "a"\ntls = true\nport = 1').port == 1
    context = found.encryption()
    assert context is not None
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname


@pytest.mark.parametrize("key", ["ca_file", "certificate_file"])
@pytest.mark.parametrize("content", [None, "no certificate"])
def test_a_certificate_that_cannot_be_used_is_named(tmp_path, key, content):
    if content is not None:
        (tmp_path / "some.pem").write_text(content)
    with pytest.raises(ConfigurationError) as caught:
        source(tmp_path, f'topic = "a"\ntls = true\n{key} = "some.pem"').encryption()
    assert str(caught.value).startswith(f"{tmp_path}/some.pem: the certificate")
    assert '[[source]] "mqtt"' in str(caught.value)
    assert "Traceback" not in str(caught.value)


def test_an_output_is_let_in_the_same_way(tmp_path):
    path = tmp_path / "crisisdesk.toml"
    path.write_text(
        f'{DESK}[[output]]\nkind = "mqtt"\nhost = "broker"\ntls = true\nusername = "u"\npassword_env = "P"\n'
    )
    (output,) = load(path).outputs
    assert isinstance(output, MqttOutput)
    assert (output.port, output.password({"P": "secret"})) == (8883, "secret")
    with pytest.raises(
        ConfigurationError, match=r'\.toml:\d+: \[\[output\]\] "mqtt": the environment has no P; set it\.$'
    ):
        output.password({})
