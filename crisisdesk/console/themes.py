"""The console's two palettes: a calm ground on which only trouble is loud."""

from typing import Final

from textual.theme import Theme

DARK: Final = Theme(
    name="crisisdesk-dark",
    primary="#6ea8d8",
    secondary="#8fa3b8",
    accent="#6ea8d8",
    warning="#f0b429",
    error="#f25c54",
    success="#6cc08b",
    foreground="#d7dee7",
    background="#10151c",
    surface="#10151c",
    panel="#1b232d",
    boost="#222c38",
    dark=True,
    variables={
        "badge-ink": "#1a1300",
        "badge-paper": "#200402",
        "faint": "#7d8b9a",
        "negative": "#e8958d",
        "positive": "#86c3a0",
        "line": "#34404d",
        "bar": "#6d8296",
        "band": "#3a4b5c",
        "footer-key-foreground": "#6ea8d8",
        "footer-description-foreground": "#8fa3b8",
        "footer-background": "#1b232d",
    },
)

LIGHT: Final = Theme(
    name="crisisdesk-light",
    primary="#1f5f99",
    secondary="#52657a",
    accent="#1f5f99",
    warning="#b26a00",
    error="#c22f27",
    success="#26734d",
    foreground="#1d2733",
    background="#f7f8fa",
    surface="#f7f8fa",
    panel="#e8ecf1",
    boost="#dfe5ec",
    dark=False,
    variables={
        "badge-ink": "#ffffff",
        "badge-paper": "#ffffff",
        "faint": "#66758a",
        "negative": "#b3261e",
        "positive": "#1d6b45",
        "line": "#c3ccd6",
        "bar": "#7d90a3",
        "band": "#c9d5e0",
        "footer-key-foreground": "#1f5f99",
        "footer-description-foreground": "#52657a",
        "footer-background": "#e8ecf1",
    },
)

COLOURS: Final = {key: value for key, value in DARK.variables.items() if not key.startswith("footer")}
"""Our own colour names, for a palette of Textual's that knows none of them."""
