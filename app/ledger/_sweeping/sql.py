"""The statements that read and write many accounts at once, in PostgreSQL's words.

Accounts travel as one text, whatever their number, and so does what is different for each. They
are planned each time: a plan that knows no numbers expects ten accounts, and compares each with
each.
"""

_IDS = "CAST(string_to_array(CAST(:ids AS text), ',') AS uuid[])"

#: For the transaction. Few accounts of many are looked for, always by their ids. What is swept is
#: due again if it is lost, so its commit need not wait for the disk.
SETTINGS = """
SELECT set_config('enable_seqscan', 'off', true), set_config('jit', 'off', true),
    set_config('max_parallel_workers_per_gather', '0', true),
    set_config('synchronous_commit', 'off', true)
"""

LOCK = f"""
SELECT CAST(id AS text) FROM accounts
WHERE id = ANY({_IDS}) AND programme_id = :programme
ORDER BY id FOR UPDATE SKIP LOCKED
"""  # noqa: S608 - put together of constants alone

_IS_PLAIN = f"""
a.id = ANY({_IDS}) AND a.programme_id = :programme
AND a.held = 0 AND a.debt = 0 AND a.rolling_expires_at IS NULL
AND NOT EXISTS (
    SELECT FROM lots WHERE account_id = a.id AND remaining > 0 AND (pending OR held > 0 OR rolling)
)
"""
PLAIN = f"""
SELECT CAST(a.id AS text) FROM accounts a WHERE {_IS_PLAIN} ORDER BY a.id
"""  # noqa: S608

#: Those of the same tier whose years reached the same levels, with what last year counted.
CLASSES = f"""
SELECT a.tier, a.tier_before, a.tier_kept, a.tier_reviewed_at, a.tier_review_at,
    coalesce(s.is_this_year, false),
    width_bucket(coalesce(s.before_last, 0), CAST(:thresholds AS numeric[])),
    width_bucket(coalesce(s.last, 0), CAST(:thresholds AS numeric[])),
    width_bucket(coalesce(s.this, 0), CAST(:thresholds AS numeric[])),
    string_agg(CAST(a.id AS text), ',' ORDER BY a.id),
    string_agg(CAST(coalesce(s.last, 0) AS text), ',' ORDER BY a.id)
FROM accounts a
LEFT JOIN (
    SELECT account_id,
        sum({{figure}}) FILTER (WHERE day < :last) AS before_last,
        sum({{figure}}) FILTER (WHERE day >= :last AND day < :this) AS last,
        sum({{figure}}) FILTER (WHERE day >= :this) AS this,
        bool_or(day >= :this) AS is_this_year
    FROM earning_days
    WHERE account_id = ANY({_IDS}) AND day >= :before
    GROUP BY account_id
) s ON s.account_id = a.id
WHERE {_IS_PLAIN}
AND a.tier_override IS NULL AND a.tier_grace_until IS NULL
AND a.tier_reviewed_at IS NOT NULL
AND (a.tier_changed_at IS NULL OR a.tier_changed_at <= :this_began)
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9
"""  # noqa: S608

MOMENTS = f"""
SELECT DISTINCT expires_at FROM lots
WHERE account_id = ANY({_IDS}) AND remaining > 0 AND expires_at <= :now
"""  # noqa: S608

TIER = """
    tier = v.tier, tier_before = v.tier_before, tier_kept = v.tier_kept,
    tier_reviewed_at = v.reviewed_at, tier_grace_until = v.grace_until,
    tier_override = v.override, tier_override_until = v.override_until,
    tier_review_at = v.review_at,
    tier_changed_at = coalesce(v.tier_changed_at, a.tier_changed_at),
"""
TIER_CHANGES = """
told AS (
    INSERT INTO tier_changes (programme_id, id, account_id, from_tier, to_tier, reason, counted,
        effective_from, recorded_at, actor_kind)
    SELECT :programme, gen_random_uuid(), t.account_id, t.from_tier, t.to_tier, t.reason, t.counted,
        t.effective_from, :now, 'system'
    FROM json_to_recordset(CAST(:changes AS json)) AS t(account_id uuid, from_tier text,
        to_tier text, reason text, counted bigint, effective_from timestamptz)
),
"""
WRITE = f"""
WITH mine AS MATERIALIZED (
    SELECT id, number FROM unnest({_IDS}, CAST(string_to_array(:numbers, ',') AS bigint[]))
        AS m(id, number)
),
due AS MATERIALIZED (
    SELECT l.sequence, l.id, l.account_id, l.remaining AS points, l.expires_at
    FROM mine JOIN lots l ON l.account_id = mine.id
    WHERE l.remaining > 0 AND l.expires_at <= :now AND l.programme_id = :programme
),
moments AS MATERIALIZED (
    SELECT account_id, expires_at, sum(points) AS points, {{new_id}} AS id
    FROM due GROUP BY account_id, expires_at
),
days AS (
    SELECT moment, day
    FROM unnest(CAST(:moments AS timestamptz[]), CAST(:days AS date[])) AS d(moment, day)
),
entered AS (
    INSERT INTO entries (programme_id, id, account_id, kind, points, occurred_at, recorded_at, day,
        counted_points, counted_minor, late, actor_kind, whole_reversal)
    SELECT :programme, m.id, m.account_id, 'expiry', -m.points, m.expires_at, :now, days.day,
        0, 0, false, 'system', false
    FROM moments m JOIN days ON days.moment = m.expires_at
    ORDER BY m.account_id, m.expires_at
),
drawn AS (
    INSERT INTO draws (programme_id, entry_id, account_id, lot_id, points, recorded_at)
    SELECT :programme, m.id, due.account_id, due.id, due.points, :now
    FROM due JOIN moments m ON m.account_id = due.account_id AND m.expires_at = due.expires_at
    ORDER BY due.account_id, due.expires_at, due.sequence
),
emptied AS (
    UPDATE lots SET remaining = 0 FROM due WHERE lots.sequence = due.sequence
),
{{tier_changes}}
totals AS (SELECT account_id, sum(points) AS points FROM due GROUP BY account_id),
verdicts AS (
    SELECT * FROM json_to_recordset(CAST(:states AS json)) AS v(number bigint, is_moved boolean,
        tier text, tier_before text, tier_kept text, reviewed_at timestamptz,
        grace_until timestamptz, override text, override_until timestamptz,
        review_at timestamptz, tier_changed_at timestamptz)
),
changed AS (
    UPDATE accounts a SET
        balance = a.balance - coalesce(totals.points, 0),
        version = a.version + 1,
        {{tier}}
        changed_at = greatest(:second, a.changed_at + interval '1 second')
    FROM mine JOIN verdicts v ON v.number = mine.number
    LEFT JOIN totals ON totals.account_id = mine.id
    WHERE a.id = mine.id AND (totals.points IS NOT NULL OR v.is_moved)
    RETURNING a.id
)
SELECT (SELECT count(*) FROM changed), (SELECT count(*) FROM due)
"""  # noqa: S608
