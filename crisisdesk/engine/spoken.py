"""Which language a post is in, and whether it counts for a watch."""

import asyncio
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from crisisdesk.language import Reader, marked
from crisisdesk.match import WatchRule
from crisisdesk.records import Mention
from crisisdesk.text import clean
from crisisdesk.threads import in_daemon_thread


class Languages:
    """Tells the language of posts without a mark; what reads them is loaded for the first one, whatever its source."""

    def __init__(self, load: Callable[[], Reader], trouble: Callable[[str], None]) -> None:
        self._load = load
        self._trouble = trouble
        self._read: Reader | None = None
        self._loading = asyncio.Lock()

    async def told(self, mention: Mention) -> Mention:
        """The mention with its language, by its mark or by its words; None where neither says it beyond doubt."""
        if mention.post.lang:
            return replace(mention, language=mention.post.lang)
        if self._read is None:
            self._read = await self._loaded()
        return replace(mention, language=self._read(mention.post.text))

    async def _loaded(self) -> Reader:
        """Load it, once for all sources."""
        async with self._loading:
            return self._read or await self._reader()

    async def _reader(self) -> Reader:
        try:
            return await in_daemon_thread(self._load)
        except Exception as error:  # noqa: BLE001  a library's files may break as they like; a doubt stops no desk
            self._trouble(
                f"Languages cannot be told ({clean(f'{type(error).__name__}: {error}', 200)}), so all posts without a "
                "mark count. Make room in the temporary folder or install py3langid again, then start the desk again."
            )
            return lambda _: None


class OwnLanguages:
    """The languages that count for each watch: by its settings, else those that the model knows, else all."""

    def __init__(self, rules: Iterable[WatchRule]) -> None:
        self._of = {rule.name: frozenset(marked(one) or one for one in rule.languages) for rule in rules}
        self._model: frozenset[str] = frozenset()

    def known_to_model(self, languages: Iterable[str]) -> None:
        """The model is loaded, and knows these; none says that it does not tell."""
        self._model = frozenset(filter(None, map(marked, languages)))

    def count(self, watch: str, language: str) -> bool:
        """Whether posts in a language count for a watch."""
        own = self._of.get(watch) or self._model
        return not own or language in own

    def beyond_the_model(self) -> Iterator[str]:
        """A sentence for each watch that asks for a language in which the model's word is worth little."""
        for watch, languages in self._of.items():
            if self._model and (beyond := sorted(languages - self._model)):
                yield (
                    f"{watch} counts posts in {', '.join(beyond)}, which the model does not know, so do not trust its "
                    "numbers. Take it out of 'languages' of the watch, or choose a model that knows it."
                )
