-- What the persister's role needs, and no more. For psql, as the owner of the tables, after the migrations:
--   psql --set role=persister --file migrations/roles/writer.sql
-- The role must be there (CREATE ROLE persister LOGIN; \password persister). With --set retention=yes it may also drop
-- months of trades, which TRADES_RETENTION needs. Run again at any time: what it grants no longer is taken back.
\set ON_ERROR_STOP on
SELECT current_schema() AS schema, current_database() AS database \gset
BEGIN;
REVOKE ALL ON ALL TABLES IN SCHEMA :"schema" FROM :"role";
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA :"schema" FROM :"role";
REVOKE ALL ON SCHEMA :"schema" FROM :"role";
GRANT CONNECT, TEMPORARY ON DATABASE :"database" TO :"role"; -- rows are collected in temporary tables first
GRANT USAGE ON SCHEMA :"schema" TO :"role";
GRANT SELECT, INSERT ON trades TO :"role"; -- a trade never changes
GRANT SELECT, INSERT, UPDATE ON candles, currencies, fetches TO :"role";
GRANT SELECT ON schema_migrations, trade_gaps TO :"role";
GRANT EXECUTE ON FUNCTION create_trades_partition(date) TO :"role";
\if :{?retention}
GRANT EXECUTE ON FUNCTION drop_trades_partitions(timestamptz) TO :"role";
\endif
COMMIT;
