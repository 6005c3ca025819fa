-- A role that may only write rows calls these two, and they act as the owner of trades. So they look nowhere but in the
-- schema that they stand in: what the caller calls trades or hashtext, a temporary table say, is not found. Who may call
-- them is granted by roles/writer.sql; the owner may as ever.
DO $$
DECLARE
    signature text;
BEGIN
    FOREACH signature IN ARRAY ARRAY['create_trades_partition(date)', 'drop_trades_partitions(timestamptz)'] LOOP
        EXECUTE format('ALTER FUNCTION %s SECURITY DEFINER SET search_path = %I, pg_temp', signature, current_schema());
        EXECUTE format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', signature);
    END LOOP;
END
$$;
COMMENT ON FUNCTION create_trades_partition(date) IS 'Makes the partition of trades for the month of that day; false if it was there. Called by the persister';
