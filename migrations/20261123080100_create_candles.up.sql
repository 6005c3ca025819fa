CREATE TABLE candles (
    inst_id       text        NOT NULL,
    bar           text        NOT NULL,
    ts            timestamptz NOT NULL,
    open          numeric     NOT NULL,
    high          numeric     NOT NULL,
    low           numeric     NOT NULL,
    close         numeric     NOT NULL,
    vol           numeric     NOT NULL,
    vol_ccy       numeric,
    vol_ccy_quote numeric,
    confirm       boolean     NOT NULL,
    origin        text        NOT NULL CHECK (origin IN ('stream', 'rest')),
    received_at   timestamptz NOT NULL,
    extra         jsonb,
    PRIMARY KEY (inst_id, bar, ts)
);

COMMENT ON TABLE candles IS 'One row per instrument, bar size and open time, as OKX states it; replaced only by a newer state of itself';
COMMENT ON COLUMN candles.inst_id IS 'Instrument, OKX''s instId: BTC-USDT';
COMMENT ON COLUMN candles.bar IS 'Bar size by OKX''s name: 1m minute, 1H, 1D, 1M month, 1Dutc';
COMMENT ON COLUMN candles.ts IS 'When the bar opened';
COMMENT ON COLUMN candles.open IS 'First price of the bar';
COMMENT ON COLUMN candles.high IS 'Highest price of the bar';
COMMENT ON COLUMN candles.low IS 'Lowest price of the bar';
COMMENT ON COLUMN candles.close IS 'Last price of the bar';
COMMENT ON COLUMN candles.vol IS 'Volume: base currency for SPOT, contracts for derivatives';
COMMENT ON COLUMN candles.vol_ccy IS 'OKX''s volCcy: quote currency for SPOT, base currency for derivatives';
COMMENT ON COLUMN candles.vol_ccy_quote IS 'OKX''s volCcyQuote: volume in the quote currency';
COMMENT ON COLUMN candles.confirm IS 'Whether the bar is over and final; a confirmed bar is never replaced by an unconfirmed one';
COMMENT ON COLUMN candles.origin IS 'How it reached us: stream or rest';
COMMENT ON COLUMN candles.received_at IS 'When an ingestor received this state of the bar, to the microsecond';
COMMENT ON COLUMN candles.extra IS 'Values that OKX sent and that have no column, as text by index; NULL if none';
