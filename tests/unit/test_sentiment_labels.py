"""What the labels of strangers' classifiers mean here."""

import tomllib

import pytest

from crisisdesk.errors import ModelError, UsageError
from crisisdesk.sentiment.labels import UNCLEAR, parse_labels, placed, require_clear
from crisisdesk.text import clean

NEGATIVE, NEUTRAL, POSITIVE = "negative", "neutral", "positive"
STARS = [f"{number} star{'s' if number > 1 else ''}" for number in range(1, 6)]


def meanings(labels, given=None, model="the model") -> list[str]:
    """What each label means, of a model that can judge."""
    means = placed(labels, given, model)
    require_clear(labels, means, model)
    return list(means)


@pytest.mark.parametrize(
    ("labels", "meant"),
    [
        (["negative", "neutral", "positive"], [NEGATIVE, NEUTRAL, POSITIVE]),
        (["POS", "NEU", "NEG"], [POSITIVE, NEUTRAL, NEGATIVE]),
        (["neg", "pos"], [NEGATIVE, POSITIVE]),
        (["Positive", "Negative"], [POSITIVE, NEGATIVE]),
        (["NEGATIVE", "POSITIVE"], [NEGATIVE, POSITIVE]),
        (["positiv", "Negativ", " neutral "], [POSITIVE, NEGATIVE, NEUTRAL]),
        (["LABEL_0", "LABEL_1", "LABEL_2"], [NEGATIVE, NEUTRAL, POSITIVE]),
        (["label_0", "label_1", "label_2"], [NEGATIVE, NEUTRAL, POSITIVE]),
        (STARS, [NEGATIVE, NEGATIVE, NEUTRAL, POSITIVE, POSITIVE]),
        (STARS[::-1], [POSITIVE, POSITIVE, NEUTRAL, NEGATIVE, NEGATIVE]),
        (["1_star", "2_stars", "3_stars", "4_stars", "5_stars"], [NEGATIVE, NEGATIVE, NEUTRAL, POSITIVE, POSITIVE]),
        (
            ["Very Negative", "Negative", "Neutral", "Positive", "very_positive"],
            [NEGATIVE, NEGATIVE, NEUTRAL, POSITIVE, POSITIVE],
        ),
    ],
)
def test_the_usual_spellings_are_understood(labels, meant):
    assert meanings(labels) == meant


@pytest.mark.parametrize(
    "labels",
    [
        ["joy", "anger", "sadness"],
        [f"LABEL_{number}" for number in range(7)],
        ["LABEL_0", "LABEL_1"],
        ["LABEL_2", "LABEL_1", "LABEL_0"],
        STARS[:4],
        [*STARS, "6 stars"],
        ["negative", "neutral", "positive", "mixed"],
        ["1", "2", "3", "4", "5"],
    ],
)
def test_anything_else_asks_and_shows_the_labels_and_the_exact_setting(labels):
    with pytest.raises(ModelError) as raised:
        meanings(labels, model="acme/moods")
    message = str(raised.value)
    assert f"it has {', '.join(labels)}, and" in message
    assert "or with --model or model import --labels" in message
    assert UNCLEAR in placed(labels)
    setting = message.partition("model_labels = ")[2].partition(", or with --model")[0]
    shown = tomllib.loads(f"model_labels = {setting}")["model_labels"]
    assert list(shown) == labels
    assert set(shown.values()) <= {"?", NEGATIVE, NEUTRAL, POSITIVE}


def test_what_the_message_shows_does_as_it_stands_once_the_moods_are_filled_in():
    with pytest.raises(ModelError) as raised:
        meanings(["joy", "anger"], model="m")
    option = str(raised.value).partition('--labels "')[2].rstrip('"')
    given = parse_labels(option.replace("joy=?", "joy=positive").replace("anger=?", "anger=negative"))
    assert meanings(["joy", "anger"], given) == [POSITIVE, NEGATIVE]


def test_what_is_given_goes_before_what_is_usual_and_need_not_say_what_is():
    labels = ["negative", "neutral", "positive", "mixed"]
    assert meanings(labels, {"MIXED": NEUTRAL}) == [NEGATIVE, NEUTRAL, POSITIVE, NEUTRAL]
    turned = {"LABEL_0": POSITIVE, "LABEL_1": NEUTRAL, "LABEL_2": NEGATIVE}
    assert meanings(["LABEL_0", "LABEL_1", "LABEL_2"], turned) == [POSITIVE, NEUTRAL, NEGATIVE]


def test_a_label_that_the_model_has_not_is_named_with_the_nearest():
    with pytest.raises(ModelError, match=r"acme has no label 'angr'; did you mean 'anger'\?"):
        meanings(["joy", "anger"], {"joy": POSITIVE, "angr": NEGATIVE}, "acme")
    with pytest.raises(ModelError, match="it has joy, anger"):
        meanings(["joy", "anger"], {"zzz": NEGATIVE})


@pytest.mark.parametrize("labels", [["neutral", "positive"], ["negative", "very negative"], []])
def test_a_model_without_anger_or_with_nothing_else_is_refused(labels):
    with pytest.raises(ModelError, match="needed is one that means negative and one that does not"):
        meanings(labels)


def test_thousands_of_hostile_labels_make_a_short_printable_message():
    labels = [f"\x1b[31m{number}\u202e" + "x" * 500 for number in range(3000)]
    with pytest.raises(ModelError) as raised:
        meanings(labels)
    assert len(str(raised.value)) < 4000
    assert str(raised.value).isprintable()
    assert "and 2992 more" in str(raised.value)


def test_labels_of_a_call_are_read():
    assert parse_labels("LABEL_0=negative, a=b = positive") == {"LABEL_0": NEGATIVE, "a=b": POSITIVE}
    assert parse_labels("LABEL_0=negative,x=neutral,") == {"LABEL_0": NEGATIVE, "x": NEUTRAL}


@pytest.mark.parametrize("text", ["", "negative", "a=", "=negative", "a=negative,b"])
def test_labels_of_a_call_that_are_none_show_how_it_is_written(text):
    with pytest.raises(UsageError, match=r'write it like --labels "LABEL_0=negative'):
        parse_labels(text)


@pytest.mark.parametrize(
    ("mood", "cure"),
    [
        ("negativ", "did you mean 'negative'?"),
        ("Neutral", "did you mean 'neutral'?"),
        ("postive", "did you mean 'positive'?"),
        ("NEG", "did you mean 'negative'?"),
        ("grumpy", "write negative, neutral or positive."),
        ("\x1b[31m", "write negative, neutral or positive."),
    ],
)
def test_a_meaning_that_there_is_not_is_refused_with_the_nearest(mood, cure):
    with pytest.raises(ModelError) as raised:
        meanings(["a", "b"], {"a": NEGATIVE, "b": mood}, "acme")
    assert str(raised.value) == f"The label 'b' of acme is said to mean '{clean(mood)}'; {cure}"
    with pytest.raises(UsageError) as raised:
        parse_labels(f"a=negative,b={mood}")
    assert str(raised.value) == f"--labels: 'b' cannot mean '{clean(mood)}'; {cure}"
