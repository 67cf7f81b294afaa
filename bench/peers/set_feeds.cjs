// usage: set_feeds.cjs load|ask DATABASE NATIVE.csv FEEDS.json
// Feeds: {name: file}, each a CSV of first,last as numbers. Prints counts and seconds as JSON.
const fs = require("fs");
const { DuckDBInstance } = require("@duckdb/node-api");

async function main() {
  const [action, path, csv, list] = process.argv.slice(2);
  const connection = await (await DuckDBInstance.create(path)).connect();
  const all = async (sql) => (await connection.runAndReadAll(sql)).getRows();
  const feeds = JSON.parse(fs.readFileSync(list));
  if (action === "load") {
    await connection.run(`CREATE TABLE rows AS SELECT id::BIGINT AS id, version::UTINYINT AS version,
      source::UINTEGER AS source, destination_port::USMALLINT AS destination_port FROM read_csv('${csv}')`);
    for (const [name, file] of Object.entries(feeds))
      await connection.run(`CREATE TABLE ${name} AS SELECT first::UINTEGER AS first, last::UINTEGER AS last
        FROM read_csv('${file}', header = true) ORDER BY first`);
    await connection.run("CHECKPOINT");
    console.log("{}");
    return;
  }
  // Ranges that do not overlap: the last one that begins before an address is the only one that can have it.
  const rows = (name) => `SELECT id FROM rows ASOF JOIN ${name} ON rows.source >= ${name}.first
    WHERE version = 4 AND rows.source <= ${name}.last`;
  const questions = {
    net: "SELECT count(*) FROM rows WHERE version = 4 AND source BETWEEN 167772160 AND 184549375",
    one: `SELECT count(*) FROM (${rows("s0")})`,
    ten: `SELECT count(DISTINCT id) FROM (${Object.keys(feeds).map(rows).join(" UNION ALL ")})`,
    top: "SELECT source, count(*) AS n FROM rows WHERE version = 4 GROUP BY source ORDER BY n DESC, source LIMIT 10",
  };
  const answers = {};
  await all("SELECT sum(source), sum(id), sum(version) FROM rows");
  for (const [name, sql] of Object.entries(questions)) {
    const start = process.hrtime.bigint();
    const got = await all(sql);
    const seconds = Number(process.hrtime.bigint() - start) / 1e9;
    answers[name] = [name === "top" ? got.map(([value, n]) => [Number(value), Number(n)]) : Number(got[0][0]), seconds];
  }
  console.log(JSON.stringify(answers));
}
main();
