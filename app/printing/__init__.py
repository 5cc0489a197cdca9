"""Paper: printable cards for people without a phone, and posters. As SVG and as PDF.

A `Drawing` says in millimetres what stands where; `svg` and `pdf` each write it down. The text is
measured with the one font that comes along (DejaVu Sans 2.37, which has Latvian and Cyrillic).
"""

from app.printing.cards import PaperCard, card_drawing, sheet_drawings
from app.printing.pdf import pdf_of
from app.printing.svg import svg_of

__all__ = ["PaperCard", "card_drawing", "pdf_of", "sheet_drawings", "svg_of"]
