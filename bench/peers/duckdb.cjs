// usage: duckdb.cjs load|ask DATABASE NATIVE.csv QUESTIONS.json
const fs = require("fs");
const { DuckDBInstance } = require("@duckdb/node-api");

async function main() {
  const [action, path, csv, questions] = process.argv.slice(2);
  const connection = await (await DuckDBInstance.create(path)).connect();
  const first = async (sql) => (await (await connection.runAndReadAll(sql)).getRows())[0];
  if (action === "load") {
    await connection.run(`CREATE TABLE rows AS SELECT id::BIGINT AS id, version::UTINYINT AS version,
      protocol::UTINYINT AS protocol, source::UINTEGER AS source, destination::UINTEGER AS destination,
      source_port::USMALLINT AS source_port, destination_port::USMALLINT AS destination_port
      FROM read_csv('${csv}') ORDER BY protocol, destination_port, source`);
    await connection.run("CHECKPOINT");
    console.log("{}");
    return;
  }
  const asked = JSON.parse(fs.readFileSync(questions));
  const answers = {};
  await first("SELECT sum(source_port), sum(destination_port), sum(protocol), sum(version), sum(source), sum(destination) FROM rows");
  for (const [name, sql] of asked) {
    const start = process.hrtime.bigint();
    const [count] = await first(`SELECT count(*) FROM rows WHERE ${sql}`);
    answers[name] = [Number(count), Number(process.hrtime.bigint() - start) / 1e9];
  }
  const start = process.hrtime.bigint();
  await first("SELECT " + asked.map(([, sql]) => `count(*) FILTER (${sql})`).join(", ") + " FROM rows");
  answers.together = [0, Number(process.hrtime.bigint() - start) / 1e9];
  console.log(JSON.stringify(answers));
}
main();
