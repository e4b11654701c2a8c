"""A post that needs an answer, and how the posts of a watch are answered."""

from datetime import timedelta

from typing_extensions import TypedDict

from crisisdesk.payloads.incident import moment, real
from crisisdesk.payloads.shapes import Moment
from crisisdesk.records import Answering, Inquiry, stamp


class InquiryData(TypedDict):
    """A post in the answer queue of a watch."""

    id: str
    watch: str
    source: str
    time: Moment
    author: str | None
    text: str
    url: str | None
    reach: int
    needs: list[str]
    weight: float | None
    negative: float | None
    came: Moment
    posts: int
    stage: str
    person: str | None
    moved: Moment | None
    reason: str
    took_seconds: int | None


class AnsweringData(TypedDict):
    """How a watch's posts are answered; both times are of the last week."""

    watch: str
    waiting: int
    taken: int
    answered_today: int
    median_seconds: int | None
    most_seconds: int | None
    oldest: Moment | None


def inquiry_data(inquiry: Inquiry) -> InquiryData:
    """An inquiry as it is."""
    post = inquiry.post
    return {
        "id": inquiry.id,
        "watch": inquiry.watch,
        "source": post.source,
        "time": stamp(post.time),
        "author": post.author,
        "text": post.text,
        "url": post.url,
        "reach": post.reach,
        "needs": [one.value for one in inquiry.needs],
        "weight": real(inquiry.weight, 3),
        "negative": real(inquiry.negative, 3),
        "came": stamp(inquiry.came),
        "posts": inquiry.posts,
        "stage": inquiry.stage.value,
        "person": inquiry.person,
        "moved": moment(inquiry.moved),
        "reason": inquiry.reason,
        "took_seconds": _seconds(inquiry.took),
    }


def answering_data(answering: Answering) -> AnsweringData:
    """How the posts of a watch are answered."""
    return {
        "watch": answering.watch,
        "waiting": answering.waiting,
        "taken": answering.taken,
        "answered_today": answering.answered_today,
        "median_seconds": _seconds(answering.median),
        "most_seconds": _seconds(answering.most),
        "oldest": moment(answering.oldest),
    }


def _seconds(span: timedelta | None) -> int | None:
    return None if span is None else round(span.total_seconds())
