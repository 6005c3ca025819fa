CREATE TABLE trades (
    inst_id     text        NOT NULL,
    trade_id    bigint      NOT NULL,
    px          numeric     NOT NULL,
    sz          numeric     NOT NULL,
    side        text        NOT NULL CHECK (side IN ('buy', 'sell')),
    ts          timestamptz NOT NULL,
    count       bigint,
    source      text,
    seq_id      bigint,
    origin      text        NOT NULL CHECK (origin IN ('stream', 'rest')),
    received_at timestamptz NOT NULL,
    extra       jsonb,
    PRIMARY KEY (inst_id, trade_id, ts)
) PARTITION BY RANGE (ts);

-- Time ranges over all instruments, and the minutes of candles_from_trades. BRIN costs next to
-- nothing on insertion, and rows arrive in the order of time.
CREATE INDEX trades_time_idx ON trades
    USING brin (ts, (date_bin('1 minute', ts, TIMESTAMPTZ '2000-01-01 00:00:00+00')))
    WITH (pages_per_range = 32, autosummarize = on);

COMMENT ON TABLE trades IS 'One row per OKX trade (per aggregate of trades with the channel "trades"); a partition per month of ts, UTC';
COMMENT ON COLUMN trades.inst_id IS 'Instrument, OKX''s instId: BTC-USDT';
COMMENT ON COLUMN trades.trade_id IS 'OKX''s tradeId, contiguous per instrument; the last of count ids in an aggregate';
COMMENT ON COLUMN trades.px IS 'Price in the quote currency, every digit as OKX sent it, without trailing zeros';
COMMENT ON COLUMN trades.sz IS 'Size: base currency for SPOT, contracts for derivatives';
COMMENT ON COLUMN trades.side IS 'Side of the taker: buy or sell';
COMMENT ON COLUMN trades.ts IS 'When OKX executed the trade, to the millisecond';
COMMENT ON COLUMN trades.count IS 'Trades in an aggregate; NULL for a single trade';
COMMENT ON COLUMN trades.source IS 'OKX''s source of the order: 0 normal, 1 enhanced liquidity programme; NULL if not sent';
COMMENT ON COLUMN trades.seq_id IS 'OKX''s sequence id of the push; NULL if not sent';
COMMENT ON COLUMN trades.origin IS 'How it reached us: stream (WebSocket) or rest (repair)';
COMMENT ON COLUMN trades.received_at IS 'When an ingestor received it, to the microsecond';
COMMENT ON COLUMN trades.extra IS 'Members that OKX sent and that have no column, as text by name; NULL if none';

-- Built aside and attached: attaching locks out neither readers nor writers of trades, while
-- CREATE TABLE ... PARTITION OF would.
CREATE FUNCTION create_trades_partition(month date) RETURNS boolean
    LANGUAGE plpgsql AS $$
DECLARE
    first_day date := date_trunc('month', month::timestamp)::date;
    next_month date := (first_day + interval '1 month')::date;
    name text := 'trades_' || to_char(first_day, 'YYYY_MM');
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('trades_partitions'), 'trades'::regclass::oid::int);
    IF EXISTS (SELECT FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
               WHERE i.inhparent = 'trades'::regclass AND c.relname = name) THEN
        RETURN false;
    END IF;
    EXECUTE format('CREATE TABLE %I (LIKE trades INCLUDING ALL)', name);
    EXECUTE format('ALTER TABLE trades ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
                   name, first_day || ' 00:00:00+00', next_month || ' 00:00:00+00');
    RETURN true;
END
$$;
COMMENT ON FUNCTION create_trades_partition(date) IS 'Makes the partition of trades for the month of that day; false if it was there. Called by the persister, whose role owns trades';

-- Waits two seconds at most for who reads trades, since everybody else waits behind it.
CREATE FUNCTION drop_trades_partitions(keep_from timestamptz) RETURNS SETOF text
    LANGUAGE plpgsql SET lock_timeout = '2s' AS $$
DECLARE
    name text;
    first_kept text := 'trades_' || to_char(keep_from AT TIME ZONE 'UTC', 'YYYY_MM');
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('trades_partitions'), 'trades'::regclass::oid::int);
    FOR name IN
        SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
        WHERE i.inhparent = 'trades'::regclass AND c.relname ~ '^trades_\d{4}_\d{2}$'
          AND c.relname::text COLLATE "C" < first_kept COLLATE "C"
        ORDER BY c.relname
    LOOP
        EXECUTE format('DROP TABLE %I', name);
        RETURN NEXT name;
    END LOOP;
END
$$;
COMMENT ON FUNCTION drop_trades_partitions(timestamptz) IS 'Drops the partitions of trades that lie wholly before that time and returns their names. Called by the persister when TRADES_RETENTION is set';
