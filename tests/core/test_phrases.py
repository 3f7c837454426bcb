"""Sentences that remember what they were made of."""

from __future__ import annotations

import copy
import pickle
from dataclasses import asdict, dataclass

from masklet.phrases import Phrase, phrase, translated


@dataclass(frozen=True)
class Told:
    sentence: str


def test_a_copy_of_a_sentence_is_the_sentence_and_can_still_be_translated() -> None:
    sentence = phrase("{name} is locked", name=phrase("the duck"))
    for copied in (
        copy.copy(sentence),
        copy.deepcopy(sentence),
        pickle.loads(pickle.dumps(sentence)),
        asdict(Told(sentence))["sentence"],
    ):
        assert copied == "the duck is locked"
        assert isinstance(copied, Phrase)
        german = translated(copied, lambda text: text.replace("is locked", "ist gesperrt"))
        assert german == "the duck ist gesperrt"
