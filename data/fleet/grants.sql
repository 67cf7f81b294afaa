-- What accounts may, and no more: give each role to an account of its own.
--   GRANT connbits_load TO loader
-- load.py: READ ON FILE is FILE ON *.* before ClickHouse 25.7, and then it may write files, too.
CREATE ROLE IF NOT EXISTS connbits_load;
GRANT SELECT ON connbits.sensors TO connbits_load;
GRANT SELECT, INSERT ON connbits.loads TO connbits_load;
GRANT INSERT ON connbits.bitmaps TO connbits_load;
GRANT INSERT ON connbits.connections TO connbits_load;
-- For connbits.segments_come, by which an insert goes on to connbits.segments.
GRANT SELECT(sensor, table_name, generation, segment, number) ON connbits.connections TO connbits_load;
GRANT INSERT ON connbits.segments TO connbits_load;
GRANT INSERT ON connbits.watermarks TO connbits_load;
GRANT READ ON FILE TO connbits_load;
GRANT CREATE TEMPORARY TABLE ON *.* TO connbits_load;
-- Whoever asks for filters. The SQL of --fleet has settings of its own: readonly = 2, not 1.
CREATE ROLE IF NOT EXISTS connbits_ask SETTINGS readonly = 2;
GRANT SELECT ON connbits.sensors TO connbits_ask;
GRANT SELECT ON connbits.loads TO connbits_ask;
GRANT SELECT ON connbits.watermarks TO connbits_ask;
GRANT SELECT ON connbits.bitmaps TO connbits_ask;
GRANT SELECT ON connbits.current TO connbits_ask;
GRANT SELECT ON connbits.state TO connbits_ask;
GRANT SELECT ON connbits.different_filters TO connbits_ask;
-- Whoever sees the connections themselves, besides.
CREATE ROLE IF NOT EXISTS connbits_see;
GRANT SELECT ON connbits.connections TO connbits_see;
GRANT SELECT ON connbits.segments TO connbits_see;
GRANT SELECT ON connbits.connections_now TO connbits_see;
GRANT SELECT ON connbits.connections_state TO connbits_see;
-- retention.sql.
CREATE ROLE IF NOT EXISTS connbits_retain;
GRANT SELECT, ALTER DELETE ON connbits.* TO connbits_retain;
