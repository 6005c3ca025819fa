DROP FUNCTION drop_trades_partitions(timestamptz);
DROP FUNCTION create_trades_partition(date);
DROP TABLE trades;
