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

-- Jumps from instrument to instrument along the primary key instead of reading the table.
CREATE VIEW last_prices AS
WITH RECURSIVE instruments AS (
    (SELECT inst_id FROM trades ORDER BY inst_id LIMIT 1)
    UNION ALL
    SELECT (SELECT t.inst_id FROM trades t WHERE t.inst_id > i.inst_id ORDER BY t.inst_id LIMIT 1)
    FROM instruments i
    WHERE i.inst_id IS NOT NULL
)
SELECT i.inst_id, newest.px, newest.sz, newest.side, newest.ts, newest.trade_id
FROM instruments i CROSS JOIN LATERAL (
    SELECT px, sz, side, ts, trade_id
    FROM trades t
    WHERE t.inst_id = i.inst_id
    ORDER BY t.trade_id DESC
    LIMIT 1
) newest;

COMMENT ON VIEW last_prices IS 'The newest trade of each instrument';
COMMENT ON COLUMN last_prices.inst_id IS 'Instrument';
COMMENT ON COLUMN last_prices.px IS 'Its price';
COMMENT ON COLUMN last_prices.sz IS 'Its size';
COMMENT ON COLUMN last_prices.side IS 'Side of its taker';
COMMENT ON COLUMN last_prices.ts IS 'When it was executed';
COMMENT ON COLUMN last_prices.trade_id IS 'Its id';

-- Ids ascend with time, so halving the range of ids finds the trade with some 20 look-ups in the
-- primary key; there is no index by time that would have to be paid for on every insertion. The
-- bound is a month's beginning, so that it leaves out partitions and never single rows.
CREATE FUNCTION price_at(instrument text, at timestamptz) RETURNS numeric
    LANGUAGE plpgsql STABLE AS $$
DECLARE
    oldest timestamptz := date_trunc('month', at - interval '1 month', 'UTC');
    low bigint;
    high bigint;
    probe bigint;
    found_id bigint;
    found_ts timestamptz;
    price numeric;
BEGIN
    SELECT trade_id, ts INTO low, found_ts FROM trades
    WHERE inst_id = instrument AND ts >= oldest ORDER BY trade_id LIMIT 1;
    IF low IS NULL OR found_ts > at THEN
        RETURN NULL;
    END IF;
    SELECT trade_id, ts INTO high, found_ts FROM trades
    WHERE inst_id = instrument AND ts >= oldest ORDER BY trade_id DESC LIMIT 1;
    IF found_ts <= at THEN
        low := high;
    END IF;
    -- low is a trade at or before the time, high a trade behind it, until nothing is between them.
    WHILE low < high LOOP
        probe := low + (high - low) / 2;
        SELECT trade_id, ts INTO found_id, found_ts FROM trades
        WHERE inst_id = instrument AND trade_id > probe AND ts >= oldest
        ORDER BY trade_id LIMIT 1;
        IF found_ts <= at THEN
            low := found_id;
            CONTINUE;
        END IF;
        SELECT trade_id, ts INTO found_id, found_ts FROM trades
        WHERE inst_id = instrument AND trade_id <= probe AND ts >= oldest
        ORDER BY trade_id DESC LIMIT 1;
        IF found_ts <= at THEN
            low := found_id;
            EXIT;
        END IF;
        high := found_id;
    END LOOP;
    SELECT px INTO price FROM trades
    WHERE inst_id = instrument AND trade_id = low AND ts >= oldest AND ts <= at
    ORDER BY ts DESC LIMIT 1;
    RETURN price;
END
$$;
COMMENT ON FUNCTION price_at(text, timestamptz) IS 'Price of the last trade of the instrument at that time; NULL if it had none in that month or the one before';

CREATE VIEW price_changes AS
SELECT p.inst_id, p.px, p.ts,
       p.px - h.px AS change_1h, round(100 * (p.px - h.px) / nullif(h.px, 0), 4) AS percent_1h,
       p.px - d.px AS change_24h, round(100 * (p.px - d.px) / nullif(d.px, 0), 4) AS percent_24h,
       p.px - w.px AS change_7d, round(100 * (p.px - w.px) / nullif(w.px, 0), 4) AS percent_7d
FROM last_prices p
CROSS JOIN LATERAL price_at(p.inst_id, now() - interval '1 hour') h(px)
CROSS JOIN LATERAL price_at(p.inst_id, now() - interval '24 hours') d(px)
CROSS JOIN LATERAL price_at(p.inst_id, now() - interval '7 days') w(px);

COMMENT ON VIEW price_changes IS 'The newest price of each instrument and how far it moved in 1 hour, 24 hours and 7 days; NULL where price_at knows none';
COMMENT ON COLUMN price_changes.inst_id IS 'Instrument';
COMMENT ON COLUMN price_changes.px IS 'Price of its newest trade';
COMMENT ON COLUMN price_changes.ts IS 'When that trade was executed';
COMMENT ON COLUMN price_changes.change_1h IS 'Change since an hour ago, quote currency';
COMMENT ON COLUMN price_changes.percent_1h IS 'The same in percent, 4 decimals';
COMMENT ON COLUMN price_changes.change_24h IS 'Change since 24 hours ago, quote currency';
COMMENT ON COLUMN price_changes.percent_24h IS 'The same in percent, 4 decimals';
COMMENT ON COLUMN price_changes.change_7d IS 'Change since 7 days ago, quote currency';
COMMENT ON COLUMN price_changes.percent_7d IS 'The same in percent, 4 decimals';

-- The minute is the expression of trades_time_idx, so a condition on ts reads only that time.
CREATE VIEW candles_from_trades AS
SELECT inst_id, '1m'::text AS bar,
       date_bin('1 minute', ts, TIMESTAMPTZ '2000-01-01 00:00:00+00') AS ts,
       (array_agg(px ORDER BY trade_id))[1] AS open, max(px) AS high, min(px) AS low,
       (array_agg(px ORDER BY trade_id DESC))[1] AS close,
       sum(sz) AS vol, sum(px * sz) AS vol_ccy, sum(coalesce(count, 1))::bigint AS trades
FROM trades
GROUP BY inst_id, date_bin('1 minute', ts, TIMESTAMPTZ '2000-01-01 00:00:00+00');

COMMENT ON VIEW candles_from_trades IS 'Candles of one minute built from trades; name the time wanted: WHERE inst_id = ''BTC-USDT'' AND ts >= now() - interval ''1 hour''';
COMMENT ON COLUMN candles_from_trades.inst_id IS 'Instrument';
COMMENT ON COLUMN candles_from_trades.bar IS 'Bar size: 1m';
COMMENT ON COLUMN candles_from_trades.ts IS 'When the minute began; minutes without a trade have no row';
COMMENT ON COLUMN candles_from_trades.open IS 'Price of the first trade, by trade id';
COMMENT ON COLUMN candles_from_trades.high IS 'Highest price';
COMMENT ON COLUMN candles_from_trades.low IS 'Lowest price';
COMMENT ON COLUMN candles_from_trades.close IS 'Price of the last trade, by trade id';
COMMENT ON COLUMN candles_from_trades.vol IS 'Volume in the unit of trades.sz';
COMMENT ON COLUMN candles_from_trades.vol_ccy IS 'Sum of price times size: the quote currency for SPOT';
COMMENT ON COLUMN candles_from_trades.trades IS 'Number of trades';
