-- Copies what the Go program had stored, value for value: its prices and volumes are integers of 10^-8. It kept neither when
-- it had received a row (received_at is 1970-01-01 here) nor whether a bar was over (confirm is false), so whatever OKX
-- answers from now on replaces these rows. go_candles and go_currencies stay until somebody drops them.
DO $$
BEGIN
    IF to_regclass(format('%I.go_candles', current_schema())) IS NOT NULL THEN
        INSERT INTO candles (inst_id, bar, ts, open, high, low, close, vol, confirm, origin, received_at)
        SELECT pair, bar, "timestamp", trim_scale(open_price * 0.00000001), trim_scale(high_price * 0.00000001),
               trim_scale(low_price * 0.00000001), trim_scale(close_price * 0.00000001), trim_scale(volume * 0.00000001),
               false, 'rest', to_timestamp(0)
        FROM go_candles
        ON CONFLICT DO NOTHING;
    END IF;
    IF to_regclass(format('%I.go_currencies', current_schema())) IS NOT NULL THEN
        INSERT INTO currencies (ccy, chain, can_dep, can_wd, snapshot_at, snapshot_rows, received_at)
        SELECT code, chain, can_deposit, can_withdraw, to_timestamp(0), 0, to_timestamp(0)
        FROM go_currencies
        ON CONFLICT DO NOTHING;
    END IF;
END
$$;
