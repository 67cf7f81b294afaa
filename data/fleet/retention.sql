-- What no question asks for any more: earlier generations, tables that are gone, retired sensors, notes of
-- loads. For once a week. A generation goes only once a later one has its watermark: what is being loaded stays.
DELETE FROM connbits.bitmaps WHERE (sensor, table_name, generation) IN
    (SELECT sensor, table_name, generation FROM connbits.superseded);
DELETE FROM connbits.connections WHERE (sensor, table_name, generation) IN
    (SELECT sensor, table_name, generation FROM connbits.superseded);
DELETE FROM connbits.segments WHERE (sensor, table_name, generation) IN
    (SELECT sensor, table_name, generation FROM connbits.superseded);
DELETE FROM connbits.watermarks WHERE NOT gone AND (sensor, table_name, generation) IN
    (SELECT sensor, table_name, generation FROM connbits.superseded);
-- Of retired sensors the notes of loads go first: wherever this ends, one that comes back is loaded again, of what its
-- folder has.
DELETE FROM connbits.loads WHERE sensor IN (SELECT sensor FROM connbits.sensors FINAL WHERE retired);
DELETE FROM connbits.bitmaps WHERE sensor IN (SELECT sensor FROM connbits.sensors FINAL WHERE retired);
DELETE FROM connbits.connections WHERE sensor IN (SELECT sensor FROM connbits.sensors FINAL WHERE retired);
DELETE FROM connbits.segments WHERE sensor IN (SELECT sensor FROM connbits.sensors FINAL WHERE retired);
DELETE FROM connbits.watermarks WHERE sensor IN (SELECT sensor FROM connbits.sensors FINAL WHERE retired);
-- Connections that a later export of their segment has replaced, or left out.
DELETE FROM connbits.connections WHERE (sensor, table_name, generation, segment, number) NOT IN
    (SELECT sensor, table_name, generation, segment, number FROM connbits.segments FINAL)
    AND (sensor, table_name, generation, segment) IN (SELECT sensor, table_name, generation, segment FROM connbits.segments);
-- Notes of series that are over: files of an earlier series are not looked at.
DELETE FROM connbits.loads WHERE loaded_at < now() - INTERVAL 1 YEAR AND (sensor, series) NOT IN
    (SELECT sensor, max(series) FROM connbits.loads WHERE problem = '' GROUP BY sensor);
