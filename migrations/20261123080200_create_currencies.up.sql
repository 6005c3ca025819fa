CREATE TABLE currencies (
    ccy                      text        NOT NULL,
    chain                    text        NOT NULL,
    name                     text,
    logo_link                text,
    ct_addr                  text,
    can_dep                  boolean,
    can_wd                   boolean,
    can_internal             boolean,
    dep_est_open_time        timestamptz,
    wd_est_open_time         timestamptz,
    min_dep                  numeric,
    min_wd                   numeric,
    min_internal             numeric,
    max_wd                   numeric,
    wd_tick_sz               numeric,
    wd_quota                 numeric,
    used_wd_quota            numeric,
    fee                      numeric,
    min_fee                  numeric,
    max_fee                  numeric,
    min_fee_for_ct_addr      numeric,
    max_fee_for_ct_addr      numeric,
    burning_fee_rate         numeric,
    main_net                 boolean,
    need_tag                 boolean,
    min_dep_arrival_confirm  bigint,
    min_wd_unlock_confirm    bigint,
    dep_quota_fixed          numeric,
    used_dep_quota_fixed     numeric,
    dep_quote_daily_layer2   numeric,
    snapshot_at              timestamptz NOT NULL,
    snapshot_rows            bigint      NOT NULL,
    received_at              timestamptz NOT NULL,
    delisted_at              timestamptz,
    extra                    jsonb,
    PRIMARY KEY (ccy, chain)
);

COMMENT ON TABLE currencies IS 'The last known state of each currency on each of its chains, as OKX''s asset/currencies states it';
COMMENT ON COLUMN currencies.ccy IS 'Currency: BTC';
COMMENT ON COLUMN currencies.chain IS 'Chain by OKX''s name: BTC-Bitcoin';
COMMENT ON COLUMN currencies.name IS 'Name of the currency';
COMMENT ON COLUMN currencies.logo_link IS 'URL of its logo';
COMMENT ON COLUMN currencies.ct_addr IS 'Contract address';
COMMENT ON COLUMN currencies.can_dep IS 'Whether deposits are open';
COMMENT ON COLUMN currencies.can_wd IS 'Whether withdrawals are open';
COMMENT ON COLUMN currencies.can_internal IS 'Whether internal transfers are open';
COMMENT ON COLUMN currencies.dep_est_open_time IS 'When deposits are expected to open; NULL if open or unknown';
COMMENT ON COLUMN currencies.wd_est_open_time IS 'When withdrawals are expected to open; NULL if open or unknown';
COMMENT ON COLUMN currencies.min_dep IS 'Least deposit';
COMMENT ON COLUMN currencies.min_wd IS 'Least withdrawal on the chain';
COMMENT ON COLUMN currencies.min_internal IS 'Least internal transfer';
COMMENT ON COLUMN currencies.max_wd IS 'Largest single withdrawal on the chain';
COMMENT ON COLUMN currencies.wd_tick_sz IS 'Withdrawal precision: number of decimals';
COMMENT ON COLUMN currencies.wd_quota IS 'Withdrawal limit of 24 hours, USD';
COMMENT ON COLUMN currencies.used_wd_quota IS 'Part of wd_quota already used, USD';
COMMENT ON COLUMN currencies.fee IS 'Withdrawal fee';
COMMENT ON COLUMN currencies.min_fee IS 'Least withdrawal fee (deprecated by OKX)';
COMMENT ON COLUMN currencies.max_fee IS 'Largest withdrawal fee (deprecated by OKX)';
COMMENT ON COLUMN currencies.min_fee_for_ct_addr IS 'Least fee to a contract address (deprecated by OKX)';
COMMENT ON COLUMN currencies.max_fee_for_ct_addr IS 'Largest fee to a contract address (deprecated by OKX)';
COMMENT ON COLUMN currencies.burning_fee_rate IS 'Burning fee rate: 0.05 is 5 %';
COMMENT ON COLUMN currencies.main_net IS 'Whether this is the currency''s main chain';
COMMENT ON COLUMN currencies.need_tag IS 'Whether a tag or memo is needed';
COMMENT ON COLUMN currencies.min_dep_arrival_confirm IS 'Confirmations until a deposit is credited';
COMMENT ON COLUMN currencies.min_wd_unlock_confirm IS 'Confirmations until a deposit may be withdrawn';
COMMENT ON COLUMN currencies.dep_quota_fixed IS 'Fixed deposit limit; NULL if none';
COMMENT ON COLUMN currencies.used_dep_quota_fixed IS 'Part of dep_quota_fixed already used';
COMMENT ON COLUMN currencies.dep_quote_daily_layer2 IS 'Daily deposit limit of layer 2';
COMMENT ON COLUMN currencies.snapshot_at IS 'The answer of OKX that this row was last part of';
COMMENT ON COLUMN currencies.snapshot_rows IS 'Rows of that answer';
COMMENT ON COLUMN currencies.received_at IS 'When an ingestor received it, to the microsecond';
COMMENT ON COLUMN currencies.delisted_at IS 'The first complete answer that no longer held this row; NULL while listed';
COMMENT ON COLUMN currencies.extra IS 'Members that OKX sent and that have no column, as text by name; NULL if none';
