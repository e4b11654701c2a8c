"""Who sits at a desk is one whom its outputs and rotas know, or it is said that they do not."""

import pytest

from crisisdesk.cli.seat import seated
from crisisdesk.errors import UsageError
from crisisdesk.oncall.addresses import Address
from crisisdesk.oncall.chain import Orders

KNOWN = Orders(addresses=(Address("push", "Carla Roth"), Address("push", "Jörg Weiß"), Address("slack")))


@pytest.mark.parametrize(
    ("name", "spelt"),
    [("Carla Roth", "Carla Roth"), ("carla roth", "Carla Roth"), ("Joerg Weiss", "Jörg Weiß"), ("", "")],
)
def test_a_name_that_is_known_is_spelt_as_the_outputs_spell_it(capsys, name, spelt):
    assert seated(name, KNOWN) == spelt
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("name", ["Carla Rot", "Carla Rothe", "Calra Roth", "Karla Roth"])
def test_a_name_a_letter_away_is_refused(name):
    with pytest.raises(UsageError) as caught:
        seated(name, KNOWN)
    assert str(caught.value) == f"--as: '{name}' is in no output and no rota; did you mean 'Carla Roth'?"


def test_an_unknown_name_is_taken_with_a_word(capsys):
    assert seated("Zoe", KNOWN) == "Zoe"
    assert capsys.readouterr().err == (
        "--as: 'Zoe' is in no output and no rota (there are 'Carla Roth', 'Jörg Weiß'); it is taken as it stands.\n"
    )


def test_where_nobody_is_known_every_name_is_as_good(capsys):
    assert seated("Zoe", Orders()) == "Zoe"
    assert capsys.readouterr().err == ""
