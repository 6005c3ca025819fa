DROP VIEW candles_from_trades;
DROP VIEW price_changes;
DROP FUNCTION price_at(text, timestamptz);
DROP VIEW last_prices;
DROP VIEW trade_gaps;
