"""What can be wrong with what a till asks."""

from app.errors import Conflict, Forbidden, Unauthorised


class TillRevoked(Unauthorised):
    """The till's token is not known, or was revoked."""

    code = "till_revoked"


class EnrolmentRefused(Unauthorised):
    """The enrolment code is wrong, used or too old; which of them is not said."""

    code = "enrolment_refused"
    keeps_changes = True


class OtherProgramme(Conflict):
    """The code enrols a till of another programme than the one whose postings wait on it."""

    code = "another_programme"
    keeps_changes = True


class SignInAgain(Unauthorised):
    """The cashier's session has ended, or belongs to another till."""

    code = "sign_in_again"


class ApprovalNeeded(Forbidden):
    """A static code may not redeem this many points alone."""

    code = "approval_needed"


class NotYourPosting(Forbidden):
    """A cashier may take back what their own till posted, nothing else."""

    code = "not_your_posting"


class PresentationOver(Conflict):
    """The presentation quoted is over, or was of another card or till."""

    code = "presentation_over"


class CardOnlyCollects(Forbidden):
    """The card's holder collects points for an account that others spend from."""

    code = "card_only_collects"


class LimitReached(Forbidden):
    """The card may redeem no more so many points in this day, week or month."""

    code = "limit_reached"


class ScanTheCard(Conflict):
    """A coupon's code was shown where the member's own card is needed."""

    code = "scan_the_card"
