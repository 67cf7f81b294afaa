// What a question costs over the bitmaps of a fleet of 10^9 rows: sensors of a million rows each are generated,
// indexed and exported; their bitmaps are loaded into ClickHouse's engine (chDB), under as many names as make the
// fleet (the same bitmaps again: that part is made up), and expressions are asked as connbits-query --fleet has them.
//   NODE_PATH=CLIENTS/node_modules node bench/fleet.cjs BUILD [SENSORS [MADE [THREADS]]]
// CLIENTS/node_modules has chdb; SENSORS (1000) is how many there are, MADE (10) of them really.
const { execFileSync } = require("child_process");
const fs = require("fs");
const os = require("os");
const path = require("path");
const { Session } = require("chdb");

const root = path.join(__dirname, "..");
const build = path.resolve(process.argv[2]);
const sensors = Number(process.argv[3] || 1000);
const made = Number(process.argv[4] || 10);
const threads = Number(process.argv[5] || 2);
const expressions = ["smb", "smb and not rfc1918", "(telnet or ssh) and not rfc1918-source", "not (tcp or udp)", "@all",
  "mirai-telnet or smb or rdp or ssh or vnc or ftp"];
const folder = fs.mkdtempSync(path.join(os.tmpdir(), "connbits-fleet-"));
const seconds = (since) => Number(process.hrtime.bigint() - since) / 1e9;
const median = (numbers) => numbers.sort((a, b) => a - b)[numbers.length >> 1];

process.on("exit", () => fs.rmSync(folder, { recursive: true, force: true }));
const session = new Session(path.join(folder, "clickhouse"));
for (const statement of fs.readFileSync(path.join(root, "data/fleet/schema.sql"), "utf8").replace(/^--.*$/gm, "").split(";\n"))
  if (statement.trim()) session.query(statement);

let bytes = 0;
let marks = 0;
let began = process.hrtime.bigint();
for (let i = 0; i < made; i++) {
  const log = path.join(folder, "log.sqlite");
  const out = path.join(folder, `s${i}`);
  fs.rmSync(log, { force: true });
  execFileSync(`${build}/connbits-generate`, ["--rows", "1000000", "--seed", String(i + 1), log]);
  execFileSync(`${build}/connbits-index`, [log, path.join(root, "data/filters.conf"), "--quiet"]);
  execFileSync(`${build}/connbits-query`, [log, "--export", out, "--sensor", `s${i}`]);
  for (const name of fs.readdirSync(out).filter((name) => name.includes("bitmaps"))) bytes += fs.statSync(`${out}/${name}`).size;
  marks += fs.statSync(fs.readdirSync(out).filter((name) => name.includes("watermark")).map((name) => `${out}/${name}`)[0]).size;
}
console.log(`made: ${made} sensors of a million rows, ${seconds(began).toFixed(1)} s; ` +
  `${Math.round(bytes / made)} bytes of bitmaps and ${Math.round(marks / made)} of watermark each`);

// Every sensor that was made stands for some.
const names = "s.2 AS sensor, table_name, generation, number";
const copies = `ARRAY JOIN arrayFilter(s -> s.1 = made, arrayMap(i -> (concat('s', toString(i % ${made})), ` +
  `concat('sensor', toString(i))), range(${sensors}))) AS s`;
began = process.hrtime.bigint();
session.query(`INSERT INTO connbits.bitmaps SELECT ${names}, chunk, filter, rows, digest, bitmap FROM
  (SELECT sensor AS made, * EXCEPT sensor FROM file('${folder}/s*/*.bitmaps.native.zst', Native)) ${copies}`);
session.query(`INSERT INTO connbits.watermarks (sensor, table_name, generation, number, series, exported_at, indexed_at,
  through, rows, filters, checks, lacking) SELECT ${names}, series, parseDateTimeBestEffort(exported_at),
  parseDateTimeBestEffort(indexed_at), parseDateTimeBestEffort(through), rows, filters, checks, lacking FROM
  (SELECT sensor AS made, * EXCEPT sensor FROM file('${folder}/s*/*.watermark.json', JSONEachRow, 'sensor String, table_name String, generation UInt64,
  number UInt64, series UInt64, exported_at String, indexed_at String, through String, rows UInt64,
  filters Map(String, UInt64), checks Map(String, UInt64), lacking Array(String)')) ${copies}`);
session.query(`INSERT INTO connbits.sensors (sensor) SELECT concat('sensor', toString(number)) FROM numbers(${sensors})`);
console.log(`loaded under ${sensors} names: ${seconds(began).toFixed(1)} s`);
session.query(`SET max_threads = ${threads}`);
session.query("OPTIMIZE TABLE connbits.bitmaps FINAL");
const [size] = JSON.parse(`[${session.query(`SELECT sum(rows), sum(bytes_on_disk) FROM system.parts WHERE table = 'bitmaps'
  AND active FORMAT JSONCompactEachRow`)}]`);
console.log(`bitmaps in ClickHouse: ${size[0]}, ${(size[1] / 1e6).toFixed(0)} MB`);

for (const expression of expressions) {
  const sql = execFileSync(`${build}/connbits-query`, ["--fleet", expression], { encoding: "utf8" });
  const times = [];
  let last;
  for (let i = 0; i < 10; i++) {
    began = process.hrtime.bigint();
    last = session.query(`${sql} FORMAT JSONCompactEachRow`);
    times.push(seconds(began) * 1000);
  }
  const [, , status, rows] = JSON.parse(last.trim().split("\n").pop());
  const first = times.shift();
  console.log(`${expression}: ${rows} rows, ${status}, ${median(times).toFixed(0)} ms (median of 9; the first before them ` +
    `${first.toFixed(0)})`);
}
