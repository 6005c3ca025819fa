DROP VIEW trade_gaps;

-- Each command's range less the trades that are there, and less the ranges that earlier rows of the
-- same instrument already account for, so that no missing id is listed twice.
CREATE VIEW trade_gaps AS
WITH asked AS (
    SELECT id, inst_id, reason, created_at, int8range(from_id, to_id, '[]') AS ids,
           CASE WHEN status = 'requested' OR retriable THEN 'open' ELSE 'unfillable' END AS state
    FROM fetches
    WHERE kind = 'trades' AND status IN ('requested', 'failed', 'skipped')
    UNION ALL
    SELECT f.id, f.inst_id, f.reason, f.created_at,
           int8range((hole ->> 'from')::bigint, (hole ->> 'to')::bigint, '[]'), 'unfillable'
    FROM fetches f CROSS JOIN jsonb_array_elements(f.missing) hole
    WHERE f.kind = 'trades' AND f.status = 'incomplete'
), missing AS (
    SELECT asked.*,
           int8multirange(asked.ids) - present.ids
               - coalesce(range_agg(asked.ids) OVER earlier, '{}') AS holes
    FROM asked CROSS JOIN LATERAL (
        SELECT coalesce(range_agg(int8range(trade_id - coalesce(count, 1) + 1, trade_id, '[]')),
                        '{}') AS ids
        FROM trades t
        WHERE t.inst_id = asked.inst_id
          AND t.trade_id >= lower(asked.ids) AND t.trade_id < upper(asked.ids)
    ) present
    WINDOW earlier AS (PARTITION BY asked.inst_id ORDER BY asked.state, asked.created_at, asked.id
                       ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
)
SELECT inst_id, lower(hole) AS from_id, upper(hole) - 1 AS to_id,
       upper(hole) - lower(hole) AS trades, state, reason, id AS command_id, created_at AS since
FROM missing CROSS JOIN unnest(holes) hole;

COMMENT ON VIEW trade_gaps IS 'Trade ids known to be missing, each once';
COMMENT ON COLUMN trade_gaps.inst_id IS 'Instrument';
COMMENT ON COLUMN trade_gaps.from_id IS 'First missing trade id';
COMMENT ON COLUMN trade_gaps.to_id IS 'Last missing trade id, inclusive';
COMMENT ON COLUMN trade_gaps.trades IS 'How many ids are missing';
COMMENT ON COLUMN trade_gaps.state IS 'open: its repair is asked for; unfillable: OKX no longer has these trades, or refuses them for good';
COMMENT ON COLUMN trade_gaps.reason IS 'Why the range was asked for: gap, schedule or backfill';
COMMENT ON COLUMN trade_gaps.command_id IS 'The command that asked for it: fetches.id';
COMMENT ON COLUMN trade_gaps.since IS 'When it was asked for';

COMMENT ON COLUMN fetches.error IS 'Why it failed or was skipped; NULL if it did not';
