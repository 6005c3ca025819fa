COMMENT ON FUNCTION create_trades_partition(date) IS 'Makes the partition of trades for the month of that day; false if it was there. Called by the persister, whose role owns trades';
ALTER FUNCTION create_trades_partition(date) SECURITY INVOKER RESET search_path;
ALTER FUNCTION drop_trades_partitions(timestamptz) SECURITY INVOKER RESET search_path;
GRANT EXECUTE ON FUNCTION create_trades_partition(date), drop_trades_partitions(timestamptz) TO PUBLIC;
