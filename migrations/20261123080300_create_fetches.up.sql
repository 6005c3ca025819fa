CREATE TABLE fetches (
    id          text        PRIMARY KEY,
    kind        text        NOT NULL CHECK (kind IN ('trades', 'candles', 'currencies')),
    inst_id     text,
    bar         text,
    from_id     bigint,
    to_id       bigint,
    from_ts     timestamptz,
    to_ts       timestamptz,
    reason      text        NOT NULL CHECK (reason IN ('schedule', 'backfill', 'gap')),
    status      text        NOT NULL
        CHECK (status IN ('requested', 'done', 'incomplete', 'failed', 'skipped')),
    attempt     bigint      NOT NULL,
    records     bigint,
    requests    bigint,
    missing     jsonb,
    retriable   boolean,
    error       text,
    created_at  timestamptz NOT NULL,
    finished_at timestamptz,
    CHECK (kind <> 'trades' OR (inst_id IS NOT NULL AND from_id <= to_id AND from_id IS NOT NULL
                                AND to_id < 9223372036854775807))
);

-- For trade_gaps; holes are few, finished commands many.
CREATE INDEX fetches_gaps_idx ON fetches (inst_id) WHERE kind = 'trades' AND status <> 'done';

COMMENT ON TABLE fetches IS 'What became of each command to fetch over REST: the ledger of what is covered';
COMMENT ON COLUMN fetches.id IS 'Id of the command; the same work has the same id, whoever asks';
COMMENT ON COLUMN fetches.kind IS 'What to fetch: trades, candles or currencies';
COMMENT ON COLUMN fetches.inst_id IS 'Instrument; NULL for currencies';
COMMENT ON COLUMN fetches.bar IS 'Bar size; candles only';
COMMENT ON COLUMN fetches.from_id IS 'First trade id wanted; trades only';
COMMENT ON COLUMN fetches.to_id IS 'Last trade id wanted, inclusive; trades only';
COMMENT ON COLUMN fetches.from_ts IS 'First open time wanted; candles only';
COMMENT ON COLUMN fetches.to_ts IS 'End of the open times wanted, exclusive; candles only';
COMMENT ON COLUMN fetches.reason IS 'Why it was asked: schedule, backfill or gap';
COMMENT ON COLUMN fetches.status IS 'requested; done: all published; incomplete: all that OKX has, see missing; failed: gave up, see error; skipped: not possible with these settings';
COMMENT ON COLUMN fetches.attempt IS 'How many times the command was asked: 1 for the first';
COMMENT ON COLUMN fetches.records IS 'Records published for it; NULL while requested';
COMMENT ON COLUMN fetches.requests IS 'REST requests that it took; NULL while requested';
COMMENT ON COLUMN fetches.missing IS 'What OKX does not have: [{"from": 1, "to": 2}], trade ids inclusive, or open times in Unix milliseconds with to exclusive; NULL if nothing';
COMMENT ON COLUMN fetches.retriable IS 'Whether a failed command will be asked again; NULL unless failed';
COMMENT ON COLUMN fetches.error IS 'Why it failed or was skipped; NULL if it did not';
COMMENT ON COLUMN fetches.created_at IS 'When this attempt was asked';
COMMENT ON COLUMN fetches.finished_at IS 'When this attempt ended; NULL while requested';
