// usage: clickhouse.cjs load|ask FOLDER NATIVE.csv QUESTIONS.json
const fs = require("fs");
const { Session } = require("chdb");

const [action, folder, csv, questions] = process.argv.slice(2);
const session = new Session(folder);
if (action === "load") {
  session.query("CREATE DATABASE IF NOT EXISTS peer");
  session.query(`CREATE TABLE peer.rows (id Int64, version UInt8, protocol UInt8, source UInt32,
    destination UInt32, source_port UInt16, destination_port UInt16) ENGINE = MergeTree
    ORDER BY (protocol, destination_port, source)`);
  session.query(`INSERT INTO peer.rows SELECT * FROM file('${csv}', 'CSVWithNames')`);
  console.log("{}");
} else {
  const asked = JSON.parse(fs.readFileSync(questions));
  const answers = {};
  session.query(`SELECT sum(source_port + destination_port + protocol + version + source + destination)
    FROM peer.rows`, "CSV");
  for (const [name, sql] of asked) {
    const start = process.hrtime.bigint();
    const count = session.query(`SELECT count() FROM peer.rows WHERE ${sql}`, "CSV");
    answers[name] = [Number(count), Number(process.hrtime.bigint() - start) / 1e9];
  }
  const start = process.hrtime.bigint();
  session.query("SELECT " + asked.map(([, sql]) => `countIf(${sql})`).join(", ") + " FROM peer.rows", "CSV");
  answers.together = [0, Number(process.hrtime.bigint() - start) / 1e9];
  console.log(JSON.stringify(answers));
}
session.close();
