"""Every table of the first release, and the triggers that keep the ledger as it was written.

Until the first release is out, this one revision is made anew whenever a model changes::

    python -m app.migrations && ruff format app/migrations/versions

That rewrites what stands between the two marks below; a test compares the outcome with the models
on both databases. Databases made before are thrown away. After the release this file never
changes again, and a change of the schema is a further revision.
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

IMMUTABLE = (
    "entries",
    "draws",
    "tier_changes",
    "member_reads",
    "audit_entries",
    "grants",
    "prize_draw_holders",
    "prize_draw_winners",
)
MESSAGE = "the rows of {table} are never changed or deleted: a correction is a further entry"


def upgrade() -> None:
    """Make the tables, then guard the immutable ones."""
    make_tables()
    for table in IMMUTABLE:
        if op.get_context().dialect.name == "sqlite":
            guard_on_sqlite(table)
        else:
            guard_on_postgresql(table)
    if op.get_context().dialect.name == "sqlite":
        guard_against_replacing()


def downgrade() -> None:
    """There is nothing before the first release."""
    raise RuntimeError("nothing comes before the first release: restore a backup instead")


def guard_on_sqlite(table: str) -> None:
    """Refuse UPDATE and DELETE of any row of *table*."""
    for change in ("update", "delete"):
        op.execute(
            f"CREATE TRIGGER {table}_refuse_{change} BEFORE {change.upper()} ON {table} "
            f"BEGIN SELECT RAISE(ABORT, '{MESSAGE.format(table=table)}'); END"
        )


def guard_against_replacing() -> None:
    """Refuse INSERT OR REPLACE on SQLite, which deletes past the triggers on DELETE."""
    for table, same in (
        ("entries", "SELECT 1 FROM entries WHERE sequence = NEW.sequence OR id = NEW.id"),
        ("draws", "SELECT 1 FROM draws WHERE sequence = NEW.sequence"),
        (
            "tier_changes",
            "SELECT 1 FROM tier_changes WHERE sequence = NEW.sequence OR id = NEW.id",
        ),
        ("member_reads", "SELECT 1 FROM member_reads WHERE id = NEW.id"),
        ("grants", "SELECT 1 FROM grants WHERE sequence = NEW.sequence OR id = NEW.id"),
        (
            "prize_draw_holders",
            "SELECT 1 FROM prize_draw_holders "
            "WHERE draw_id = NEW.draw_id AND account_id = NEW.account_id",
        ),
        (
            "prize_draw_winners",
            "SELECT 1 FROM prize_draw_winners WHERE draw_id = NEW.draw_id AND place = NEW.place",
        ),
    ):
        op.execute(
            f"CREATE TRIGGER {table}_refuse_replace BEFORE INSERT ON {table} "
            f"WHEN EXISTS ({same}) "
            f"BEGIN SELECT RAISE(ABORT, '{MESSAGE.format(table=table)}'); END"
        )


def guard_on_postgresql(table: str) -> None:
    """Refuse UPDATE, DELETE and TRUNCATE of *table*, whether or not they would hit a row."""
    op.execute(
        f"CREATE FUNCTION {table}_refuse_change() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{MESSAGE.format(table=table)}' "
        "USING ERRCODE = 'restrict_violation'; END $$"
    )
    op.execute(
        f"CREATE TRIGGER {table}_refuse_change BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
        f"FOR EACH STATEMENT EXECUTE FUNCTION {table}_refuse_change()"
    )


def make_tables() -> None:
    """Make every table and index of the models."""
    # --- made from the models ---
    op.create_table(
        "attempts",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("scope", sa.String(length=32), nullable=False),
        sa.Column("subject", sa.String(length=100), nullable=False),
        sa.Column("tried_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attempts")),
    )
    op.create_index(op.f("ix_attempts_subject"), "attempts", ["subject"], unique=False)
    op.create_index(op.f("ix_attempts_tried_at"), "attempts", ["tried_at"], unique=False)
    op.create_table(
        "campaign_recipients",
        sa.Column("campaign_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("account_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("occasion", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("lane", sa.String(length=6), nullable=False),
        sa.Column("held_out", sa.Boolean(), nullable=False),
        sa.Column("draw", sa.BigInteger(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("card_id", sa.String(length=16), nullable=True),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=True),
        sa.Column("looked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("arrived_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.String(length=40), nullable=True),
        sa.Column("cost_minor", sa.BigInteger(), nullable=False),
        sa.Column("programme_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.PrimaryKeyConstraint(
            "campaign_id", "account_id", "occasion", name=op.f("pk_campaign_recipients")
        ),
    )
    op.create_index(
        "ix_campaign_recipients_due",
        "campaign_recipients",
        ["campaign_id", "lane", "due_at", "draw"],
        unique=False,
        sqlite_where=sa.text("state = 'waiting'"),
        postgresql_where=sa.text("state = 'waiting'"),
    )
    op.create_index(
        "ix_campaign_recipients_lately",
        "campaign_recipients",
        ["account_id", "sent_at"],
        unique=False,
        sqlite_where=sa.text("sent_at IS NOT NULL"),
        postgresql_where=sa.text("sent_at IS NOT NULL"),
    )
    op.create_index(
        "ix_campaign_recipients_on_the_way",
        "campaign_recipients",
        ["campaign_id", "looked_at"],
        unique=False,
        sqlite_where=sa.text("state IN ('sent', 'failed')"),
        postgresql_where=sa.text("state IN ('sent', 'failed')"),
    )
    op.create_table(
        "card_scans",
        sa.Column("sequence", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("programme_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("card_id", sa.String(length=16), nullable=False),
        sa.Column("till_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("location_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("scanned_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("sequence", name=op.f("pk_card_scans")),
    )
    op.create_index("ix_card_scans_card", "card_scans", ["card_id", "scanned_at"], unique=False)
    op.create_table(
        "certificate_notices",
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("days", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("fingerprint", "days", name=op.f("pk_certificate_notices")),
    )
    op.create_table(
        "figures",
        sa.Column("programme_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("quarter", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("enrolments", sa.BigInteger(), nullable=False),
        sa.Column("scans", sa.BigInteger(), nullable=False),
        sa.Column("receipts", sa.BigInteger(), nullable=False),
        sa.Column("money_minor", sa.BigInteger(), nullable=False),
        sa.Column("points_in", sa.BigInteger(), nullable=False),
        sa.Column("points_out", sa.BigInteger(), nullable=False),
        sa.Column("points_expired", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("programme_id", "day", "quarter", name=op.f("pk_figures")),
    )
    op.create_table(
        "figures_marks",
        sa.Column("source", sa.String(length=60), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("moment", sa.DateTime(timezone=True), nullable=True),
        sa.Column("row_id", sa.String(length=40), nullable=False),
        sa.PrimaryKeyConstraint("source", name=op.f("pk_figures_marks")),
    )
    op.create_table(
        "google_root_keys",
        sa.Column("address", sa.String(length=300), nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=True),
        sa.Column("fetched_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("refresh_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_error", sa.String(length=300), nullable=True),
        sa.PrimaryKeyConstraint("address", name=op.f("pk_google_root_keys")),
    )
    op.create_table(
        "insight_asked",
        sa.Column("programme_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("account_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "day", name=op.f("pk_insight_asked")),
    )
    op.create_table(
        "insight_cohorts",
        sa.Column("programme_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("location_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("first_month", sa.Date(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("members", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(
            "programme_id", "location_id", "first_month", "month", name=op.f("pk_insight_cohorts")
        ),
    )
    op.create_table(
        "insight_days",
        sa.Column("programme_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("location_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("visits", sa.BigInteger(), nullable=False),
        sa.Column("receipts", sa.BigInteger(), nullable=False),
        sa.Column("spend_minor", sa.BigInteger(), nullable=False),
        sa.Column("issued", sa.BigInteger(), nullable=False),
        sa.Column("spent", sa.BigInteger(), nullable=False),
        sa.Column("expired", sa.BigInteger(), nullable=False),
        sa.Column("moved", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("programme_id", "day", "location_id", name=op.f("pk_insight_days")),
    )
    op.create_table(
        "insight_marks",
        sa.Column("source", sa.String(length=60), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.Column("seen", sa.BigInteger(), nullable=False),
        sa.Column("seen_in", sa.BigInteger(), nullable=False),
        sa.Column("after", sa.String(length=40), nullable=True),
        sa.Column("told", sa.String(length=80), nullable=False),
        sa.Column("current_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("noted", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("source", name=op.f("pk_insight_marks")),
    )
    op.create_table(
        "insight_members",
        sa.Column("programme_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("location_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("joined", sa.BigInteger(), nullable=False),
        sa.Column("departed", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(
            "programme_id", "day", "location_id", name=op.f("pk_insight_members")
        ),
    )
    op.create_table(
        "insight_moves",
        sa.Column("programme_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("from_tier", sa.String(length=40), nullable=False),
        sa.Column("to_tier", sa.String(length=40), nullable=False),
        sa.Column("members", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(
            "programme_id", "day", "from_tier", "to_tier", name=op.f("pk_insight_moves")
        ),
    )
    op.create_table(
        "insight_returns",
        sa.Column("programme_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("location_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("before", sa.Date(), nullable=False),
        sa.Column("one", sa.Integer(), nullable=False),
        sa.Column("two", sa.Integer(), nullable=False),
        sa.Column("own_one", sa.Integer(), nullable=False),
        sa.Column("own_two", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint(
            "programme_id", "location_id", "day", "before", name=op.f("pk_insight_returns")
        ),
    )
    op.create_table(
        "paces",
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("next_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_paces")),
    )
    op.create_table(
        "programmes",
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("slug", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("benefit", sa.String(length=200), nullable=False),
        sa.Column("benefit_lines", sa.JSON(), nullable=False),
        sa.Column("points_names", sa.JSON(), nullable=False),
        sa.Column("colours", sa.JSON(), nullable=False),
        sa.Column("time_zone", sa.String(length=64), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("has_pilots", sa.Boolean(), nullable=False),
        sa.Column("operator_name", sa.String(length=120), nullable=True),
        sa.Column("operator_address", sa.String(length=300), nullable=True),
        sa.Column("operator_contact", sa.String(length=254), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_programmes")),
        sa.UniqueConstraint("slug", name=op.f("uq_programmes_slug")),
    )
    op.create_table(
        "seen_nonces",
        sa.Column("nonce", sa.String(length=120), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("nonce", name=op.f("pk_seen_nonces")),
    )
    op.create_index(op.f("ix_seen_nonces_expires_at"), "seen_nonces", ["expires_at"], unique=False)
    op.create_table(
        "webhook_events",
        sa.Column("sequence", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("programme_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("type", sa.String(length=40), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.Column("happened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("spread", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("sequence", name=op.f("pk_webhook_events")),
        sa.UniqueConstraint("id", name=op.f("uq_webhook_events_id")),
    )
    op.create_index(
        op.f("ix_webhook_events_happened_at"), "webhook_events", ["happened_at"], unique=False
    )
    op.create_index(
        "ix_webhook_events_waiting",
        "webhook_events",
        ["sequence"],
        unique=False,
        sqlite_where=sa.text("NOT spread"),
        postgresql_where=sa.text("NOT spread"),
    )
    op.create_table(
        "accounts",
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("balance", sa.BigInteger(), nullable=False),
        sa.Column("held", sa.BigInteger(), nullable=False),
        sa.Column("debt", sa.BigInteger(), nullable=False),
        sa.Column("carried_micro", sa.BigInteger(), nullable=False),
        sa.Column("rolling_expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("company_name", sa.String(length=80), nullable=True),
        sa.Column("tier", sa.String(length=40), nullable=True),
        sa.Column("tier_before", sa.String(length=40), nullable=True),
        sa.Column("tier_kept", sa.String(length=40), nullable=True),
        sa.Column("tier_reviewed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tier_grace_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tier_override", sa.String(length=40), nullable=True),
        sa.Column("tier_override_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tier_review_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tier_changed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("delivered_version", sa.BigInteger(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("merged_into_id", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("programme_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.CheckConstraint("debt >= 0", name=op.f("ck_accounts_debt_not_negative")),
        sa.CheckConstraint("held >= 0", name=op.f("ck_accounts_held_not_negative")),
        sa.ForeignKeyConstraint(
            ["merged_into_id"], ["accounts.id"], name=op.f("fk_accounts_merged_into_id")
        ),
        sa.ForeignKeyConstraint(
            ["programme_id"], ["programmes.id"], name=op.f("fk_accounts_programme_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_accounts")),
    )
    op.create_index(
        "ix_accounts_behind",
        "accounts",
        ["id"],
        unique=False,
        sqlite_where=sa.text("version > delivered_version"),
        postgresql_where=sa.text("version > delivered_version"),
    )
    op.create_index("ix_accounts_created", "accounts", ["created_at", "programme_id"], unique=False)
    op.create_index(
        "ix_accounts_merged",
        "accounts",
        ["merged_into_id"],
        unique=False,
        sqlite_where=sa.text("merged_into_id IS NOT NULL"),
        postgresql_where=sa.text("merged_into_id IS NOT NULL"),
    )
    op.create_index(
        "ix_accounts_rolling",
        "accounts",
        ["rolling_expires_at"],
        unique=False,
        sqlite_where=sa.text("rolling_expires_at IS NOT NULL"),
        postgresql_where=sa.text("rolling_expires_at IS NOT NULL"),
    )
    op.create_index(
        "ix_accounts_tier_review",
        "accounts",
        ["tier_review_at"],
        unique=False,
        sqlite_where=sa.text("tier_review_at IS NOT NULL"),
        postgresql_where=sa.text("tier_review_at IS NOT NULL"),
    )
    op.create_table(
        "audit_entries",
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor_kind", sa.String(length=8), nullable=False),
        sa.Column("actor_id", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("actor", sa.String(length=80), nullable=False),
        sa.Column("action", sa.String(length=80), nullable=False),
        sa.Column("subject", sa.String(length=80), nullable=False),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.Column("programme_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.ForeignKeyConstraint(
            ["programme_id"], ["programmes.id"], name=op.f("fk_audit_entries_programme_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_entries")),
    )
    op.create_index(
        "ix_audit_entries_at", "audit_entries", ["programme_id", "at", "id"], unique=False
    )
    op.create_table(
        "campaign_lists",
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("found", sa.Integer(), nullable=False),
        sa.Column("unknown", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("programme_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.ForeignKeyConstraint(
            ["programme_id"], ["programmes.id"], name=op.f("fk_campaign_lists_programme_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_campaign_lists")),
    )
    op.create_table(
        "campaign_rules",
        sa.Column("programme_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("needs_another", sa.Boolean(), nullable=False),
        sa.Column("limits", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["programme_id"], ["programmes.id"], name=op.f("fk_campaign_rules_programme_id")
        ),
        sa.PrimaryKeyConstraint("programme_id", name=op.f("pk_campaign_rules")),
    )
    op.create_table(
        "card_news",
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("programme_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.ForeignKeyConstraint(
            ["programme_id"], ["programmes.id"], name=op.f("fk_card_news_programme_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_card_news")),
    )
    op.create_table(
        "consent_texts",
        sa.Column("programme_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("purpose", sa.String(length=32), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("texts", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["programme_id"], ["programmes.id"], name=op.f("fk_consent_texts_programme_id")
        ),
        sa.PrimaryKeyConstraint("programme_id", "purpose", "number", name=op.f("pk_consent_texts")),
    )
    op.create_table(
        "design_drafts",
        sa.Column("programme_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("typed", sa.JSON(), nullable=False),
        sa.Column("pictures", sa.JSON(), nullable=False),
        sa.Column("base", sa.Integer(), nullable=False),
        sa.Column("edit", sa.Integer(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_by", sa.String(length=80), nullable=False),
        sa.ForeignKeyConstraint(
            ["programme_id"], ["programmes.id"], name=op.f("fk_design_drafts_programme_id")
        ),
        sa.PrimaryKeyConstraint("programme_id", name=op.f("pk_design_drafts")),
    )
    op.create_table(
        "design_pictures",
        sa.Column("programme_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["programme_id"], ["programmes.id"], name=op.f("fk_design_pictures_programme_id")
        ),
        sa.PrimaryKeyConstraint("programme_id", "digest", name=op.f("pk_design_pictures")),
    )
    op.create_table(
        "design_releases",
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("pictures", sa.JSON(), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("published_by", sa.String(length=80), nullable=False),
        sa.Column("programme_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.ForeignKeyConstraint(
            ["programme_id"], ["programmes.id"], name=op.f("fk_design_releases_programme_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_design_releases")),
        sa.UniqueConstraint(
            "programme_id", "number", name=op.f("uq_design_releases_programme_id_number")
        ),
    )
    op.create_table(
        "exchange_rates",
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("rate", sa.String(length=32), nullable=False),
        sa.Column("source", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("programme_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.ForeignKeyConstraint(
            ["programme_id"], ["programmes.id"], name=op.f("fk_exchange_rates_programme_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_exchange_rates")),
        sa.UniqueConstraint(
            "programme_id",
            "currency",
            "day",
            name=op.f("uq_exchange_rates_programme_id_currency_day"),
        ),
    )
    op.create_table(
        "fetch_watches",
        sa.Column("programme_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["programme_id"], ["programmes.id"], name=op.f("fk_fetch_watches_programme_id")
        ),
        sa.PrimaryKeyConstraint("programme_id", name=op.f("pk_fetch_watches")),
    )
    op.create_table(
        "google_classes",
        sa.Column("class_id", sa.String(length=120), nullable=False),
        sa.Column("told", sa.JSON(), nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("programme_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.ForeignKeyConstraint(
            ["programme_id"], ["programmes.id"], name=op.f("fk_google_classes_programme_id")
        ),
        sa.PrimaryKeyConstraint("class_id", name=op.f("pk_google_classes")),
    )
    op.create_table(
        "habit_progress",
        sa.Column("programme_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("after", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("is_whole", sa.Boolean(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("bounds", sa.JSON(), nullable=False),
        sa.Column("hour", sa.Integer(), nullable=True),
        sa.Column("looked_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["programme_id"], ["programmes.id"], name=op.f("fk_habit_progress_programme_id")
        ),
        sa.PrimaryKeyConstraint("programme_id", name=op.f("pk_habit_progress")),
    )
    op.create_table(
        "imports",
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("key_version", sa.Integer(), nullable=False),
        sa.Column("members", sa.Integer(), nullable=False),
        sa.Column("points", sa.BigInteger(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("programme_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.ForeignKeyConstraint(
            ["programme_id"], ["programmes.id"], name=op.f("fk_imports_programme_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_imports")),
        sa.UniqueConstraint("programme_id", "name", name=op.f("uq_imports_programme_id_name")),
    )
    op.create_table(
        "member_reads",
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("member_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("reader_kind", sa.String(length=8), nullable=False),
        sa.Column("reader", sa.String(length=80), nullable=False),
        sa.Column("purpose", sa.String(length=16), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("programme_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.ForeignKeyConstraint(
            ["programme_id"], ["programmes.id"], name=op.f("fk_member_reads_programme_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_member_reads")),
    )
    op.create_index(op.f("ix_member_reads_member_id"), "member_reads", ["member_id"], unique=False)
    op.create_table(
        "members",
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("name", sa.LargeBinary(), nullable=True),
        sa.Column("nickname", sa.LargeBinary(), nullable=True),
        sa.Column("email", sa.LargeBinary(), nullable=True),
        sa.Column("email_index", sa.LargeBinary(length=32), nullable=True),
        sa.Column("email_confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("phone", sa.LargeBinary(), nullable=True),
        sa.Column("phone_index", sa.LargeBinary(length=32), nullable=True),
        sa.Column("number", sa.LargeBinary(), nullable=True),
        sa.Column("number_index", sa.LargeBinary(length=32), nullable=True),
        sa.Column("birthday", sa.LargeBinary(), nullable=True),
        sa.Column("birthday_index", sa.LargeBinary(length=32), nullable=True),
        sa.Column("language", sa.String(length=2), nullable=False),
        sa.Column("is_vip", sa.Boolean(), nullable=False),
        sa.Column("counter_note", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("programme_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.ForeignKeyConstraint(
            ["programme_id"], ["programmes.id"], name=op.f("fk_members_programme_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_members")),
        sa.UniqueConstraint("number_index", name=op.f("uq_members_number_index")),
    )
    op.create_index(op.f("ix_members_birthday_index"), "members", ["birthday_index"], unique=False)
    op.create_index(op.f("ix_members_email_index"), "members", ["email_index"], unique=False)
    op.create_index(op.f("ix_members_phone_index"), "members", ["phone_index"], unique=False)
    op.create_table(
        "occasion_days",
        sa.Column("programme_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("occasion", sa.String(length=40), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("after", sa.Uuid(as_uuid=False), nullable=False),
        sa.ForeignKeyConstraint(
            ["programme_id"], ["programmes.id"], name=op.f("fk_occasion_days_programme_id")
        ),
        sa.PrimaryKeyConstraint("programme_id", "occasion", name=op.f("pk_occasion_days")),
    )
    op.create_table(
        "partners",
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("programme_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.ForeignKeyConstraint(
            ["programme_id"], ["programmes.id"], name=op.f("fk_partners_programme_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_partners")),
        sa.UniqueConstraint("programme_id", "name", name=op.f("uq_partners_programme_id_name")),
    )
    op.create_table(
        "pass_designs",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("passed", sa.Boolean(), nullable=False),
        sa.Column("findings", sa.JSON(), nullable=False),
        sa.Column("inspected_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("programme_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.ForeignKeyConstraint(
            ["programme_id"], ["programmes.id"], name=op.f("fk_pass_designs_programme_id")
        ),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_pass_designs")),
    )
    op.create_table(
        "prize_draws",
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("terms", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seed", sa.LargeBinary(), nullable=True),
        sa.Column("seed_sha256", sa.String(length=64), nullable=True),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("list_key", sa.LargeBinary(), nullable=True),
        sa.Column("list_sha256", sa.String(length=64), nullable=True),
        sa.Column("holders", sa.Integer(), nullable=True),
        sa.Column("tickets", sa.BigInteger(), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("public_value", sa.String(length=400), nullable=True),
        sa.Column("revealed_seed", sa.String(length=64), nullable=True),
        sa.Column("drawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("programme_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.ForeignKeyConstraint(
            ["programme_id"], ["programmes.id"], name=op.f("fk_prize_draws_programme_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_prize_draws")),
        sa.UniqueConstraint("programme_id", "code", name=op.f("uq_prize_draws_programme_id_code")),
    )
    op.create_table(
        "programme_designs",
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("spread_version", sa.Integer(), nullable=False),
        sa.Column("spread_after", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("logo", sa.LargeBinary(), nullable=True),
        sa.Column("hero", sa.LargeBinary(), nullable=True),
        sa.Column("poster", sa.LargeBinary(), nullable=True),
        sa.Column("icon", sa.LargeBinary(), nullable=True),
        sa.Column("links", sa.JSON(), nullable=False),
        sa.Column("name", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("terms", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("contact", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("labels", sa.JSON(), nullable=False),
        sa.Column("fields", sa.JSON(), nullable=False),
        sa.Column("extras", sa.JSON(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("programme_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.CheckConstraint(
            "version >= spread_version", name=op.f("ck_programme_designs_spread_version_not_ahead")
        ),
        sa.ForeignKeyConstraint(
            ["programme_id"], ["programmes.id"], name=op.f("fk_programme_designs_programme_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_programme_designs")),
        sa.UniqueConstraint("programme_id", name=op.f("uq_programme_designs_programme_id")),
    )
    op.create_index(
        "ix_programme_designs_spreading",
        "programme_designs",
        ["id"],
        unique=False,
        sqlite_where=sa.text("version > spread_version"),
        postgresql_where=sa.text("version > spread_version"),
    )
    op.create_table(
        "programme_pilots",
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("valid_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("changes", sa.JSON(), nullable=False),
        sa.Column("locations", sa.JSON(), nullable=False),
        sa.Column("segments", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("programme_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.ForeignKeyConstraint(
            ["programme_id"], ["programmes.id"], name=op.f("fk_programme_pilots_programme_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_programme_pilots")),
        sa.UniqueConstraint(
            "programme_id", "number", name=op.f("uq_programme_pilots_programme_id_number")
        ),
    )
    op.create_table(
        "programme_versions",
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("valid_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("settings", sa.JSON(), nullable=False),
        sa.Column("programme_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.ForeignKeyConstraint(
            ["programme_id"], ["programmes.id"], name=op.f("fk_programme_versions_programme_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_programme_versions")),
        sa.UniqueConstraint(
            "programme_id", "number", name=op.f("uq_programme_versions_programme_id_number")
        ),
    )
    op.create_table(
        "reward_stock",
        sa.Column("programme_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("what", sa.String(length=64), nullable=False),
        sa.Column("taken", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("taken >= 0", name=op.f("ck_reward_stock_taken_not_negative")),
        sa.ForeignKeyConstraint(
            ["programme_id"], ["programmes.id"], name=op.f("fk_reward_stock_programme_id")
        ),
        sa.PrimaryKeyConstraint("programme_id", "what", name=op.f("pk_reward_stock")),
    )
    op.create_table(
        "signing_keys",
        sa.Column("key_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("public_key", sa.LargeBinary(length=32), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("valid_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("programme_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.ForeignKeyConstraint(
            ["programme_id"], ["programmes.id"], name=op.f("fk_signing_keys_programme_id")
        ),
        sa.PrimaryKeyConstraint("key_id", name=op.f("pk_signing_keys")),
    )
    op.create_table(
        "staff",
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("pin_hash", sa.String(length=200), nullable=False),
        sa.Column("pin_failures", sa.Integer(), nullable=False),
        sa.Column("locked_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("left_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("pin_changed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("language", sa.String(length=2), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("programme_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.ForeignKeyConstraint(
            ["programme_id"], ["programmes.id"], name=op.f("fk_staff_programme_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_staff")),
        sa.UniqueConstraint("programme_id", "name", name=op.f("uq_staff_programme_id_name")),
    )
    op.create_table(
        "trial_links",
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("typed", sa.JSON(), nullable=False),
        sa.Column("pictures", sa.JSON(), nullable=False),
        sa.Column("language", sa.String(length=2), nullable=False),
        sa.Column("serial_number", sa.String(length=32), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("pass_hash", sa.String(length=64), nullable=True),
        sa.Column("pass_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("programme_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.ForeignKeyConstraint(
            ["programme_id"], ["programmes.id"], name=op.f("fk_trial_links_programme_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_trial_links")),
        sa.UniqueConstraint("pass_hash", name=op.f("uq_trial_links_pass_hash")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_trial_links_token_hash")),
    )
    op.create_table(
        "webhook_endpoints",
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("url", sa.String(length=500), nullable=False),
        sa.Column("events", sa.JSON(), nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=False),
        sa.Column("old_secret", sa.LargeBinary(), nullable=True),
        sa.Column("old_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("disabled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("disabled_reason", sa.String(length=200), nullable=True),
        sa.Column("failing_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("leased_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("programme_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.ForeignKeyConstraint(
            ["programme_id"], ["programmes.id"], name=op.f("fk_webhook_endpoints_programme_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_endpoints")),
    )
    op.create_table(
        "account_habits",
        sa.Column("account_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("last_visit_on", sa.Date(), nullable=True),
        sa.Column("visits", sa.Integer(), nullable=False),
        sa.Column("spend_minor", sa.BigInteger(), nullable=False),
        sa.Column("location_id", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("hour", sa.Integer(), nullable=True),
        sa.Column("programme_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_account_habits_account_id")
        ),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_account_habits")),
    )
    op.create_table(
        "account_merges",
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("posting_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("from_account_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("into_account_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("tier_before", sa.JSON(), nullable=False),
        sa.Column("card_ids", sa.JSON(), nullable=True),
        sa.Column("merged_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("undone_posting_id", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("programme_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.ForeignKeyConstraint(
            ["from_account_id"], ["accounts.id"], name=op.f("fk_account_merges_from_account_id")
        ),
        sa.ForeignKeyConstraint(
            ["into_account_id"], ["accounts.id"], name=op.f("fk_account_merges_into_account_id")
        ),
        sa.ForeignKeyConstraint(
            ["programme_id"], ["programmes.id"], name=op.f("fk_account_merges_programme_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account_merges")),
        sa.UniqueConstraint(
            "programme_id", "posting_id", name=op.f("uq_account_merges_programme_id_posting_id")
        ),
    )
    op.create_index(
        op.f("ix_account_merges_from_account_id"),
        "account_merges",
        ["from_account_id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_account_merges_into_account_id"),
        "account_merges",
        ["into_account_id"],
        unique=False,
    )
    op.create_table(
        "approvals",
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("card_id", sa.String(length=16), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("asked_by_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by_id", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("approved", sa.Boolean(), nullable=True),
        sa.Column("programme_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.ForeignKeyConstraint(
            ["asked_by_id"], ["staff.id"], name=op.f("fk_approvals_asked_by_id")
        ),
        sa.ForeignKeyConstraint(
            ["decided_by_id"], ["staff.id"], name=op.f("fk_approvals_decided_by_id")
        ),
        sa.ForeignKeyConstraint(
            ["programme_id"], ["programmes.id"], name=op.f("fk_approvals_programme_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_approvals")),
    )
    op.create_index("ix_approvals_card", "approvals", ["card_id"], unique=False)
    op.create_index(
        "ix_approvals_waiting",
        "approvals",
        ["programme_id", "asked_at"],
        unique=False,
        sqlite_where=sa.text("decided_at IS NULL"),
        postgresql_where=sa.text("decided_at IS NULL"),
    )
    op.create_table(
        "campaign_listed",
        sa.Column("list_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("account_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("programme_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.ForeignKeyConstraint(
            ["list_id"], ["campaign_lists.id"], name=op.f("fk_campaign_listed_list_id")
        ),
        sa.PrimaryKeyConstraint("list_id", "account_id", name=op.f("pk_campaign_listed")),
    )
    op.create_table(
        "campaign_mutes",
        sa.Column("account_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("muted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("programme_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_campaign_mutes_account_id")
        ),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_campaign_mutes")),
    )
    op.create_table(
        "campaigns",
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("plan", sa.JSON(), nullable=False),
        sa.Column("seed", sa.String(length=32), nullable=False),
        sa.Column("news_id", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("copied_from_id", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("created_by", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("proposed_by", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("approved_by", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("approved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("end_reason", sa.String(length=40), nullable=True),
        sa.Column("occasion", sa.String(length=40), nullable=False),
        sa.Column("turn", sa.Integer(), nullable=False),
        sa.Column("turn_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("planned_after", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("cursor", sa.JSON(), nullable=False),
        sa.Column("next_step_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("next_free_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("spent_minor", sa.BigInteger(), nullable=False),
        sa.Column("counts", sa.JSON(), nullable=False),
        sa.Column("result", sa.JSON(), nullable=False),
        sa.Column("result_after", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("result_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("programme_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.ForeignKeyConstraint(
            ["copied_from_id"], ["campaigns.id"], name=op.f("fk_campaigns_copied_from_id")
        ),
        sa.ForeignKeyConstraint(["news_id"], ["card_news.id"], name=op.f("fk_campaigns_news_id")),
        sa.ForeignKeyConstraint(
            ["programme_id"], ["programmes.id"], name=op.f("fk_campaigns_programme_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_campaigns")),
    )
    op.create_index(
        "ix_campaigns_next_step",
        "campaigns",
        ["next_step_at"],
        unique=False,
        sqlite_where=sa.text("next_step_at IS NOT NULL"),
        postgresql_where=sa.text("next_step_at IS NOT NULL"),
    )
    op.create_index(
        "ix_campaigns_programme", "campaigns", ["programme_id", "created_at"], unique=False
    )
    op.create_table(
        "cards",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("serial_number", sa.String(length=32), nullable=False),
        sa.Column("account_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("member_id", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("kind", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(length=8), nullable=False),
        sa.Column("status_reason", sa.String(length=200), nullable=True),
        sa.Column("status_changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("frozen_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("replaced_by_id", sa.String(length=16), nullable=True),
        sa.Column("key_id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=120), nullable=False),
        sa.Column("issued_on", sa.Date(), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("language", sa.String(length=2), nullable=False),
        sa.Column("source", sa.String(length=40), nullable=False),
        sa.Column("token_key_version", sa.Integer(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("delivered_version", sa.BigInteger(), nullable=False),
        sa.Column("role", sa.String(length=10), nullable=False),
        sa.Column("redeem_limit", sa.BigInteger(), nullable=True),
        sa.Column("redeem_period", sa.String(length=5), nullable=True),
        sa.Column("programme_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_cards_account_id")),
        sa.ForeignKeyConstraint(["key_id"], ["signing_keys.key_id"], name=op.f("fk_cards_key_id")),
        sa.ForeignKeyConstraint(
            ["member_id"], ["members.id"], name=op.f("fk_cards_member_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["programme_id"], ["programmes.id"], name=op.f("fk_cards_programme_id")
        ),
        sa.ForeignKeyConstraint(
            ["replaced_by_id"], ["cards.id"], name=op.f("fk_cards_replaced_by_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cards")),
        sa.UniqueConstraint("serial_number", name=op.f("uq_cards_serial_number")),
    )
    op.create_index(op.f("ix_cards_account_id"), "cards", ["account_id"], unique=False)
    op.create_index(
        "ix_cards_behind",
        "cards",
        ["id"],
        unique=False,
        sqlite_where=sa.text("version > delivered_version"),
        postgresql_where=sa.text("version > delivered_version"),
    )
    op.create_index(
        "ix_cards_issued",
        "cards",
        ["programme_id", "issued_at", "id"],
        unique=False,
        sqlite_where=sa.text("kind != 1"),
        postgresql_where=sa.text("kind != 1"),
    )
    op.create_index(op.f("ix_cards_member_id"), "cards", ["member_id"], unique=False)
    op.create_index(
        "ix_cards_refused",
        "cards",
        ["programme_id", "id", "status", "status_changed_at"],
        unique=False,
        sqlite_where=sa.text("status != 'active'"),
        postgresql_where=sa.text("status != 'active'"),
    )
    op.create_index(
        "ix_cards_successor",
        "cards",
        ["replaced_by_id"],
        unique=False,
        sqlite_where=sa.text("replaced_by_id IS NOT NULL"),
        postgresql_where=sa.text("replaced_by_id IS NOT NULL"),
    )
    op.create_table(
        "consents",
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("member_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("purpose", sa.String(length=32), nullable=False),
        sa.Column("text_version", sa.String(length=32), nullable=False),
        sa.Column("language", sa.String(length=2), nullable=True),
        sa.Column("given_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("programme_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.ForeignKeyConstraint(
            ["member_id"], ["members.id"], name=op.f("fk_consents_member_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["programme_id"], ["programmes.id"], name=op.f("fk_consents_programme_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consents")),
    )
    op.create_index(op.f("ix_consents_member_id"), "consents", ["member_id"], unique=False)
    op.create_table(
        "earning_days",
        sa.Column("account_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("points", sa.BigInteger(), nullable=False),
        sa.Column("spend_minor", sa.BigInteger(), nullable=False),
        sa.Column("programme_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_earning_days_account_id")
        ),
        sa.PrimaryKeyConstraint("account_id", "day", name=op.f("pk_earning_days")),
    )
    op.create_table(
        "import_uploads",
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("file_name", sa.String(length=100), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("file", sa.LargeBinary(), nullable=True),
        sa.Column("options", sa.JSON(), nullable=False),
        sa.Column("lines", sa.Integer(), nullable=False),
        sa.Column("done_lines", sa.Integer(), nullable=False),
        sa.Column("summary", sa.JSON(), nullable=False),
        sa.Column("problems", sa.LargeBinary(), nullable=True),
        sa.Column("failure", sa.String(length=400), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_by_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("leased_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("programme_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.ForeignKeyConstraint(
            ["made_by_id"], ["staff.id"], name=op.f("fk_import_uploads_made_by_id")
        ),
        sa.ForeignKeyConstraint(
            ["programme_id"], ["programmes.id"], name=op.f("fk_import_uploads_programme_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_uploads")),
    )
    op.create_table(
        "locations",
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("slug", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("partner_id", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("latitude_micro", sa.Integer(), nullable=True),
        sa.Column("longitude_micro", sa.Integer(), nullable=True),
        sa.Column("programme_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.ForeignKeyConstraint(
            ["partner_id"], ["partners.id"], name=op.f("fk_locations_partner_id")
        ),
        sa.ForeignKeyConstraint(
            ["programme_id"], ["programmes.id"], name=op.f("fk_locations_programme_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_locations")),
        sa.UniqueConstraint("programme_id", "slug", name=op.f("uq_locations_programme_id_slug")),
    )
    op.create_table(
        "mail_outbox",
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("key", sa.String(length=120), nullable=False),
        sa.Column("member_id", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("staff_id", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("subject", sa.String(length=200), nullable=True),
        sa.Column("text", sa.Text(), nullable=True),
        sa.Column("html", sa.Text(), nullable=True),
        sa.Column("fills", sa.JSON(), nullable=False),
        sa.Column("unsubscribe", sa.String(length=32), nullable=True),
        sa.Column("once", sa.Boolean(), nullable=False),
        sa.Column("status", sa.String(length=8), nullable=False),
        sa.Column("answer", sa.String(length=300), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("leased_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("begun_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("programme_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.ForeignKeyConstraint(
            ["member_id"], ["members.id"], name=op.f("fk_mail_outbox_member_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["programme_id"], ["programmes.id"], name=op.f("fk_mail_outbox_programme_id")
        ),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_mail_outbox_staff_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mail_outbox")),
        sa.UniqueConstraint("programme_id", "key", name=op.f("uq_mail_outbox_programme_id_key")),
    )
    op.create_index("ix_mail_outbox_created", "mail_outbox", ["created_at"], unique=False)
    op.create_index(
        "ix_mail_outbox_due",
        "mail_outbox",
        ["next_at"],
        unique=False,
        sqlite_where=sa.text("status = 'waiting'"),
        postgresql_where=sa.text("status = 'waiting'"),
    )
    op.create_index(op.f("ix_mail_outbox_member_id"), "mail_outbox", ["member_id"], unique=False)
    op.create_index(op.f("ix_mail_outbox_staff_id"), "mail_outbox", ["staff_id"], unique=False)
    op.create_table(
        "member_notes",
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("member_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("text", sa.LargeBinary(), nullable=False),
        sa.Column("written_by_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("programme_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.ForeignKeyConstraint(
            ["member_id"],
            ["members.id"],
            name=op.f("fk_member_notes_member_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["programme_id"], ["programmes.id"], name=op.f("fk_member_notes_programme_id")
        ),
        sa.ForeignKeyConstraint(
            ["written_by_id"], ["staff.id"], name=op.f("fk_member_notes_written_by_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_member_notes")),
    )
    op.create_index(op.f("ix_member_notes_member_id"), "member_notes", ["member_id"], unique=False)
    op.create_table(
        "member_words",
        sa.Column("word_index", sa.LargeBinary(length=16), nullable=False),
        sa.Column("member_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("programme_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.ForeignKeyConstraint(
            ["member_id"],
            ["members.id"],
            name=op.f("fk_member_words_member_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["programme_id"], ["programmes.id"], name=op.f("fk_member_words_programme_id")
        ),
        sa.PrimaryKeyConstraint("word_index", "member_id", name=op.f("pk_member_words")),
    )
    op.create_index(op.f("ix_member_words_member_id"), "member_words", ["member_id"], unique=False)
    op.create_table(
        "postings",
        sa.Column("sequence", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("operation", sa.String(length=24), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(length=32), nullable=False),
        sa.Column("account_id", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("till_id", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("answer", sa.JSON(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("programme_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_postings_account_id")
        ),
        sa.PrimaryKeyConstraint("sequence", name=op.f("pk_postings")),
        sa.UniqueConstraint("programme_id", "id", name=op.f("uq_postings_programme_id_id")),
    )
    op.create_table(
        "prize_draw_holders",
        sa.Column("draw_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("account_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("pseudonym", sa.String(length=32), nullable=False),
        sa.Column("tickets", sa.BigInteger(), nullable=False),
        sa.Column("programme_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_prize_draw_holders_account_id")
        ),
        sa.ForeignKeyConstraint(
            ["draw_id"], ["prize_draws.id"], name=op.f("fk_prize_draw_holders_draw_id")
        ),
        sa.PrimaryKeyConstraint("draw_id", "account_id", name=op.f("pk_prize_draw_holders")),
        sa.UniqueConstraint(
            "draw_id", "pseudonym", name=op.f("uq_prize_draw_holders_draw_id_pseudonym")
        ),
    )
    op.create_table(
        "prize_draw_winners",
        sa.Column("draw_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("prize", sa.String(length=40), nullable=False),
        sa.Column("account_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("pseudonym", sa.String(length=32), nullable=False),
        sa.Column("programme_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_prize_draw_winners_account_id")
        ),
        sa.ForeignKeyConstraint(
            ["draw_id"], ["prize_draws.id"], name=op.f("fk_prize_draw_winners_draw_id")
        ),
        sa.PrimaryKeyConstraint("draw_id", "place", name=op.f("pk_prize_draw_winners")),
    )
    op.create_table(
        "programme_drafts",
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("changes", sa.JSON(), nullable=False),
        sa.Column("before", sa.JSON(), nullable=False),
        sa.Column("baskets", sa.JSON(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_by", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("programme_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.ForeignKeyConstraint(
            ["changed_by"], ["staff.id"], name=op.f("fk_programme_drafts_changed_by")
        ),
        sa.ForeignKeyConstraint(
            ["programme_id"], ["programmes.id"], name=op.f("fk_programme_drafts_programme_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_programme_drafts")),
        sa.UniqueConstraint("programme_id", name=op.f("uq_programme_drafts_programme_id")),
    )
    op.create_table(
        "programme_publications",
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("did", sa.String(length=12), nullable=False),
        sa.Column("about", sa.Integer(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("staff_id", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("programme_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.ForeignKeyConstraint(
            ["programme_id"], ["programmes.id"], name=op.f("fk_programme_publications_programme_id")
        ),
        sa.ForeignKeyConstraint(
            ["staff_id"], ["staff.id"], name=op.f("fk_programme_publications_staff_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_programme_publications")),
    )
    op.create_index(
        "ix_programme_publications_number",
        "programme_publications",
        ["programme_id", "number"],
        unique=False,
    )
    op.create_table(
        "programme_purposes",
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("goal", sa.String(length=20), nullable=True),
        sa.Column("benefit", sa.String(length=20), nullable=True),
        sa.Column("margin", sa.String(length=8), nullable=True),
        sa.Column("template", sa.String(length=20), nullable=True),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("steps", sa.JSON(), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_by", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("programme_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.ForeignKeyConstraint(
            ["changed_by"], ["staff.id"], name=op.f("fk_programme_purposes_changed_by")
        ),
        sa.ForeignKeyConstraint(
            ["programme_id"], ["programmes.id"], name=op.f("fk_programme_purposes_programme_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_programme_purposes")),
        sa.UniqueConstraint("programme_id", name=op.f("uq_programme_purposes_programme_id")),
    )
    op.create_table(
        "programme_trials",
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("changes", sa.JSON(), nullable=False),
        sa.Column("locations", sa.JSON(), nullable=False),
        sa.Column("segments", sa.JSON(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("asked_by", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("done", sa.BigInteger(), nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("heard_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("found", sa.JSON(), nullable=True),
        sa.Column("said", sa.String(length=400), nullable=True),
        sa.Column("programme_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.ForeignKeyConstraint(
            ["asked_by"], ["staff.id"], name=op.f("fk_programme_trials_asked_by")
        ),
        sa.ForeignKeyConstraint(
            ["programme_id"], ["programmes.id"], name=op.f("fk_programme_trials_programme_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_programme_trials")),
    )
    op.create_index(
        "ix_programme_trials_state", "programme_trials", ["state", "asked_at"], unique=False
    )
    op.create_table(
        "receipts",
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("account_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("location_id", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("till_id", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("number", sa.String(length=64), nullable=True),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("earning_minor", sa.BigInteger(), nullable=False),
        sa.Column("tax_minor", sa.BigInteger(), nullable=False),
        sa.Column("coupons_minor", sa.BigInteger(), nullable=False),
        sa.Column("paid_points", sa.BigInteger(), nullable=False),
        sa.Column("exchange_rate", sa.String(length=32), nullable=True),
        sa.Column("exchange_source", sa.String(length=64), nullable=True),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("programme_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_receipts_account_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_receipts")),
    )
    op.create_index(op.f("ix_receipts_account_id"), "receipts", ["account_id"], unique=False)
    op.create_index(
        "ix_receipts_number",
        "receipts",
        ["programme_id", "number"],
        unique=False,
        sqlite_where=sa.text("number IS NOT NULL"),
        postgresql_where=sa.text("number IS NOT NULL"),
    )
    op.create_table(
        "referral_codes",
        sa.Column("account_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("code", sa.String(length=12), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("programme_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_referral_codes_account_id")
        ),
        sa.ForeignKeyConstraint(
            ["programme_id"], ["programmes.id"], name=op.f("fk_referral_codes_programme_id")
        ),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_referral_codes")),
        sa.UniqueConstraint(
            "programme_id", "code", name=op.f("uq_referral_codes_programme_id_code")
        ),
    )
    op.create_table(
        "referrals",
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("referrer_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("referred_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("status", sa.String(length=8), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("referred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("given_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("programme_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.ForeignKeyConstraint(
            ["programme_id"], ["programmes.id"], name=op.f("fk_referrals_programme_id")
        ),
        sa.ForeignKeyConstraint(
            ["referred_id"], ["accounts.id"], name=op.f("fk_referrals_referred_id")
        ),
        sa.ForeignKeyConstraint(
            ["referrer_id"], ["accounts.id"], name=op.f("fk_referrals_referrer_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_referrals")),
        sa.UniqueConstraint("referred_id", name=op.f("uq_referrals_referred_id")),
    )
    op.create_index("ix_referrals_referrer", "referrals", ["referrer_id", "given_at"], unique=False)
    op.create_index("ix_referrals_status", "referrals", ["status", "referred_id"], unique=False)
    op.create_table(
        "staff_half_sign_ins",
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("staff_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("programme_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.ForeignKeyConstraint(
            ["programme_id"], ["programmes.id"], name=op.f("fk_staff_half_sign_ins_programme_id")
        ),
        sa.ForeignKeyConstraint(
            ["staff_id"], ["staff.id"], name=op.f("fk_staff_half_sign_ins_staff_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_staff_half_sign_ins")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_staff_half_sign_ins_token_hash")),
    )
    op.create_index(
        op.f("ix_staff_half_sign_ins_staff_id"), "staff_half_sign_ins", ["staff_id"], unique=False
    )
    op.create_table(
        "staff_logins",
        sa.Column("staff_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("password_hash", sa.String(length=200), nullable=True),
        sa.Column("password_changed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("totp_secret", sa.LargeBinary(), nullable=True),
        sa.Column("totp_pending", sa.LargeBinary(), nullable=True),
        sa.Column("totp_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("totp_last_step", sa.BigInteger(), nullable=False),
        sa.Column("email", sa.LargeBinary(), nullable=True),
        sa.Column("programme_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.ForeignKeyConstraint(
            ["programme_id"], ["programmes.id"], name=op.f("fk_staff_logins_programme_id")
        ),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_staff_logins_staff_id")),
        sa.PrimaryKeyConstraint("staff_id", name=op.f("pk_staff_logins")),
    )
    op.create_table(
        "staff_password_links",
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("staff_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("forgets_second_factor", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("programme_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.ForeignKeyConstraint(
            ["programme_id"], ["programmes.id"], name=op.f("fk_staff_password_links_programme_id")
        ),
        sa.ForeignKeyConstraint(
            ["staff_id"], ["staff.id"], name=op.f("fk_staff_password_links_staff_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_staff_password_links")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_staff_password_links_token_hash")),
    )
    op.create_index(
        op.f("ix_staff_password_links_staff_id"), "staff_password_links", ["staff_id"], unique=False
    )
    op.create_table(
        "staff_recovery_codes",
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("staff_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("code_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("programme_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.ForeignKeyConstraint(
            ["programme_id"], ["programmes.id"], name=op.f("fk_staff_recovery_codes_programme_id")
        ),
        sa.ForeignKeyConstraint(
            ["staff_id"], ["staff.id"], name=op.f("fk_staff_recovery_codes_staff_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_staff_recovery_codes")),
        sa.UniqueConstraint("code_hash", name=op.f("uq_staff_recovery_codes_code_hash")),
    )
    op.create_index(
        op.f("ix_staff_recovery_codes_staff_id"), "staff_recovery_codes", ["staff_id"], unique=False
    )
    op.create_table(
        "staff_sessions",
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("staff_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("second_factor_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("device", sa.String(length=120), nullable=False),
        sa.Column("programme_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.ForeignKeyConstraint(
            ["programme_id"], ["programmes.id"], name=op.f("fk_staff_sessions_programme_id")
        ),
        sa.ForeignKeyConstraint(
            ["staff_id"], ["staff.id"], name=op.f("fk_staff_sessions_staff_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_staff_sessions")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_staff_sessions_token_hash")),
    )
    op.create_index(
        op.f("ix_staff_sessions_staff_id"), "staff_sessions", ["staff_id"], unique=False
    )
    op.create_table(
        "tallies",
        sa.Column("account_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("what", sa.String(length=64), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("programme_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_tallies_account_id")
        ),
        sa.PrimaryKeyConstraint("account_id", "kind", "what", name=op.f("pk_tallies")),
    )
    op.create_index(
        "ix_tallies_lapsing",
        "tallies",
        ["expires_at"],
        unique=False,
        sqlite_where=sa.text("expires_at IS NOT NULL"),
        postgresql_where=sa.text("expires_at IS NOT NULL"),
    )
    op.create_table(
        "tier_changes",
        sa.Column("sequence", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("account_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("from_tier", sa.String(length=40), nullable=True),
        sa.Column("to_tier", sa.String(length=40), nullable=True),
        sa.Column("reason", sa.String(length=16), nullable=False),
        sa.Column("counted", sa.BigInteger(), nullable=False),
        sa.Column("effective_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("posting_id", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("actor_kind", sa.String(length=8), nullable=False),
        sa.Column("actor_id", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("note", sa.String(length=200), nullable=True),
        sa.Column("programme_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_tier_changes_account_id")
        ),
        sa.PrimaryKeyConstraint("sequence", name=op.f("pk_tier_changes")),
        sa.UniqueConstraint("id", name=op.f("uq_tier_changes_id")),
    )
    op.create_index(
        "ix_tier_changes_account", "tier_changes", ["account_id", "effective_from"], unique=False
    )
    op.create_table(
        "webhook_deliveries",
        sa.Column("sequence", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("endpoint_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("event_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("type", sa.String(length=40), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("status", sa.String(length=10), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("delivered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("programme_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.ForeignKeyConstraint(
            ["endpoint_id"],
            ["webhook_endpoints.id"],
            name=op.f("fk_webhook_deliveries_endpoint_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["programme_id"], ["programmes.id"], name=op.f("fk_webhook_deliveries_programme_id")
        ),
        sa.PrimaryKeyConstraint("sequence", name=op.f("pk_webhook_deliveries")),
        sa.UniqueConstraint("id", name=op.f("uq_webhook_deliveries_id")),
    )
    op.create_index(
        "ix_webhook_deliveries_created", "webhook_deliveries", ["created_at"], unique=False
    )
    op.create_index(
        op.f("ix_webhook_deliveries_event_id"), "webhook_deliveries", ["event_id"], unique=False
    )
    op.create_index(
        "ix_webhook_deliveries_open",
        "webhook_deliveries",
        ["endpoint_id", "sequence"],
        unique=False,
        sqlite_where=sa.text("status = 'open'"),
        postgresql_where=sa.text("status = 'open'"),
    )
    op.create_table(
        "api_keys",
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("handle", sa.String(length=16), nullable=False),
        sa.Column("key_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("scopes", sa.JSON(), nullable=False),
        sa.Column("location_id", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("allowance_milli", sa.BigInteger(), nullable=True),
        sa.Column("allowance_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("programme_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.ForeignKeyConstraint(
            ["location_id"], ["locations.id"], name=op.f("fk_api_keys_location_id")
        ),
        sa.ForeignKeyConstraint(
            ["programme_id"], ["programmes.id"], name=op.f("fk_api_keys_programme_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_keys")),
        sa.UniqueConstraint("handle", name=op.f("uq_api_keys_handle")),
    )
    op.create_table(
        "apple_registrations",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("card_id", sa.String(length=16), nullable=False),
        sa.Column("device_id", sa.String(length=100), nullable=False),
        sa.Column("push_token", sa.String(length=200), nullable=False),
        sa.Column("registered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("wanted_version", sa.BigInteger(), nullable=False),
        sa.Column("delivered_version", sa.BigInteger(), nullable=False),
        sa.Column("delivered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("next_attempt_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("behind_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("last_error", sa.String(length=300), nullable=True),
        sa.Column("programme_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.ForeignKeyConstraint(
            ["card_id"], ["cards.id"], name=op.f("fk_apple_registrations_card_id")
        ),
        sa.ForeignKeyConstraint(
            ["programme_id"], ["programmes.id"], name=op.f("fk_apple_registrations_programme_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_apple_registrations")),
        sa.UniqueConstraint(
            "device_id", "card_id", name=op.f("uq_apple_registrations_device_id_card_id")
        ),
        sqlite_autoincrement=True,
    )
    op.create_index(
        op.f("ix_apple_registrations_card_id"), "apple_registrations", ["card_id"], unique=False
    )
    op.create_index(
        "ix_apple_registrations_due",
        "apple_registrations",
        ["next_attempt_at"],
        unique=False,
        sqlite_where=sa.text("wanted_version > delivered_version"),
        postgresql_where=sa.text("wanted_version > delivered_version"),
    )
    op.create_table(
        "card_links",
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("card_id", sa.String(length=16), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("programme_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.ForeignKeyConstraint(["card_id"], ["cards.id"], name=op.f("fk_card_links_card_id")),
        sa.ForeignKeyConstraint(
            ["programme_id"], ["programmes.id"], name=op.f("fk_card_links_programme_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_card_links")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_card_links_token_hash")),
    )
    op.create_index(op.f("ix_card_links_card_id"), "card_links", ["card_id"], unique=False)
    op.create_table(
        "card_messages",
        sa.Column("card_id", sa.String(length=16), nullable=False),
        sa.Column("news_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("facts", sa.String(length=200), nullable=False),
        sa.Column("account_version", sa.BigInteger(), nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("programme_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.ForeignKeyConstraint(["card_id"], ["cards.id"], name=op.f("fk_card_messages_card_id")),
        sa.ForeignKeyConstraint(
            ["news_id"], ["card_news.id"], name=op.f("fk_card_messages_news_id")
        ),
        sa.ForeignKeyConstraint(
            ["programme_id"], ["programmes.id"], name=op.f("fk_card_messages_programme_id")
        ),
        sa.PrimaryKeyConstraint("card_id", name=op.f("pk_card_messages")),
    )
    op.create_table(
        "card_pins",
        sa.Column("card_id", sa.String(length=16), nullable=False),
        sa.Column("pin_hash", sa.String(length=200), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("locked_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("programme_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.ForeignKeyConstraint(["card_id"], ["cards.id"], name=op.f("fk_card_pins_card_id")),
        sa.ForeignKeyConstraint(
            ["programme_id"], ["programmes.id"], name=op.f("fk_card_pins_programme_id")
        ),
        sa.PrimaryKeyConstraint("card_id", name=op.f("pk_card_pins")),
    )
    op.create_table(
        "coupons",
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("account_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("what", sa.String(length=64), nullable=False),
        sa.Column("offer", sa.JSON(), nullable=False),
        sa.Column("status", sa.String(length=10), nullable=False),
        sa.Column("source_id", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("card_id", sa.String(length=16), nullable=True),
        sa.Column("valid_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("programme_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_coupons_account_id")
        ),
        sa.ForeignKeyConstraint(["card_id"], ["cards.id"], name=op.f("fk_coupons_card_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_coupons")),
        sa.UniqueConstraint("card_id", name=op.f("uq_coupons_card_id")),
    )
    op.create_index("ix_coupons_account", "coupons", ["account_id", "what"], unique=False)
    op.create_index(
        "ix_coupons_expiring",
        "coupons",
        ["expires_at"],
        unique=False,
        sqlite_where=sa.text("status = 'open' AND expires_at IS NOT NULL"),
        postgresql_where=sa.text("status = 'open' AND expires_at IS NOT NULL"),
    )
    op.create_table(
        "entries",
        sa.Column("sequence", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("account_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("posting_id", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("points", sa.BigInteger(), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("counted_points", sa.BigInteger(), nullable=False),
        sa.Column("counted_minor", sa.BigInteger(), nullable=False),
        sa.Column("carried_micro", sa.BigInteger(), nullable=True),
        sa.Column("weighted_micro", sa.BigInteger(), nullable=True),
        sa.Column("at_least_minor", sa.BigInteger(), nullable=True),
        sa.Column("grounds", sa.JSON(), nullable=True),
        sa.Column("once_key", sa.String(length=40), nullable=True),
        sa.Column("late", sa.Boolean(), nullable=False),
        sa.Column("actor_kind", sa.String(length=8), nullable=False),
        sa.Column("actor_id", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("till_id", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("location_id", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("card_id", sa.String(length=16), nullable=True),
        sa.Column("receipt_id", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("amount_minor", sa.BigInteger(), nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=True),
        sa.Column("rule_version", sa.Integer(), nullable=True),
        sa.Column("reverses_id", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("whole_reversal", sa.Boolean(), nullable=False),
        sa.Column("issuing_partner_id", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("redeeming_partner_id", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("reason", sa.String(length=200), nullable=True),
        sa.Column("programme_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_entries_account_id")
        ),
        sa.ForeignKeyConstraint(
            ["issuing_partner_id"], ["partners.id"], name=op.f("fk_entries_issuing_partner_id")
        ),
        sa.ForeignKeyConstraint(
            ["receipt_id"], ["receipts.id"], name=op.f("fk_entries_receipt_id")
        ),
        sa.ForeignKeyConstraint(
            ["redeeming_partner_id"], ["partners.id"], name=op.f("fk_entries_redeeming_partner_id")
        ),
        sa.ForeignKeyConstraint(
            ["reverses_id"], ["entries.id"], name=op.f("fk_entries_reverses_id")
        ),
        sa.PrimaryKeyConstraint("sequence", name=op.f("pk_entries")),
        sa.UniqueConstraint("id", name=op.f("uq_entries_id")),
    )
    op.create_index("ix_entries_account", "entries", ["account_id", "sequence"], unique=False)
    op.create_index(
        "ix_entries_once",
        "entries",
        ["account_id", "once_key"],
        unique=False,
        sqlite_where=sa.text("once_key IS NOT NULL"),
        postgresql_where=sa.text("once_key IS NOT NULL"),
    )
    op.create_index(
        "ix_entries_posting",
        "entries",
        ["programme_id", "posting_id"],
        unique=False,
        sqlite_where=sa.text("posting_id IS NOT NULL"),
        postgresql_where=sa.text("posting_id IS NOT NULL"),
    )
    op.create_index(
        "ix_entries_receipt",
        "entries",
        ["receipt_id"],
        unique=False,
        sqlite_where=sa.text("receipt_id IS NOT NULL"),
        postgresql_where=sa.text("receipt_id IS NOT NULL"),
    )
    op.create_index(
        "ix_entries_reverses",
        "entries",
        ["reverses_id"],
        unique=False,
        sqlite_where=sa.text("reverses_id IS NOT NULL"),
        postgresql_where=sa.text("reverses_id IS NOT NULL"),
    )
    op.create_index(
        "uq_entries_reverses",
        "entries",
        ["reverses_id"],
        unique=True,
        sqlite_where=sa.text("whole_reversal"),
        postgresql_where=sa.text("whole_reversal"),
    )
    op.create_table(
        "erasure_requests",
        sa.Column("card_id", sa.String(length=16), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("programme_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.ForeignKeyConstraint(
            ["card_id"], ["cards.id"], name=op.f("fk_erasure_requests_card_id")
        ),
        sa.ForeignKeyConstraint(
            ["programme_id"], ["programmes.id"], name=op.f("fk_erasure_requests_programme_id")
        ),
        sa.PrimaryKeyConstraint("card_id", name=op.f("pk_erasure_requests")),
    )
    op.create_index(
        op.f("ix_erasure_requests_due_at"), "erasure_requests", ["due_at"], unique=False
    )
    op.create_table(
        "google_passes",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("card_id", sa.String(length=16), nullable=False),
        sa.Column("object_id", sa.String(length=120), nullable=False),
        sa.Column("inserted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("saved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("heard_ms", sa.BigInteger(), nullable=True),
        sa.Column("told", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("notices", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("wanted_version", sa.BigInteger(), nullable=False),
        sa.Column("delivered_version", sa.BigInteger(), nullable=False),
        sa.Column("delivered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("next_attempt_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("behind_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("last_error", sa.String(length=300), nullable=True),
        sa.Column("programme_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.ForeignKeyConstraint(["card_id"], ["cards.id"], name=op.f("fk_google_passes_card_id")),
        sa.ForeignKeyConstraint(
            ["programme_id"], ["programmes.id"], name=op.f("fk_google_passes_programme_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_google_passes")),
        sa.UniqueConstraint("card_id", name=op.f("uq_google_passes_card_id")),
        sa.UniqueConstraint("object_id", name=op.f("uq_google_passes_object_id")),
    )
    op.create_index(
        "ix_google_passes_due",
        "google_passes",
        ["next_attempt_at"],
        unique=False,
        sqlite_where=sa.text("wanted_version > delivered_version"),
        postgresql_where=sa.text("wanted_version > delivered_version"),
    )
    op.create_table(
        "pass_fetches",
        sa.Column("card_id", sa.String(length=16), nullable=False),
        sa.Column("fetched_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("programme_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.ForeignKeyConstraint(["card_id"], ["cards.id"], name=op.f("fk_pass_fetches_card_id")),
        sa.ForeignKeyConstraint(
            ["programme_id"], ["programmes.id"], name=op.f("fk_pass_fetches_programme_id")
        ),
        sa.PrimaryKeyConstraint("card_id", name=op.f("pk_pass_fetches")),
    )
    op.create_index(
        "ix_pass_fetches_fetched", "pass_fetches", ["programme_id", "fetched_at"], unique=False
    )
    op.create_table(
        "receipt_lines",
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("receipt_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("item", sa.String(length=120), nullable=False),
        sa.Column("category", sa.String(length=64), nullable=True),
        sa.Column("quantity_thousandths", sa.BigInteger(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("earns", sa.Boolean(), nullable=False),
        sa.Column("programme_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.ForeignKeyConstraint(
            ["receipt_id"], ["receipts.id"], name=op.f("fk_receipt_lines_receipt_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_receipt_lines")),
        sa.UniqueConstraint(
            "receipt_id", "position", name=op.f("uq_receipt_lines_receipt_id_position")
        ),
    )
    op.create_table(
        "receipt_returns",
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("receipt_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("posting_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("earning_minor", sa.BigInteger(), nullable=False),
        sa.Column("earned_points_due", sa.BigInteger(), nullable=False),
        sa.Column("redeemed_points_due", sa.BigInteger(), nullable=False),
        sa.Column("bonus_points_due", sa.JSON(), nullable=False),
        sa.Column("counted_minor_due", sa.BigInteger(), nullable=False),
        sa.Column("carried_micro_due", sa.BigInteger(), nullable=False),
        sa.Column("lines", sa.JSON(), nullable=True),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reversed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("programme_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.ForeignKeyConstraint(
            ["receipt_id"], ["receipts.id"], name=op.f("fk_receipt_returns_receipt_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_receipt_returns")),
    )
    op.create_index(
        op.f("ix_receipt_returns_receipt_id"), "receipt_returns", ["receipt_id"], unique=False
    )
    op.create_table(
        "tills",
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("location_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(length=32), nullable=True),
        sa.Column("enrolled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("programme_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.ForeignKeyConstraint(
            ["location_id"], ["locations.id"], name=op.f("fk_tills_location_id")
        ),
        sa.ForeignKeyConstraint(
            ["programme_id"], ["programmes.id"], name=op.f("fk_tills_programme_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tills")),
        sa.UniqueConstraint("programme_id", "name", name=op.f("uq_tills_programme_id_name")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_tills_token_hash")),
    )
    op.create_table(
        "used_steps",
        sa.Column("card_id", sa.String(length=16), nullable=False),
        sa.Column("step", sa.BigInteger(), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("programme_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.ForeignKeyConstraint(["card_id"], ["cards.id"], name=op.f("fk_used_steps_card_id")),
        sa.ForeignKeyConstraint(
            ["programme_id"], ["programmes.id"], name=op.f("fk_used_steps_programme_id")
        ),
        sa.PrimaryKeyConstraint("card_id", "step", name=op.f("pk_used_steps")),
    )
    op.create_table(
        "webhook_tries",
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("delivery_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("tried_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("took_ms", sa.Integer(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("answer", sa.String(length=1000), nullable=False),
        sa.Column("programme_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.ForeignKeyConstraint(
            ["delivery_id"],
            ["webhook_deliveries.id"],
            name=op.f("fk_webhook_tries_delivery_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["programme_id"], ["programmes.id"], name=op.f("fk_webhook_tries_programme_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_tries")),
    )
    op.create_index(
        op.f("ix_webhook_tries_delivery_id"), "webhook_tries", ["delivery_id"], unique=False
    )
    op.create_table(
        "benefit_uses",
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("account_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("posting_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("what", sa.String(length=64), nullable=False),
        sa.Column("coupon_id", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("points", sa.BigInteger(), nullable=False),
        sa.Column("paid_kind", sa.String(length=12), nullable=True),
        sa.Column("paid_what", sa.String(length=64), nullable=True),
        sa.Column("paid_count", sa.BigInteger(), nullable=False),
        sa.Column("pieces", sa.BigInteger(), nullable=False),
        sa.Column("worth", sa.JSON(), nullable=False),
        sa.Column("receipt_number", sa.String(length=64), nullable=True),
        sa.Column("till_id", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("location_id", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reversed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("returned_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("programme_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_benefit_uses_account_id")
        ),
        sa.ForeignKeyConstraint(
            ["coupon_id"], ["coupons.id"], name=op.f("fk_benefit_uses_coupon_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_benefit_uses")),
        sa.UniqueConstraint(
            "programme_id", "posting_id", name=op.f("uq_benefit_uses_programme_id_posting_id")
        ),
    )
    op.create_index(
        "ix_benefit_uses_account", "benefit_uses", ["account_id", "used_at"], unique=False
    )
    op.create_index(
        "ix_benefit_uses_receipt",
        "benefit_uses",
        ["programme_id", "receipt_number"],
        unique=False,
        sqlite_where=sa.text("receipt_number IS NOT NULL"),
        postgresql_where=sa.text("receipt_number IS NOT NULL"),
    )
    op.create_index(
        "ix_benefit_uses_what", "benefit_uses", ["programme_id", "kind", "what"], unique=False
    )
    op.create_index(
        "uq_benefit_uses_coupon",
        "benefit_uses",
        ["coupon_id"],
        unique=True,
        sqlite_where=sa.text(
            "coupon_id IS NOT NULL AND reversed_at IS NULL AND returned_at IS NULL"
        ),
        postgresql_where=sa.text(
            "coupon_id IS NOT NULL AND reversed_at IS NULL AND returned_at IS NULL"
        ),
    )
    op.create_table(
        "cashier_sessions",
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("till_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("staff_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("programme_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.ForeignKeyConstraint(
            ["programme_id"], ["programmes.id"], name=op.f("fk_cashier_sessions_programme_id")
        ),
        sa.ForeignKeyConstraint(
            ["staff_id"], ["staff.id"], name=op.f("fk_cashier_sessions_staff_id")
        ),
        sa.ForeignKeyConstraint(
            ["till_id"], ["tills.id"], name=op.f("fk_cashier_sessions_till_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cashier_sessions")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_cashier_sessions_token_hash")),
    )
    op.create_index(
        op.f("ix_cashier_sessions_staff_id"), "cashier_sessions", ["staff_id"], unique=False
    )
    op.create_index(
        op.f("ix_cashier_sessions_till_id"), "cashier_sessions", ["till_id"], unique=False
    )
    op.create_table(
        "enrolment_codes",
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("till_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("code_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("programme_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.ForeignKeyConstraint(
            ["programme_id"], ["programmes.id"], name=op.f("fk_enrolment_codes_programme_id")
        ),
        sa.ForeignKeyConstraint(["till_id"], ["tills.id"], name=op.f("fk_enrolment_codes_till_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_enrolment_codes")),
        sa.UniqueConstraint("code_hash", name=op.f("uq_enrolment_codes_code_hash")),
    )
    op.create_index(
        op.f("ix_enrolment_codes_till_id"), "enrolment_codes", ["till_id"], unique=False
    )
    op.create_table(
        "grants",
        sa.Column("sequence", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("account_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("what", sa.String(length=64), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("due", sa.BigInteger(), nullable=False),
        sa.Column("source_id", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("posting_id", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("coupon_id", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("card_id", sa.String(length=16), nullable=True),
        sa.Column("rule", sa.String(length=120), nullable=False),
        sa.Column("rule_version", sa.Integer(), nullable=True),
        sa.Column("grounds", sa.JSON(), nullable=True),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("programme_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_grants_account_id")),
        sa.ForeignKeyConstraint(["coupon_id"], ["coupons.id"], name=op.f("fk_grants_coupon_id")),
        sa.PrimaryKeyConstraint("sequence", name=op.f("pk_grants")),
        sa.UniqueConstraint("id", name=op.f("uq_grants_id")),
    )
    op.create_index("ix_grants_account", "grants", ["account_id", "kind", "what"], unique=False)
    op.create_index(
        "ix_grants_coupon",
        "grants",
        ["coupon_id"],
        unique=False,
        sqlite_where=sa.text("coupon_id IS NOT NULL"),
        postgresql_where=sa.text("coupon_id IS NOT NULL"),
    )
    op.create_index("ix_grants_posting", "grants", ["programme_id", "posting_id"], unique=False)
    op.create_index(
        "ix_grants_source",
        "grants",
        ["source_id"],
        unique=False,
        sqlite_where=sa.text("source_id IS NOT NULL"),
        postgresql_where=sa.text("source_id IS NOT NULL"),
    )
    op.create_table(
        "holds",
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("posting_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("account_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("card_id", sa.String(length=16), nullable=True),
        sa.Column("till_id", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("receipt_number", sa.String(length=64), nullable=True),
        sa.Column("points", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.String(length=8), nullable=False),
        sa.Column("entry_id", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("programme_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_holds_account_id")),
        sa.ForeignKeyConstraint(["entry_id"], ["entries.id"], name=op.f("fk_holds_entry_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_holds")),
        sa.UniqueConstraint(
            "programme_id", "posting_id", name=op.f("uq_holds_programme_id_posting_id")
        ),
    )
    op.create_index(op.f("ix_holds_account_id"), "holds", ["account_id"], unique=False)
    op.create_index("ix_holds_card", "holds", ["card_id", "created_at"], unique=False)
    op.create_index(
        "ix_holds_open",
        "holds",
        ["expires_at"],
        unique=False,
        sqlite_where=sa.text("status = 'open'"),
        postgresql_where=sa.text("status = 'open'"),
    )
    op.create_table(
        "lots",
        sa.Column("sequence", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("account_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("entry_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("points", sa.BigInteger(), nullable=False),
        sa.Column("remaining", sa.BigInteger(), nullable=False),
        sa.Column("held", sa.BigInteger(), nullable=False),
        sa.Column("pending", sa.Boolean(), nullable=False),
        sa.Column("rolling", sa.Boolean(), nullable=False),
        sa.Column("counts_on", sa.Date(), nullable=True),
        sa.Column("available_from", sa.DateTime(timezone=True), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("origin_lot_id", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("issuing_partner_id", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("programme_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.CheckConstraint(
            "held >= 0 AND held <= remaining", name=op.f("ck_lots_held_within_remaining")
        ),
        sa.CheckConstraint(
            "remaining >= 0 AND remaining <= points", name=op.f("ck_lots_remaining_within_points")
        ),
        sa.ForeignKeyConstraint(["entry_id"], ["entries.id"], name=op.f("fk_lots_entry_id")),
        sa.ForeignKeyConstraint(
            ["issuing_partner_id"], ["partners.id"], name=op.f("fk_lots_issuing_partner_id")
        ),
        sa.ForeignKeyConstraint(["origin_lot_id"], ["lots.id"], name=op.f("fk_lots_origin_lot_id")),
        sa.PrimaryKeyConstraint("sequence", name=op.f("pk_lots")),
        sa.UniqueConstraint("id", name=op.f("uq_lots_id")),
    )
    op.create_index("ix_lots_entry", "lots", ["entry_id"], unique=False)
    op.create_index(
        "ix_lots_expiring",
        "lots",
        ["expires_at"],
        unique=False,
        sqlite_where=sa.text("remaining > held"),
        postgresql_where=sa.text("remaining > held"),
    )
    op.create_index(
        "ix_lots_open",
        "lots",
        ["account_id", "sequence"],
        unique=False,
        sqlite_where=sa.text("remaining > 0"),
        postgresql_where=sa.text("remaining > 0"),
    )
    op.create_index(
        "ix_lots_origin",
        "lots",
        ["origin_lot_id"],
        unique=False,
        sqlite_where=sa.text("origin_lot_id IS NOT NULL"),
        postgresql_where=sa.text("origin_lot_id IS NOT NULL"),
    )
    op.create_index(
        "ix_lots_pending",
        "lots",
        ["available_from"],
        unique=False,
        sqlite_where=sa.text("pending AND remaining > 0"),
        postgresql_where=sa.text("pending AND remaining > 0"),
    )
    op.create_table(
        "presentations",
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("till_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("card_id", sa.String(length=16), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("rotating", sa.Boolean(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("programme_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.ForeignKeyConstraint(["card_id"], ["cards.id"], name=op.f("fk_presentations_card_id")),
        sa.ForeignKeyConstraint(
            ["programme_id"], ["programmes.id"], name=op.f("fk_presentations_programme_id")
        ),
        sa.ForeignKeyConstraint(["till_id"], ["tills.id"], name=op.f("fk_presentations_till_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_presentations")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_presentations_token_hash")),
    )
    op.create_index(
        op.f("ix_presentations_expires_at"), "presentations", ["expires_at"], unique=False
    )
    op.create_table(
        "till_reports",
        sa.Column("till_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("waiting", sa.Integer(), nullable=False),
        sa.Column("oldest_waiting_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("set_aside", sa.Integer(), nullable=False),
        sa.Column("programme_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.ForeignKeyConstraint(
            ["programme_id"], ["programmes.id"], name=op.f("fk_till_reports_programme_id")
        ),
        sa.ForeignKeyConstraint(["till_id"], ["tills.id"], name=op.f("fk_till_reports_till_id")),
        sa.PrimaryKeyConstraint("till_id", name=op.f("pk_till_reports")),
    )
    op.create_table(
        "waiting_postings",
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("posting_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("till_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("operation", sa.String(length=24), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(length=32), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.Column("answer", sa.JSON(), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=True),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_by_id", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("approved", sa.Boolean(), nullable=True),
        sa.Column("programme_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.ForeignKeyConstraint(
            ["decided_by_id"], ["staff.id"], name=op.f("fk_waiting_postings_decided_by_id")
        ),
        sa.ForeignKeyConstraint(
            ["programme_id"], ["programmes.id"], name=op.f("fk_waiting_postings_programme_id")
        ),
        sa.ForeignKeyConstraint(
            ["till_id"], ["tills.id"], name=op.f("fk_waiting_postings_till_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_waiting_postings")),
        sa.UniqueConstraint(
            "programme_id", "posting_id", name=op.f("uq_waiting_postings_programme_id_posting_id")
        ),
    )
    op.create_table(
        "draws",
        sa.Column("sequence", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("entry_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("account_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("lot_id", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("points", sa.BigInteger(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("programme_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.ForeignKeyConstraint(["entry_id"], ["entries.id"], name=op.f("fk_draws_entry_id")),
        sa.ForeignKeyConstraint(["lot_id"], ["lots.id"], name=op.f("fk_draws_lot_id")),
        sa.PrimaryKeyConstraint("sequence", name=op.f("pk_draws")),
    )
    op.create_index(op.f("ix_draws_account_id"), "draws", ["account_id"], unique=False)
    op.create_index("ix_draws_entry", "draws", ["entry_id"], unique=False)
    op.create_index("ix_draws_lot", "draws", ["lot_id"], unique=False)
    op.create_table(
        "hold_lots",
        sa.Column("hold_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("lot_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("points", sa.BigInteger(), nullable=False),
        sa.Column("programme_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.ForeignKeyConstraint(["hold_id"], ["holds.id"], name=op.f("fk_hold_lots_hold_id")),
        sa.ForeignKeyConstraint(["lot_id"], ["lots.id"], name=op.f("fk_hold_lots_lot_id")),
        sa.PrimaryKeyConstraint("hold_id", "lot_id", name=op.f("pk_hold_lots")),
    )
    # --- end ---
