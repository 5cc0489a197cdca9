"""Every table in one import: for migrations, backup and tests."""

from app.approvals import models as approvals
from app.attempts import Attempt
from app.audit import AuditEntry
from app.benefits import models as benefits
from app.campaigns import models as campaigns
from app.cards import models as cards
from app.certs import notices as certs
from app.db import Base
from app.delivery import fetches
from app.delivery import models as delivery
from app.designer import models as designer
from app.draws import models as draws
from app.figures import models as figures
from app.insight import models as insight
from app.ledger import models as ledger
from app.mail import models as mail
from app.members import models as members
from app.pos import models as pos
from app.programmes import models as programmes
from app.programmes.drafts import models as drafts
from app.referrals import models as referrals
from app.staff import login_models as logins
from app.staff import models as staff
from app.till import models as till
from app.transfer import models as transfer
from app.webhooks import models as webhooks

metadata = Base.metadata

__all__ = [
    "Attempt",
    "AuditEntry",
    "approvals",
    "benefits",
    "campaigns",
    "cards",
    "certs",
    "delivery",
    "designer",
    "drafts",
    "draws",
    "fetches",
    "figures",
    "insight",
    "ledger",
    "logins",
    "mail",
    "members",
    "metadata",
    "pos",
    "programmes",
    "referrals",
    "staff",
    "till",
    "transfer",
    "webhooks",
]
