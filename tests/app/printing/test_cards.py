"""Printed cards: what is on the paper is read by a camera and by people."""

import io

import numpy as np
import pytest
import zxingcpp
from PIL import Image

from app.printing import PaperCard, card_drawing, pdf_of, sheet_drawings, svg_of
from app.printing.drawing import Box, Code, Words, fitting, width_of, wrapped

CARD = PaperCard(
    code="CF1:" + "7A" * 58,
    number="0123456789abcdef",
    programme="Kafija & Tēja <Rīga>",
    benefit="Каждая десятая чашка бесплатно, un zīmogs par katru pirkumu.",
    background="#3b2a20",
    foreground="#fff8ee",
    holder="Ļūcija Šķēle",
)


def test_nothing_leaves_the_card() -> None:
    drawing = card_drawing(CARD)
    for mark in drawing.marks:
        if isinstance(mark, Words):
            right = mark.x + width_of(mark.text, mark.size)
            assert 0 < mark.x < right < drawing.width
            assert 0 < mark.y < drawing.height
        elif isinstance(mark, Box | Code):
            assert mark.x >= 0 and mark.y >= 0


def test_text_and_code_do_not_touch() -> None:
    drawing = card_drawing(CARD)
    [code] = [mark for mark in drawing.marks if isinstance(mark, Code)]
    for mark in drawing.marks:
        if isinstance(mark, Words):
            assert mark.x + width_of(mark.text, mark.size) < code.x


def test_a_camera_reads_the_printed_code() -> None:
    [code] = [mark for mark in card_drawing(CARD).marks if isinstance(mark, Code)]
    from passes.image import code_png

    image = np.asarray(Image.open(io.BytesIO(code_png(code.text, module_px=4))).convert("L"))
    [found] = zxingcpp.read_barcodes(image)
    assert found.text == CARD.code


def test_svg_escapes_what_a_programme_is_called() -> None:
    svg = svg_of(card_drawing(CARD))
    assert "Kafija &amp; Tēja" in svg
    assert "<Rīga>" not in svg
    assert svg.startswith("<svg") and 'width="85.6mm"' in svg


@pytest.mark.parametrize(("count", "pages"), [(1, 1), (10, 1), (11, 2), (25, 3)])
def test_ten_cards_stand_on_a_sheet(count: int, pages: int) -> None:
    sheets = list(sheet_drawings([CARD] * count))
    assert len(sheets) == pages
    codes = [mark for sheet in sheets for mark in sheet.marks if isinstance(mark, Code)]
    assert len(codes) == count
    assert len({(mark.x, mark.y) for mark in sheets[0].marks if isinstance(mark, Code)}) == min(
        count, 10
    )


def test_a_pdf_has_its_font_with_it_and_is_the_same_each_time() -> None:
    first = pdf_of(sheet_drawings([CARD] * 12), title="Cards")
    assert first.startswith(b"%PDF-")
    assert first.count(b"/Type /Page\n") == 2 or first.count(b"/Type /Page ") == 2
    assert b"DejaVuSans" in first and b"FontFile2" in first
    assert first == pdf_of(sheet_drawings([CARD] * 12), title="Cards")


def test_long_names_shrink_and_then_are_cut() -> None:
    text, size = fitting("Short", 5, 40, smallest=3)
    assert (text, size) == ("Short", 5)
    text, size = fitting("A name that is a little long", 5, 60, smallest=3)
    assert text.endswith("long") and 3 <= size < 5
    text, size = fitting("x" * 300, 5, 40, smallest=3)
    assert text.endswith("…") and width_of(text, size) <= 40


def test_lines_are_broken_between_words() -> None:
    lines = wrapped("one two three four five six seven eight nine ten", 3, 25, most=2)
    assert len(lines) == 2
    assert all(width_of(line, 3) <= 25 for line in lines)
