from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commonbeat.tips import texts
from commonbeat.tips.envelope import OVERHEAD, Label, Purpose, seal
from commonbeat.tips.errors import Unopenable
from commonbeat.tips.keys import key_id, new_key_pair
from commonbeat.tips.padding import SIZE_CLASSES, pad
from tests.tips.vectors import TIP, VECTORS, pair

KEY = new_key_pair()


@pytest.mark.parametrize("one", VECTORS["texts"], ids=lambda one: one["direction"])
def test_reads_what_is_written_down(one: dict[str, str | int]) -> None:
    read = texts.open_to_desk if one["direction"] == "to desk" else texts.open_to_source
    assert read(bytes.fromhex(str(one["box"])), tip=TIP, number=int(one["number"]), tip_key=pair("tip")) == one["text"]


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=700), st.integers(0, 9))
def test_what_is_written_is_read(text: str, number: int) -> None:
    box = texts.seal_to_desk(text, tip=TIP, number=number, tip_public=KEY.public)
    assert len(box) - OVERHEAD in SIZE_CLASSES
    assert texts.open_to_desk(box, tip=TIP, number=number, tip_key=KEY) == text


def test_half_a_character_does_not_end_in_an_exception_that_quotes_the_text() -> None:
    box = texts.seal_to_source("half \ud83d", tip=TIP, number=0, tip_public=KEY.public)
    assert texts.open_to_source(box, tip=TIP, number=0, tip_key=KEY) == "half ?"


def test_an_answer_cannot_be_passed_off_as_a_question_or_moved() -> None:
    box = texts.seal_to_source("We have come.", tip=TIP, number=1, tip_public=KEY.public)
    with pytest.raises(Unopenable):
        texts.open_to_desk(box, tip=TIP, number=1, tip_key=KEY)
    with pytest.raises(Unopenable):
        texts.open_to_source(box, tip=TIP, number=2, tip_key=KEY)
    with pytest.raises(Unopenable):
        texts.open_to_source(box, tip=bytes(16), number=1, tip_key=KEY)
    assert texts.open_to_source(box, tip=TIP, number=1, tip_key=KEY) == "We have come."


def test_what_is_no_text_is_not_quoted() -> None:
    label = Label(Purpose.TEXT_TO_DESK, TIP, key_id(KEY.public))
    with pytest.raises(Unopenable) as caught:
        texts.open_to_desk(seal(label, pad(b"\xff secret"), KEY.public), tip=TIP, number=0, tip_key=KEY)
    assert "secret" not in str(caught.value) and caught.value.__suppress_context__
