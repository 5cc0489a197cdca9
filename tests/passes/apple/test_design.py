import io
import zipfile

import pytest

from passes.apple import bundle, pass_json
from passes.apple.design import Designs
from passes.card import CardFace, CardKind
from passes.kinds import stamp_card
from tests.passes import certificates
from tests.passes.apple import forge
from tests.passes.apple.forge import issued, look
from tests.passes.certificates import NOW


def stamps(number: int) -> CardFace:
    return stamp_card(look(CardKind.STAMPS, stamps=10), issued(), stamps=number)


def test_cards_of_a_design_share_its_files() -> None:
    designs = Designs()
    first = designs.of(forge.face())
    assert designs.of(forge.face(balance=7, member_name="Ada", tier="Gold")) is first
    assert designs.of(forge.face(programme_name="Other")) is not first


def test_a_stamp_card_shares_all_but_its_strip() -> None:
    designs = Designs()
    assert designs.of(stamps(3)) is designs.of(stamps(3))
    made = [
        bundle.read(
            designs.of(card).build(
                pass_json.to_bytes(forge.content(card)), certificates.signer("ec"), NOW
            )
        )
        for card in (stamps(3), stamps(4))
    ]
    differing = {name for name in made[0] if made[0][name] != made[1].get(name)}
    own = {"pass.json", "manifest.json", "signature"}
    assert differing - own == {"strip.png", "strip@2x.png", "strip@3x.png"}
    assert made[0].keys() == made[1].keys()


def test_a_pass_holds_its_languages_deflated() -> None:
    card = forge.face()
    content = pass_json.to_bytes(forge.content(card))
    data = Designs().of(card).build(content, certificates.signer("ec"), NOW)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        info = archive.getinfo("ru.lproj/pass.strings")
        assert info.compress_size < info.file_size / 3


@pytest.mark.parametrize("most", [1, 3])
def test_designs_used_longest_ago_are_forgotten(most: int) -> None:
    designs = Designs(most_kept=most)
    first = designs.of(stamps(1))
    for number in range(2, 6):
        designs.of(stamps(number))
    assert designs.of(stamps(5)) is designs.of(stamps(5)) or most == 1
    again = designs.of(stamps(1))
    assert again is not first
    assert again.mark == first.mark
