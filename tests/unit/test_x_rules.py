"""Terms of watches as rules of X: they bring at least what the desk's own matching finds."""

import re
import unicodedata

import pytest

from crisisdesk.match import Matcher, WatchRule
from crisisdesk.sources.x.rules import RULE_LENGTH, Rule, Topic, difference, prefix_of, rules_of, unfit
from crisisdesk.sources.x.terms import author_clause, clauses_of, spellings


@pytest.mark.parametrize(
    ("term", "clauses"),
    [
        ("motrin", ["motrin", "#motrin", "@motrin"]),
        ("Motrin", ["motrin", "#motrin", "@motrin"]),
        ("#MotrinMoms", ["#motrinmoms"]),
        ("@Motrin", ["@motrin"]),
        ("$JNJ", ["$jnj"]),
        ("pain reliever", ['"pain reliever"']),
        ("pain-reliever", ['"pain-reliever"']),
        ("mother's day", ['"mother\'s day"']),
        ("OR", ['"or"', "#or", "@or"]),
        ("7", ["7", "@7"]),
        ("a_b", ['"a_b"', "#a_b", "@a_b"]),
        ("#a b", ['"a b"']),
        ("@acme@social.example", ['"acme@social.example"']),
        ("$5", ["5"]),
        ("from:evil -is:retweet", ['"from:evil -is:retweet"']),
        ('say "motrin" (OR', ['"say motrin (or"']),
        ("back\\slash", ['"back slash"']),
        ("😡", ['"😡"']),
        ("モトリン", ["モトリン", "#モトリン"]),
        ('"', []),
        ("#", []),
    ],
)
def test_a_term_is_asked_for_as_x_writes_it(term, clauses):
    assert clauses_of(term) == clauses


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("köln", ["köln", "koeln"]),
        ("koeln", ["koeln", "köln"]),
        ("straße", ["straße", "strasse"]),
        ("größe", ["größe", "groesse", "groeße", "grösse"]),
        ("café", ["café", "cafe"]),
        ("motrin", ["motrin"]),
    ],
)
def test_umlauts_are_asked_for_in_all_spellings_and_accents_without(text, written):
    assert sorted(spellings(text)) == sorted(written)
    assert spellings(text)[0] == text


def test_spellings_are_not_without_end():
    assert len(spellings("ae" * 40)) == 2
    assert len(clauses_of("Müßiggängerstraße")) <= 2 * 8 + 8


def test_what_the_desk_finds_a_rule_brings():
    """By X's own description: words end at punctuation, letters are compared without case, and nothing else."""
    terms = ["motrin", "pain reliever", "#motrinmoms", "@motrin", "Köln", "Strasse", "Mother's day", "coca-cola"]
    texts = [
        "MOTRIN!", "my motrin's bad", "#motrin", "@Motrin no", "see motrin-moms", "a pain-reliever", "Pain Reliever.",
        "#MotrinMoms", "in Koeln", "in KÖLN", "auf der Straße", "auf der STRASSE", "mother’s day", "Coca Cola",
    ]  # fmt: skip
    for text in texts:
        found = [term for term in terms if Matcher([WatchRule("w", (term,))]).watches_in(text)]
        assert found, text
        for term in found:
            assert any(_brings(clause, text) for clause in clauses_of(term)), (term, text)


def _brings(clause: str, text: str) -> bool:
    text = text.lower()
    if clause[0] in "#@$":
        return re.search(rf"{re.escape(clause)}(?!\w)", text) is not None
    words, wanted = _words(text), _words(clause.strip('"'))
    return any(words[at : at + len(wanted)] == wanted for at in range(len(words)))


def _words(text: str) -> list[str]:
    return "".join(c if unicodedata.category(c)[0] in "LN" else " " for c in text).split()


def test_rules_are_as_few_as_hold_all_terms():
    terms = tuple(f"brand{number}" for number in range(100))
    rules = rules_of([Topic("Brands", terms)], "acme")
    assert all(len(rule.value) <= RULE_LENGTH for rule in rules)
    assert all(rule.value.endswith(") -is:retweet") for rule in rules)
    assert {rule.tag for rule in rules} == {"crisisdesk/acme/Brands"}
    wanted = " ".join(rule.value for rule in rules)
    assert all(re.search(rf"[( ]{sign}{term}\b", wanted) for term in terms for sign in ("", "#", "@"))
    assert len(rules) == 7


def test_own_accounts_on_x_are_heard():
    (rule,) = rules_of([Topic("Acme", ("#acme",), ("acme@x.com", "did:plc:x", "acme@social.example"))], "acme")
    assert rule.value == "(#acme OR from:acme) -is:retweet"
    assert author_clause("@Acme_1@X.com") == "from:acme_1"
    assert author_clause("acme:evil@x.com") is None


def test_one_clause_needs_no_parentheses():
    assert [rule.value for rule in rules_of([Topic("A", ("#a",))], "d")] == ["#a -is:retweet"]
    assert [rule.value for rule in rules_of([Topic("A", ("#a", "#b"))], "d", reposts=True)] == ["#a OR #b"]


def test_equal_rules_are_there_once_and_tags_are_short():
    rules = rules_of([Topic("A" * 300, ("#a",)), Topic("B", ("#a",))], "acme")
    assert len(rules) == 1
    assert len(rules[0].tag) == 100


def test_terms_that_no_rule_can_hold_are_named():
    assert unfit([Topic("A", ("motrin", "x" * 510, "😀 " * 300)), Topic("B", ('"',))]) == [
        ("A", "x" * 510), ("A", "😀 " * 300), ("B", '"'),
    ]  # fmt: skip


def test_the_difference_touches_only_what_is_ours():
    wanted = [Rule("a", "crisisdesk/acme/A"), Rule("b", "crisisdesk/acme/B")]
    there = [
        Rule("b", "somebody's", "1"),
        Rule("c", "crisisdesk/acme/C", "2"),
        Rule("d", "crisisdesk/acme2/D", "3"),
        Rule("e", "", "4"),
    ]
    found = difference(wanted, there, prefix_of("acme"))
    assert (found.add, found.remove) == ((wanted[0],), (there[1],))
    assert (found.kept, found.others) == ((there[0],), (there[2], there[3]))
