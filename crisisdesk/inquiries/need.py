"""Whether a single post needs an answer, why, and how urgently. Pure.

    it names the brand          asks or complains; or says anything to it but praise, and is no news with a link
    it speaks to nobody         asks something, without a link; or complains in front of very many
    it speaks to somebody else  that is theirs to answer

So a storm does not become a list: what crowds say of a brand is an incident, what one person says to it is an inquiry.
Reposts, the brand's own posts, and posts in languages that do not count need no answer here.
"""

import math
import re
from typing import Final

from crisisdesk.inquiries.brand import Brand
from crisisdesk.inquiries.question import is_question
from crisisdesk.records import Need, Post, Scored

CLEARLY: Final = 0.6
"""Probability from which on a mood is believed: a single post is judged here, where no others make up for an error."""
WIDE: Final = 10_000
"""Followers from which on a complaint that speaks to nobody, or praise of the brand, is worth an answer by itself."""
FEW_NAMES: Final = 2
"""A post that names more accounts than these lists them, and waits for no answer of each."""
WEIGHTS: Final = {Need.ADDRESSED: 3.0, Need.QUESTION: 2.0, Need.NEGATIVE: 2.0}
"""What each need weighs; ten times as many followers weigh one more."""

_REPEATED: Final = re.compile(r"\b(?:RT|MT)\s+@\w|\bvia\s+@\w", re.IGNORECASE)
_NAME: Final = re.compile(r"(?<![\w@])@\w")
_LINK: Final = re.compile(r"https?:|www\.", re.IGNORECASE)


def needs(scored: Scored, watch: str, brand: Brand, *, answers_own: bool = False) -> tuple[Need, ...]:
    """Why a post needs an answer of that watch's brand, the weightiest first; nothing where it needs none.

    Args:
        scored: the post and its mood.
        watch: one of those that it concerns.
        brand: how that watch's brand is spoken to.
        answers_own: it answers a post that is known to be the brand's own.
    """
    post = scored.post
    if watch in scored.mention.apart or not post.id or _repeats(post) or brand.is_own(post.author):
        return ()
    addressed = answers_own or brand.is_addressed(post)
    asks, complains = is_question(post.text), scored.judged and scored.negative >= CLEARLY
    found = {Need.ADDRESSED: addressed, Need.QUESTION: asks, Need.NEGATIVE: complains}
    shares, wide = _LINK.search(post.text) is not None, post.reach >= WIDE
    if addressed:
        passing = shares or brand.is_to_others(post) or len(_NAME.findall(post.text)) > FEW_NAMES
        enough = asks or complains or wide or ((answers_own or not passing) and scored.positive < CLEARLY)
    elif brand.is_to_others(post) or post.reply_to is not None:
        enough = False
    else:
        enough = (asks and not shares) or (complains and wide)
    return tuple(need for need, so in found.items() if so) if enough else ()


def weight(why: tuple[Need, ...], reach: int) -> float:
    """How urgent it is: the sum of its needs and, by its decimal logarithm, of its author's followers."""
    return round(sum(WEIGHTS[need] for need in why) + math.log10(1 + max(0, reach)), 1)


def _repeats(post: Post) -> bool:
    """Whether a post repeats another one, as the network says or as its words do."""
    return post.original is not None or _REPEATED.search(post.text) is not None
