-- What a fleet of sensors has exported (connbits-query LOG --export FOLDER), for ClickHouse (tested with 26.7). Run it on
-- every shard; it leaves tables as they are, and makes views anew. No table drops a block since it had one like it
-- (deduplication windows of 0): a sensor that is taken in again, or loaded again, says what it has said. A sensor lies on one shard, whole: row ids are of one log, so that
-- bitmaps of two sensors are never merged, and an expression is evaluated per sensor, table and chunk.
CREATE DATABASE IF NOT EXISTS connbits;

-- Who there is: a sensor that is not here is not loaded, one that is here and has not exported is missing. To retire
-- one, insert it again with retired 1.
CREATE TABLE IF NOT EXISTS connbits.sensors
(
    sensor String,
    tolerance UInt32 DEFAULT 129600 COMMENT 'seconds that its data may be old: 36 hours for a nightly export',
    retired UInt8 DEFAULT 0,
    changed_at DateTime64(3, 'UTC') DEFAULT now64(3)
)
ENGINE = ReplacingMergeTree(changed_at)
ORDER BY sensor
SETTINGS replicated_deduplication_window = 0;

-- One row for each stored bitmap. A later export of the same one replaces it, also where it is loaded twice, or
-- before an earlier one. Questions name a few filters over all sensors: so the filter comes first in the order, and
-- granules are small. A bitmap holds the lower 32 bits of row ids; digest is the first 64 bits of its SHA-256.
CREATE TABLE IF NOT EXISTS connbits.bitmaps
(
    sensor LowCardinality(String),
    table_name LowCardinality(String),
    generation UInt64 COMMENT 'milliseconds since 1970 at which this build of the index was first exported',
    number UInt64 COMMENT 'of the export',
    chunk Int64 COMMENT 'rowid >> 20',
    filter LowCardinality(String),
    rows UInt64 COMMENT '0 where the bitmap is gone',
    digest UInt64,
    bitmap AggregateFunction(groupBitmap, UInt32)
)
ENGINE = ReplacingMergeTree(number)
ORDER BY (filter, sensor, table_name, generation, chunk)
SETTINGS index_granularity = 256, replicated_deduplication_window = 0;

-- How far each table of a sensor has come: what its bitmaps add up to, by filter. It is loaded behind all that it
-- belongs to.
CREATE TABLE IF NOT EXISTS connbits.watermarks
(
    sensor String,
    table_name String,
    generation UInt64,
    number UInt64,
    series UInt64 COMMENT 'milliseconds since 1970 at which the folder of exports was begun',
    exported_at DateTime('UTC') COMMENT 'by the clock of the sensor, as all times but loaded_at',
    indexed_at DateTime('UTC'),
    through DateTime('UTC') COMMENT 'all that the log had then is in',
    gone UInt8 COMMENT '1: the sensor has no such table any more',
    first_row Int64,
    last_row Int64,
    rows UInt64,
    headers UInt64,
    skipped UInt64,
    rows_behind UInt64 COMMENT 'rows of the log that were not indexed, 1000000 at the most',
    bitmaps UInt64,
    connections Nullable(UInt64) COMMENT 'rows of connbits.connections; NULL where they were not exported',
    filters Map(String, UInt64) COMMENT 'rows by filter',
    checks Map(String, UInt64) COMMENT 'the sum of the digests of its bitmaps, by filter',
    digests Map(String, String) COMMENT 'of what each filter asks for',
    lacking Array(String) COMMENT 'filters that lack rows, since a host name was not found',
    loaded_at DateTime('UTC') DEFAULT now()
)
ENGINE = ReplacingMergeTree(number)
ORDER BY (sensor, table_name, generation)
SETTINGS replicated_deduplication_window = 0;

-- The connections themselves, of sensors that export them (--columns-too). All rows of a segment come again when
-- anything in it changed.
CREATE TABLE IF NOT EXISTS connbits.connections
(
    sensor LowCardinality(String),
    table_name LowCardinality(String),
    generation UInt64,
    number UInt64,
    segment Int64 COMMENT 'rowid >> 16',
    rowid Int64 CODEC(Delta, ZSTD),
    time Nullable(DateTime64(6, 'UTC')) CODEC(ZSTD),
    protocol UInt8,
    source IPv6 COMMENT 'IPv4 as ::ffff:a.b.c.d',
    destination IPv6,
    source_port UInt16 COMMENT '0 where the protocol has none',
    destination_port UInt16,
    icmp_type Nullable(UInt8),
    icmp_code Nullable(UInt8),
    gone UInt8 COMMENT '1: the segment has no rows any more'
)
ENGINE = ReplacingMergeTree(number)
ORDER BY (sensor, table_name, generation, segment, rowid)
SETTINGS replicated_deduplication_window = 0;

-- The last export that each segment of connections came with.
CREATE TABLE IF NOT EXISTS connbits.segments
(
    sensor LowCardinality(String),
    table_name LowCardinality(String),
    generation UInt64,
    segment Int64,
    number UInt64
)
ENGINE = ReplacingMergeTree(number)
ORDER BY (sensor, table_name, generation, segment)
SETTINGS replicated_deduplication_window = 0;

