-- Renames the tables of the Go program, whose names ours take: candles to go_candles, currencies to go_currencies.
-- copy_go_tables copies their rows once ours are there. Does nothing on a database that the Go program did not make.
DO $$
DECLARE
    schema text := current_schema();
    expected record;
    missing text;
BEGIN
    FOR expected IN SELECT * FROM (VALUES
        ('candles', '{pair,timestamp,bar}'::text[], '{open_price,high_price,low_price,close_price,volume}'::text[]),
        ('currencies', '{code,chain,can_deposit,can_withdraw}', '{}')) AS t (name, columns, bigints)
    LOOP
        CONTINUE WHEN to_regclass(format('%I.%I', schema, expected.name)) IS NULL;
        SELECT string_agg(column_name, ', ') INTO missing
        FROM unnest(expected.columns || expected.bigints) AS column_name
        WHERE NOT EXISTS (
            SELECT FROM pg_attribute a
            WHERE a.attrelid = to_regclass(format('%I.%I', schema, expected.name)) AND a.attname = column_name
              AND NOT a.attisdropped AND (a.atttypid = 'bigint'::regtype OR column_name <> ALL (expected.bigints)));
        IF missing IS NOT NULL THEN
            RAISE EXCEPTION 'table %.% is in the way, and is not the Go program''s: no column % of its type; rename the table',
                schema, expected.name, missing;
        END IF;
        EXECUTE format('ALTER TABLE %I.%I RENAME TO %I', schema, expected.name, 'go_' || expected.name);
        EXECUTE format('ALTER INDEX IF EXISTS %I.%I RENAME TO %I', schema, expected.name || '_pkey',
                       'go_' || expected.name || '_pkey');
    END LOOP;
END
$$;
