-- What OKX has replaced since is ours; the rest is in go_candles and go_currencies.
DELETE FROM candles WHERE received_at = to_timestamp(0);
DELETE FROM currencies WHERE received_at = to_timestamp(0);
