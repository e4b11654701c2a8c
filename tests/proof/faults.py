"""Bytes of strangers, broken in every way that is cheap."""

import random
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Faults:
    """What can be wrong with the bytes of one protocol."""

    scraps: Sequence[bytes]
    """What may stand where something else stood."""
    others: Sequence[bytes]
    """Whole ones, whose ends may take the place of the end."""
    gone: int = 9
    """Bytes that are missing at most,"""
    again: int = 60
    """and that stand there again."""

    def in_bytes(self, chance: random.Random, whole: bytes, most: int = 4) -> bytes:
        """The bytes with one to so many faults."""
        content = bytearray(whole)
        for _ in range(chance.randint(1, most)):
            at, fault = chance.randint(0, len(content)), chance.randrange(7)
            if fault == 0 and content:
                content[at - 1] ^= 1 << chance.randrange(8)
            elif fault == 1:
                del content[at:]
            elif fault == 2:
                del content[at : at + chance.randint(1, self.gone)]
            elif fault == 3:
                content[at:at] = content[at : at + chance.randint(1, self.again)] * chance.randint(1, 3)
            elif fault == 4:
                content[at : at + chance.randrange(9)] = chance.choice(self.scraps)
            elif fault == 5:
                content[at:at] = chance.choice(self.scraps)
            else:
                content[at:] = chance.choice(self.others)[-at or 1 :]
        return bytes(content)
