from __future__ import annotations

from urllib.parse import quote

from hypothesis import given
from hypothesis import strategies as st

from masklet_server.service.sentence import MAX_CHARACTERS, MAX_ENCODED_BYTES, for_the_wire

ANY = st.text(st.characters(codec=None, categories=None) | st.sampled_from("\ud800\udcff\n%猫"))


@given(ANY, st.integers(1, 3000))
def test_any_text_fits_into_a_status_in_one_printable_line(text: str, times: int) -> None:
    shown = for_the_wire(text * times)

    assert shown.isprintable()
    assert len(shown) <= MAX_CHARACTERS + 5
    assert len(quote(shown, safe=" !\"#$&'()*+,/:;<=>?@[\\]^`{|}")) <= MAX_ENCODED_BYTES


def test_a_sentence_that_fits_stays_as_it_is() -> None:
    for sentence in ("plate.0002.exr is a link: copy the file", "das Objekt „Bär“ gibt es schon", "猫 100 %"):
        assert for_the_wire(sentence) == sentence


def test_line_breaks_and_signs_that_nobody_sees_are_spelt_out() -> None:
    assert for_the_wire("no 'a\nb\u202ec\ud800'") == "no 'a\\nb\\u202ec\\ud800'"


def test_of_a_long_sentence_the_repair_at_its_end_is_kept() -> None:
    shown = for_the_wire(f"no layer is called {'猫' * 9000!r}: name another")

    assert shown.startswith("no layer is called '猫猫")
    assert shown.endswith("猫猫': name another")
    assert " […] " in shown
