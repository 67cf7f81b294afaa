// DuckDB gets the same row ids out of rb_to_array(), as a list, as bitmap() gives.
// usage: duckdb.js EXTENSION LOG
const assert = require("assert");
const Database = require("better-sqlite3");
const { DuckDBInstance } = require("@duckdb/node-api");

(async () => {
  const [extension, log] = process.argv.slice(2);
  const db = new Database(log);
  db.loadExtension(extension);
  const duckdb = await (await DuckDBInstance.create(":memory:")).connect();
  let rows = 0;
  for (const expression of ["smb", "smb and not rfc1918", "not ipv4", "tcp or udp"]) {
    const text = db.prepare("SELECT rb_to_array(bitmap_blob(?))").pluck().get(expression);
    const expected = db.prepare("SELECT value FROM bitmap(?)").pluck().all(expression);
    const reader = await duckdb.runAndReadAll(
      "SELECT unnest(CAST($1 AS JSON)::BIGINT[])::INTEGER AS value ORDER BY 1", [text]);
    assert.deepStrictEqual(reader.getRows().map((row) => row[0]), expected, expression);
    rows += expected.length;
  }
  assert.ok(rows > 10000);
  console.log(`${rows} row ids: the same`);
})().catch((error) => {
  console.error(error);
  process.exit(1);
});
