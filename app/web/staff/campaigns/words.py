"""What the parts of a campaign are called on the pages."""

from collections.abc import Mapping

from app.campaigns import plans
from app.campaigns.models import CampaignState, State
from app.languages import Lazy, lazy

STATES: Mapping[str, tuple[Lazy, str]] = {
    CampaignState.DRAFT: (lazy("Draft"), "quiet"),
    CampaignState.PROPOSED: (lazy("To be approved"), "warn"),
    CampaignState.SCHEDULED: (lazy("Scheduled"), "quiet"),
    CampaignState.RUNNING: (lazy("Running"), "good"),
    CampaignState.PAUSED: (lazy("Paused"), "warn"),
    CampaignState.STOPPED: (lazy("Stopped"), "bad"),
    CampaignState.DONE: (lazy("Sent"), "good"),
}
RECIPIENTS: Mapping[str, Lazy] = {
    State.WAITING: lazy("waiting"),
    State.SENT: lazy("on the way"),
    State.PUSHED: lazy("pushed"),
    State.FETCHED: lazy("fetched by the phone"),
    State.ON_PAGE: lazy("on the web card"),
    State.FAILED: lazy("failed"),
    State.HELD_OUT: lazy("held out to measure"),
    State.SKIPPED: lazy("left alone"),
}
REASONS: Mapping[str, Lazy] = {
    "muted": lazy("wants no messages"),
    "capped": lazy("had enough messages this week"),
    "no_card": lazy("has no card that works any more"),
    "unreachable": lazy("the wallet's server cannot be reached"),
    "no_answer": lazy("the wallet's server does not answer"),
    "not_renderable": lazy("the card cannot be shown"),
    "too_many_requests": lazy("the wallet's server asks for patience"),
    "server_error": lazy("the wallet's server had an error"),
    "not_allowed": lazy("the wallet does not let us in: look at the certificates"),
    "refused": lazy("the wallet refused it"),
    "other": lazy("another reason"),
}
ENDS: Mapping[str, Lazy] = {
    "stopped": lazy("It was stopped by hand."),
    "budget": lazy("Its budget was used up."),
}
KINDS: Mapping[str, Lazy] = {
    "last_visit": lazy("last visit"),
    "rfm": lazy("kind of customer"),
    "tier": lazy("tier"),
    "visits": lazy("visits in the last year"),
    "spend": lazy("spent in the last year"),
    "balance": lazy("points on the card"),
    "expiring": lazy("points that expire soon"),
    "birthday": lazy("birthday soon"),
    "location": lazy("usual location"),
    "source": lazy("joined through"),
    "joined": lazy("joined between"),
    "language": lazy("language"),
    "list": lazy("on a list"),
}
PARAMETERS: Mapping[str, Lazy] = {
    "days_at_least": lazy("at least so many days ago"),
    "days_at_most": lazy("at most so many days ago"),
    "at_least": lazy("at least"),
    "at_most": lazy("at most"),
    "within_days": lazy("within so many days"),
    "from": lazy("from"),
    "to": lazy("to"),
    "classes": lazy("which ones"),
    "tiers": lazy("which ones"),
    "locations": lazy("which ones"),
    "sources": lazy("which ones"),
    "languages": lazy("which ones"),
    "list": lazy("which one"),
}
CLASSES: Mapping[str, Lazy] = {
    "champions": lazy("champions: lately, often, for much"),
    "loyal": lazy("loyal: they keep coming"),
    "promising": lazy("promising: lately, not often yet"),
    "fading": lazy("fading: not so lately, not so often"),
    "at_risk": lazy("at risk: came often, and not lately"),
    "asleep": lazy("asleep: long ago, seldom"),
    "lost": lazy("lost: nothing for a year"),
}
WHENS: Mapping[str, Lazy] = {
    plans.NOW: lazy("as soon as it is approved"),
    plans.AT: lazy("at a moment"),
    plans.BEST_HOUR: lazy("in each member's best hour"),
    plans.REPEATING: lazy("again and again"),
    plans.EVENT: lazy("when something happens"),
}
EVENTS: Mapping[str, Lazy] = {
    plans.JOINED: lazy("somebody joined"),
    plans.LAPSED: lazy("somebody did not come for so many days"),
    plans.EXPIRING: lazy("points expire in so many days"),
    plans.TIER: lazy("a tier is reached"),
    plans.BIRTHDAY: lazy("a birthday is so many days ahead"),
}
GIFTS: Mapping[str, Lazy] = {
    "coupon": lazy("Coupon"),
    "gift": lazy("Reward"),
    "stamps": lazy("Stamps"),
    "tickets": lazy("Tickets"),
}
VERDICTS: Mapping[str, tuple[Lazy, str]] = {
    "worked": (lazy("It worked"), "good"),
    "harmed": (lazy("It did harm"), "bad"),
    "not_shown": (lazy("Not shown to work"), "quiet"),
    "too_few": (lazy("Too few to tell"), "quiet"),
    "too_uneven": (lazy("Too uneven to tell"), "quiet"),
}