CREATE MATERIALIZED VIEW IF NOT EXISTS connbits.segments_come TO connbits.segments AS
SELECT sensor, table_name, generation, segment, max(number) AS number
FROM connbits.connections
GROUP BY sensor, table_name, generation, segment;

-- Exports that were loaded, so that loading can be repeated, and those that were refused.
CREATE TABLE IF NOT EXISTS connbits.loads
(
    sensor String,
    series UInt64,
    number UInt64,
    problem String COMMENT 'empty: all of it was loaded',
    loaded_at DateTime64(3, 'UTC') DEFAULT now64(3)
)
ENGINE = ReplacingMergeTree(loaded_at)
ORDER BY (sensor, series, number)
SETTINGS replicated_deduplication_window = 0;

-- The last generation of each table that its sensor still has: one that a new series of exports does not have is gone.
CREATE OR REPLACE VIEW connbits.current AS
SELECT * EXCEPT last_series
FROM (
    SELECT *, max(series) OVER (PARTITION BY sensor) AS last_series
    FROM (SELECT * FROM connbits.watermarks FINAL ORDER BY generation DESC LIMIT 1 BY sensor, table_name))
WHERE NOT gone AND series = last_series;

-- Generations that are none of these, since a later one has a watermark, or the table is gone.
CREATE OR REPLACE VIEW connbits.superseded AS
SELECT sensor, table_name, generation
FROM connbits.watermarks FINAL
WHERE (sensor, table_name, generation) NOT IN (SELECT sensor, table_name, generation FROM connbits.current);

-- Each sensor, and each of its tables, with what can be said of it now: ok, behind or missing. A sensor's clock may be
-- wrong: nothing is through later than it was loaded.
CREATE OR REPLACE VIEW connbits.state AS
SELECT s.sensor AS sensor, w.table_name AS table_name, w.generation AS generation, w.number AS number,
    if(w.sensor = '', NULL, least(w.through, w.loaded_at)) AS through,
    w.filters AS filters, w.checks AS checks, w.digests AS digests, w.lacking AS lacking, w.rows_behind AS rows_behind,
    w.connections AS connections,
    multiIf(w.sensor = '', 'missing',
        w.rows_behind > 0 AND w.through > w.loaded_at OR l.problem != '' AND l.export > (w.series, w.number), 'behind',
        dateDiff('second', through, now('UTC')) > s.tolerance, 'behind', 'ok') AS status,
    multiIf(
        w.sensor = '' AND l.problem != '', concat('nothing could be loaded: ', l.problem),
        w.sensor = '', 'has exported nothing that was loaded',
        status = 'ok', '',
        l.problem != '', concat('an export could not be loaded: ', l.problem),
        w.rows_behind > 0, concat('its index is not brought up to date: ', toString(w.rows_behind), ' rows behind'),
        'no export since') AS why
FROM (SELECT sensor, tolerance FROM connbits.sensors FINAL WHERE NOT retired) AS s
LEFT JOIN connbits.current AS w ON w.sensor = s.sensor
LEFT JOIN (
    SELECT sensor, max((series, number)) AS export, argMax(problem, (series, number)) AS problem
    FROM connbits.loads FINAL GROUP BY sensor) AS l
    ON l.sensor = s.sensor;

-- Filters of one name that ask for different things on different sensors.
CREATE OR REPLACE VIEW connbits.different_filters AS
SELECT filter, uniqExact(digest) AS meanings, groupArray(10)(sensor) AS some_sensors
FROM (SELECT sensor, arrayJoin(digests) AS pair, pair.1 AS filter, pair.2 AS digest FROM connbits.current)
GROUP BY filter
HAVING meanings > 1;

-- The connections as they are now, of tables whose last export had them. A sensor that is missing is not in here: ask
-- connections_state beside it.
CREATE OR REPLACE VIEW connbits.connections_now AS
SELECT c.*
FROM connbits.connections AS c FINAL
WHERE (sensor, table_name, generation, segment, number) IN (
        SELECT s.sensor, s.table_name, s.generation, s.segment, s.number
        FROM connbits.segments AS s FINAL
        JOIN connbits.current AS w
            ON s.sensor = w.sensor AND s.table_name = w.table_name AND s.generation = w.generation
        WHERE w.connections IS NOT NULL AND s.number <= w.number)
    AND NOT gone;

-- Whether all of them are there, for each sensor and each of its tables.
CREATE OR REPLACE VIEW connbits.connections_state AS
SELECT w.sensor AS sensor, w.table_name AS table_name, w.connections AS exported, c.loaded AS loaded,
    if(w.status != 'missing' AND exported IS NOT NULL AND exported = loaded, w.status, 'missing') AS status,
    w.through AS through
FROM connbits.state AS w
LEFT JOIN (
    SELECT sensor, table_name, count() AS loaded FROM connbits.connections_now GROUP BY sensor, table_name) AS c
    ON c.sensor = w.sensor AND c.table_name = w.table_name;
