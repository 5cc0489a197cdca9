"""A test pass of a draft comes into Google Wallet too, and is nobody's card."""

from typing import Any

from app import create_app
from app.context import Context
from app.demo.google import GoogleStandIn
from app.designer import drafts, trials
from app.designer.uploads import kept_picture
from app.programmes.service import programme_by_id
from tests.app.delivery.google.shop import ISSUER
from tests.passes.artwork.pictures import wordmark


def test_a_test_pass_is_saved_at_google_once(
    programme: Any, context: Context, google: GoogleStandIn
) -> None:
    now = context.clock()
    with context.database.write(programme.programme_id) as session:
        row = programme_by_id(session, programme.programme_id)
        drafts.save(session, row, {"background": "#102030"}, edit=None, by="Olga", now=now)
        logo = kept_picture("logo", wordmark())
        draft = drafts.put_picture(session, row, "logo", logo, by="Olga", now=now)
        token = trials.make_link(session, row, draft, language="de", now=now)
    client = create_app(context).test_client()
    assert b"Google" in client.get(f"/try/{token}").data
    answer = client.post(f"/try/{token}", data={"wallet": "google"})
    assert answer.status_code == 303 and answer.location.startswith("https://pay.google.com/")
    [made] = [each for name, each in google.objects.items() if ".TEST" in name]
    shared = google.classes[f"{ISSUER}.{programme.slug}.draft"]
    assert shared["hexBackgroundColor"] == "#102030"
    assert (made["accountName"], made["loyaltyPoints"]["balance"]["int"]) == ("Testkarte", 0)
    assert made["barcode"]["value"].startswith("TEST-") and "rotatingBarcode" not in made
    address = shared["programLogo"]["sourceUri"]["uri"].partition("/try/")[2]
    fetched = client.get(f"/try/{address}")
    assert (fetched.status_code, fetched.mimetype) == (200, "image/png")
    assert client.get(f"/try/picture/{made['id'].partition('.')[2]}/nothing.png").status_code == 404
    assert client.post(f"/try/{token}", data={"wallet": "google"}).status_code == 404
