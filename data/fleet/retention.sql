-- What no question asks for any more: earlier generations, retired sensors, tables that are gone, notes of loads older
-- than a year. For once a week; a mutation runs in the background.
DELETE FROM connbits.bitmaps WHERE (sensor, table_name, generation) NOT IN
    (SELECT sensor, table_name, generation FROM connbits.current WHERE sensor IN
        (SELECT sensor FROM connbits.sensors FINAL WHERE NOT retired));
DELETE FROM connbits.connections WHERE (sensor, table_name, generation) NOT IN
    (SELECT sensor, table_name, generation FROM connbits.current WHERE sensor IN
        (SELECT sensor FROM connbits.sensors FINAL WHERE NOT retired));
DELETE FROM connbits.watermarks WHERE sensor IN (SELECT sensor FROM connbits.sensors FINAL WHERE retired);
DELETE FROM connbits.loads WHERE loaded_at < now() - INTERVAL 1 YEAR;
