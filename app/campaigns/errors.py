"""What can be wrong with a campaign."""

from app.errors import Conflict, Forbidden


class NotADraft(Conflict):
    """A campaign that was proposed or sent is never changed."""

    code = "campaign_not_a_draft"


class NotNow(Conflict):
    """What was asked makes no sense in the state that the campaign is in."""

    code = "campaign_not_now"


class NeedsAnother(Forbidden):
    """Nobody approves what they proposed themselves, where the programme asks for two people."""

    code = "campaign_needs_another"
