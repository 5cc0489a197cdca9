"""What is in force now, in words, and what is to follow."""

from datetime import timedelta

from app.programmes import pilots, service
from app.programmes.drafts import purpose
from app.programmes.drafts import service as drafts
from app.staff.permissions import Permission
from app.web.staff.door import Answer, Visit
from app.web.staff.programme.around import around_of
from app.web.staff.programme.drafting import told_of
from app.web.staff.programme.pages import pages
from app.web.staff.programme.sections import GROUPS

#: What began so lately is still news.
_NEWS = timedelta(days=14)


@pages.get("/", Permission.SEE_PROGRAMME)
def index(visit: Visit) -> Answer:
    """What is in force, what is on trial, what is planned, and what the draft would change."""
    with visit.read() as session:
        found = drafts.look(session, visit.now)
        settings = found.version.settings
        around = around_of(visit, session, settings)
        kept = settings.as_json()
        listed = []
        for title, sections in GROUPS:
            told = [(each, told_of(each, kept, visit, settings, around)) for each in sections]
            listed.append((title, [(each, lines) for each, lines in told if lines]))
        trials = [
            each
            for each in pilots.history(session, visit.programme.id)
            if each.is_pilot and (each.until is None or each.until > visit.now)
        ]
        return visit.show(
            "staff/programme/index.html",
            draft=found,
            version=found.version,
            is_news=visit.now - found.version.valid_from < _NEWS,
            groups=[(title, sections) for title, sections in listed if sections],
            trials=trials,
            later=service.versions_after(session, visit.programme.id, visit.now),
            purpose=purpose.look(session),
            around=around,
        )
