"""What people see of HTML."""

import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from crisisdesk.sources.markup import text_of
from crisisdesk.text import MAX_LENGTH, clean

LINK = (
    '<a href="https://www.example.com/news/2026/a-very-long-address" rel="nofollow" target="_blank">'
    '<span class="invisible">https://www.</span><span class="ellipsis">example.com/news/2026/a-very-</span>'
    '<span class="invisible">long-address</span></a>'
)


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("plain words", "plain words"),
        ("<p>One.</p><p>Two.<br>Three.<br/>Four.</p>", "One. Two. Three. Four."),
        ("<ul><li>a</li><li>b</li></ul><blockquote>c</blockquote><h2>d</h2>e", "a b c d e"),
        ("<table><tr><td>a</td><td>b</td></tr></table>", "a b"),
        ("half a <b>wo</b>rd", "half a word"),
        ("Fish &amp; chips &lt;3 &#8364;5 &#x1F600; &nbsp;end &auml;", "Fish & chips <3 €5 😀 end ä"),
        ("a &amp", "a &"),
        ("I <3 it, 1 < 2, a<b", "I <3 it, 1 < 2, a"),
        ("a<script>alert('<p>x</p>')</script>b<style>p {}</style>c<template><p>d</p></template>e", "abce"),
        ("a<!-- b -->c<!DOCTYPE html>d<![CDATA[e]]>f<![if !IE]>g<?php h ?>i", "acdfgi"),
        (f"<p>See {LINK} now</p>", "See example.com/news/2026/a-very-… now"),
        (
            '<p><span class="h-card"><a>@<span>b</span></a></span> <a class="hashtag">#<span>c</span></a></p>',
            "@b #c",
        ),
        ('<p>a<span class="invisible">b</p><p>c', "a c"),
        ('<span class="invisible">a<span class="x">b</span>c</span>d', "d"),
        ('</span></p>a<span class="ellipsis">b', "ab"),
        ('<img src=x onerror="alert(1)" alt="b">a<a href="javascript:alert(1)">c</a>', "ac"),
        (f'<p class="quote-inline">RE: {LINK}</p><p>my words</p>', "my words"),
        (f'<p>my<span class="x quote-inline"><br/><br/>RE: {LINK}</span> words</p>', "my words"),
        ('<p class="quote-inline">RE: a<p>b', "b"),
        ('<p>a <span class="quote-inline">b</p>c', "a c"),
        ("a<template>b<template>c</template>d</template>e", "ae"),
        ("a\x1b]52;c;aGk=\x07b&#27;&#8238;c", "abc"),
        ("&lt;b&gt;bold&lt;/b&gt;", "<b>bold</b>"),
        ("a <!-- never closed <p>b</p>", "a"),
        ("a <p class='never closed>b", "a"),
        ("a <script>b", "a"),
        ("", ""),
    ],
)
def test_it_reads_as_people_see_it(html: str, text: str) -> None:
    assert text_of(html) == text


@pytest.mark.parametrize(
    "piece",
    ["<div>", "<p>", "<span>", '<span class="invisible">', "<", "</", "</a", "<!--", "<![", "<!a", "<a ", "<a a='",
     "<?", "&", "&amp", "&#", "<script>", "<script></scrip", "<title>&", "<textarea>", "<svg><![CDATA[", "<!doctype [",
     "<a" + " " * 1_000, "a<br>"],
)  # fmt: skip
def test_what_is_hostile_costs_no_time(piece: str) -> None:
    start = time.process_time()

    text_of(piece * 100_000)

    assert time.process_time() - start < 2


def test_a_hundred_thousand_tags_end_in_words() -> None:
    assert text_of("<b>" * 60_000 + "angry") == "angry"
    assert text_of("<div><span>" * 10_000 + "angry" + "</span></div>" * 5_000 + " mothers") == "angry mothers"


def test_what_is_long_is_cut() -> None:
    assert len(text_of("<p>word</p>" * 1_000_000)) == MAX_LENGTH


@given(
    st.text()
    | st.lists(st.sampled_from(["<", ">", "<p", "</", "![", "--", "&", "#", "span", "'", '"', "a"])).map("".join)
)
@example("<![x[")
@example("<!DOCTYPE [<!ELEMENT x")
def test_nothing_breaks_it(html: str) -> None:
    text = text_of(html)

    assert text == clean(text)
