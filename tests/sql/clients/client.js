// Node with better-sqlite3. usage: client.js EXTENSION LOG STATEMENTS
const fs = require("fs");
const Database = require("better-sqlite3");

const [extension, log, statements] = process.argv.slice(2);
const db = new Database(log);
db.loadExtension(extension);
for (const line of fs.readFileSync(statements, "utf8").split("\n").filter(Boolean)) {
  const statement = db.prepare(line);
  if (!statement.reader) {
    statement.run();
    continue;
  }
  for (const row of statement.raw().iterate())
    console.log(row.map((value) => (value === null ? "NULL" : value)).join("\t"));
}
