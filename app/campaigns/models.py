"""Tables of campaigns."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Base, Id, OfProgramme, index_of_some, new_id
from app.ledger.models import OfAccount


class CampaignState(StrEnum):
    """Where a campaign stands. Only a draft may be changed."""

    DRAFT = "draft"
    #: A second person is to approve it.
    PROPOSED = "proposed"
    #: Approved, its time has not come.
    SCHEDULED = "scheduled"
    RUNNING = "running"
    PAUSED = "paused"
    STOPPED = "stopped"
    DONE = "done"


class State(StrEnum):
    """Where a recipient stands."""

    WAITING = "waiting"
    #: Held out: their turn came, and nothing was sent.
    HELD_OUT = "held_out"
    #: The card shows the news; no wallet has taken them yet.
    SENT = "sent"
    #: A wallet was told: Apple accepted the push, Google has the news.
    PUSHED = "pushed"
    #: A phone has fetched the pass since.
    FETCHED = "fetched"
    #: No wallet holds the card: the news stand on its page.
    ON_PAGE = "on_page"
    #: A wallet refused or did not answer; delivery goes on trying.
    FAILED = "failed"
    #: Not sent, for a *reason*.
    SKIPPED = "skipped"


#: Whoever was told.
TOLD = (State.SENT, State.PUSHED, State.FETCHED, State.ON_PAGE, State.FAILED)


class Campaign(OfProgramme, Base):
    """A campaign. *plan* is what `plans.read_plan` reads; *counts* are of its recipients' states.

    *occasion* names the turn that is being planned, *planned_after* is the last account that was
    looked at in it (empty: it is planned). *cursor* is how far a campaign that waits for events
    has looked.
    """

    __tablename__ = "campaigns"
    __table_args__ = (
        Index("ix_campaigns_programme", "programme_id", "created_at"),
        index_of_some("ix_campaigns_next_step", "next_step_at", where="next_step_at IS NOT NULL"),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=new_id)
    name: Mapped[str] = mapped_column(String(120))
    state: Mapped[str] = mapped_column(String(10), default=CampaignState.DRAFT)
    plan: Mapped[dict[str, Any]] = mapped_column(JSON)
    #: Of the draw, in hexadecimal.
    seed: Mapped[str] = mapped_column(String(32))
    news_id: Mapped[str | None] = mapped_column(Id, ForeignKey("card_news.id"))
    copied_from_id: Mapped[str | None] = mapped_column(Id, ForeignKey("campaigns.id"))
    #: Members of staff.
    created_by: Mapped[str | None] = mapped_column(Id)
    proposed_by: Mapped[str | None] = mapped_column(Id)
    approved_by: Mapped[str | None] = mapped_column(Id)
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime]
    approved_at: Mapped[datetime | None]
    #: Its first message may go from here on.
    starts_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    #: Why it ended before everybody was told.
    end_reason: Mapped[str | None] = mapped_column(String(40))
    occasion: Mapped[str] = mapped_column(String(40), default="")
    turn: Mapped[int] = mapped_column(default=0)
    turn_at: Mapped[datetime | None]
    planned_after: Mapped[str | None] = mapped_column(Id)
    cursor: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    #: When the background work has something to do for it next; empty: never again.
    next_step_at: Mapped[datetime | None]
    #: At most so many a minute: nobody is told before.
    next_free_at: Mapped[datetime | None]
    spent_minor: Mapped[int] = mapped_column(BigInteger, default=0)
    counts: Mapped[dict[str, int]] = mapped_column(JSON, default=dict)
    #: What the two groups did: sums, kept by `results`.
    result: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    result_after: Mapped[str | None] = mapped_column(Id)
    result_at: Mapped[datetime | None]


class Recipient(OfAccount, Base):
    """An account that a campaign tells, or would have: once for each *occasion*."""

    __tablename__ = "campaign_recipients"
    __table_args__ = (
        index_of_some(
            "ix_campaign_recipients_due",
            "campaign_id",
            "lane",
            "due_at",
            "draw",
            where="state = 'waiting'",
        ),
        index_of_some(
            "ix_campaign_recipients_on_the_way",
            "campaign_id",
            "looked_at",
            where="state IN ('sent', 'failed')",
        ),
        index_of_some(
            "ix_campaign_recipients_lately", "account_id", "sent_at", where="sent_at IS NOT NULL"
        ),
    )

    #: No foreign key, for the reason of `OfAccount`: a million rows would each lock the campaign.
    campaign_id: Mapped[str] = mapped_column(Id, primary_key=True)
    account_id: Mapped[str] = mapped_column(Id, primary_key=True)
    #: Empty for a campaign that goes out once; else the turn, or what happened.
    occasion: Mapped[str] = mapped_column(String(40), primary_key=True, default="")
    state: Mapped[str] = mapped_column(String(8), default=State.WAITING)
    #: Which queue it waits in: "apple", "google", or "page" where no wallet holds the card.
    lane: Mapped[str] = mapped_column(String(6))
    held_out: Mapped[bool] = mapped_column(default=False)
    draw: Mapped[int] = mapped_column(BigInteger)
    due_at: Mapped[datetime]
    card_id: Mapped[str | None] = mapped_column(String(16))
    #: When the turn came, also of those who are held out.
    sent_at: Mapped[datetime | None]
    #: The version of the card's passes that shows the news.
    version: Mapped[int | None] = mapped_column(BigInteger)
    looked_at: Mapped[datetime | None]
    arrived_at: Mapped[datetime | None]
    reason: Mapped[str | None] = mapped_column(String(40))
    cost_minor: Mapped[int] = mapped_column(BigInteger, default=0)


class Mute(OfAccount, Base):
    """An account whose members want no messages."""

    __tablename__ = "campaign_mutes"

    account_id: Mapped[str] = mapped_column(Id, ForeignKey("accounts.id"), primary_key=True)
    muted_at: Mapped[datetime]


class CampaignRules(OfProgramme, Base):
    """What holds for all campaigns of a programme, or is offered to new ones."""

    __tablename__ = "campaign_rules"

    programme_id: Mapped[str] = mapped_column(Id, ForeignKey("programmes.id"), primary_key=True)
    #: Whether somebody else than who proposed a campaign has to approve it.
    needs_another: Mapped[bool] = mapped_column(default=False)
    #: Limits that a new campaign begins with; see `plans`.
    limits: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)


class UploadedList(OfProgramme, Base):
    """A list of accounts that somebody brought."""

    __tablename__ = "campaign_lists"

    id: Mapped[str] = mapped_column(Id, primary_key=True, default=new_id)
    name: Mapped[str] = mapped_column(String(120))
    found: Mapped[int] = mapped_column(default=0)
    unknown: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime]


class Listed(OfAccount, Base):
    """An account on such a list."""

    __tablename__ = "campaign_listed"

    list_id: Mapped[str] = mapped_column(Id, ForeignKey("campaign_lists.id"), primary_key=True)
    account_id: Mapped[str] = mapped_column(Id, primary_key=True)


class Habit(OfAccount, Base):
    """What is known of an account's visits: a cache over the ledger, kept by `habits`.

    Visits and money are those of the 365 local days before it was *counted*; the hour and the
    location are where and when most of them were.
    """

    __tablename__ = "account_habits"

    account_id: Mapped[str] = mapped_column(Id, ForeignKey("accounts.id"), primary_key=True)
    last_visit_on: Mapped[date | None]
    visits: Mapped[int] = mapped_column(default=0)
    spend_minor: Mapped[int] = mapped_column(BigInteger, default=0)
    location_id: Mapped[str | None] = mapped_column(Id)
    hour: Mapped[int | None]


class HabitProgress(OfProgramme, Base):
    """How far a programme's habits are: once a day all accounts are gone through."""

    __tablename__ = "habit_progress"

    programme_id: Mapped[str] = mapped_column(Id, ForeignKey("programmes.id"), primary_key=True)
    #: The day that the habits are of, and the last account that was brought to it.
    day: Mapped[date]
    after: Mapped[str | None] = mapped_column(Id)
    #: Everybody was gone through once: segments may be believed.
    is_whole: Mapped[bool] = mapped_column(default=False)
    #: Entries up to here are counted.
    sequence: Mapped[int] = mapped_column(BigInteger, default=0)
    bounds: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    hour: Mapped[int | None]
    looked_at: Mapped[datetime]
