ALTER TABLE IF EXISTS go_candles RENAME TO candles;
ALTER INDEX IF EXISTS go_candles_pkey RENAME TO candles_pkey;
ALTER TABLE IF EXISTS go_currencies RENAME TO currencies;
ALTER INDEX IF EXISTS go_currencies_pkey RENAME TO currencies_pkey;
