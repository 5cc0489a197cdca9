"""Brings the fields of a card into the order that its owner chose, and calls them as they wish."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

from passes.card import Arrangement, Layout, Section, Slot
from passes.text import Counted

#: News reach the lock screen through this field: it is always there, and first on the back.
NEWS = "message"


def fixed_keys(layout: Layout) -> frozenset[str]:
    """The fields that stay where their kind of card has them, whatever was chosen.

    The first one of the header is what counts on the card and what a stack of cards shows; without
    the announced one no change reaches the lock screen.
    """
    header = next((slot.key for slot in layout.slots if slot.section is Section.HEADER), NEWS)
    return frozenset({header, layout.announced or NEWS, NEWS})


@lru_cache(maxsize=512)
def arranged(layout: Layout, arrangement: Arrangement) -> tuple[Layout, tuple[int, ...]]:
    """The layout as the owner arranged it, and where each of its own values stood before.

    First the fields that stay, then those that are named, in their order, then all others as they
    were. A name that this card has no field for is passed over: it has one on other cards.
    """
    stay = fixed_keys(layout)
    named = {key: section for key, section in arrangement.places if key not in stay}
    order = list(named)
    labels = dict(arrangement.labels)

    def place(slot: Slot) -> int:
        if slot.key in stay:
            return -1
        return order.index(slot.key) if slot.key in named else len(order)

    slots = []
    for slot in sorted(layout.slots, key=place):
        section = named.get(slot.key, slot.section)
        if section is None:
            continue
        label = slot.label
        if slot.key in labels and not isinstance(label, Counted):
            label = labels[slot.key]
        slots.append(replace(slot, section=section, label=label))
    before = [slot.key for slot in layout.own]
    kept = Layout(tuple(slots), layout.announced)
    return kept, tuple(before.index(slot.key) for slot in kept.own)
