-- The view with one more column, behind the others: why a hole stays.
-- Each command's range less the trades that are there, and less the ranges that earlier rows of the
-- same instrument already account for, so that no missing id is listed twice.
CREATE OR REPLACE VIEW trade_gaps AS
WITH asked AS (
    SELECT id, inst_id, reason, created_at, error, int8range(from_id, to_id, '[]') AS ids,
           CASE WHEN status = 'requested' OR retriable THEN 'open' ELSE 'unfillable' END AS state
    FROM fetches
    WHERE kind = 'trades' AND status IN ('requested', 'failed', 'skipped')
    UNION ALL
    SELECT f.id, f.inst_id, f.reason, f.created_at, f.error,
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
       upper(hole) - lower(hole) AS trades, state, reason, id AS command_id, created_at AS since,
       error
FROM missing CROSS JOIN unnest(holes) hole;

COMMENT ON COLUMN trade_gaps.error IS 'Why OKX cannot fill it, or why the last try failed; NULL while its repair is under way';
COMMENT ON COLUMN fetches.error IS 'Why it failed, was skipped or stays incomplete; NULL if it did not';
