// ClickHouse's own engine beside rb_to_clickhouse() and rb_from_clickhouse(): states of random sets are the
// same bytes, each reads the other's, and what ClickHouse makes of two of ours is what connbits makes.
// usage: clickhouse.js EXTENSION FOLDER
const assert = require("assert");
const fs = require("fs");
const Database = require("better-sqlite3");
const { query } = require("chdb");

const db = new Database(":memory:");
const [extension, folder] = process.argv.slice(2);
db.loadExtension(extension);
const ask = (sql, ...values) => db.prepare(`SELECT ${sql}`).pluck().get(...values);
const clickhouse = (sql) => JSON.parse(`[${query(sql, "JSONCompactEachRow").trim().split("\n").join(",")}]`);

let seed = 20261128;
function below(limit) {
  seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
  return Math.floor((seed / 2 ** 32) * limit);
}

// Sparse and dense ones, runs, on both sides of 32 numbers, and numbers that need 64 bits.
function random_set(wide) {
  const numbers = new Set();
  for (let part = below(4); part >= 0; part--) {
    const start = BigInt(below(2 ** 31)) << BigInt(wide && below(2) ? below(32) : 0);
    const count = [1, 5, 33, 300, 9000][below(5)];
    const step = [1, 1, 2, 7, 70000][below(5)];
    for (let i = 0; i < count; i++) {
      const number = start + BigInt(i * step);
      if (wide || number < 2n ** 32n) numbers.add(number);
    }
  }
  return [...numbers].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
}

const sets = [[], [0n], [2n ** 32n - 1n]].map((numbers) => ({ wide: false, numbers }));
for (let n = 1; n < 40; n++) sets.push({ wide: n % 2 === 1, numbers: [...Array(n).keys()].map((i) => BigInt(i * 3)) });
for (let i = 0; i < 160; i++) sets.push({ wide: i % 2 === 1, numbers: random_set(i % 2 === 1) });

const states = [];
for (const set of sets) {
  const blob = ask("rb_build(?)", `[${set.numbers}]`);
  const state = ask("rb_to_clickhouse(?, ?)", blob, set.wide ? 64n : 32n);
  states.push({ blob, state, ...set });
  assert.deepStrictEqual(ask("rb_from_clickhouse(?)", state), blob);
}

// Files as they would be shipped: our bytes as the values of a column, between others.
function rows_ask(name, type, columns, rows, select) {
  const file = `${folder}/${name}-${type}.bin`;
  fs.writeFileSync(file, Buffer.concat(rows.flat()));
  return clickhouse(`SELECT ${select} FROM file('${file}', RowBinary, '${columns}') SETTINGS max_threads = 1`);
}
function number_bytes(number, width) {
  const bytes = Buffer.alloc(width);
  if (width === 8) bytes.writeBigUInt64LE(number);
  else bytes.writeUInt32LE(Number(number));
  return bytes;
}
function array_bytes(numbers, width) {
  const head = [];
  let count = numbers.length;
  for (; count > 127; count >>= 7) head.push(0x80 | (count & 0x7f));
  return Buffer.concat([Buffer.from([...head, count]), ...numbers.map((n) => number_bytes(n, width))]);
}

let bytes = 0;
for (const wide of [false, true]) {
  const type = wide ? "UInt64" : "UInt32";
  const state_type = `AggregateFunction(groupBitmap, ${type})`;
  const mine = states.filter((s) => s.wide === wide);
  const read = rows_ask("sets", type, `numbers Array(${type}), state ${state_type}`,
    mine.map((s) => [array_bytes(s.numbers, wide ? 8 : 4), s.state]),
    `hex(arrayReduce('groupBitmapState', numbers)), hex(state), toUInt32(bitmapCardinality(state)),
     arraySort(bitmapToArray(state)) = numbers`);
  assert.strictEqual(read.length, mine.length);
  mine.forEach((s, i) => {
    const hex = s.state.toString("hex").toUpperCase();
    assert.deepStrictEqual(read[i], [hex, hex, s.numbers.length, 1], `${type} of ${s.numbers.length} numbers`);
    bytes += s.state.length;
  });
  const pairs = [...Array(100)].map(() => [mine[below(mine.length)], mine[below(mine.length)]]);
  const made = rows_ask("pairs", type, `a ${state_type}, b ${state_type}`, pairs.map(([a, b]) => [a.state, b.state]),
    "hex(bitmapAnd(a, b)), hex(bitmapOr(a, b)), hex(bitmapXor(a, b)), hex(bitmapAndnot(a, b))");
  assert.strictEqual(made.length, pairs.length);
  pairs.forEach(([a, b], i) => ["rb_and", "rb_or", "rb_xor", "rb_andnot"].forEach((name, j) =>
    assert.deepStrictEqual(ask("rb_from_clickhouse(?)", Buffer.from(made[i][j], "hex")),
      ask(`${name}(?, ?)`, a.blob, b.blob), name)));
}

// Numbers in no order, as the engine leaves a small set, and those past 2^63, which SQLite has below zero.
const [[unsorted, high]] = clickhouse(`SELECT hex(arrayReduce('groupBitmapState', CAST([9, 2, 5] AS Array(UInt32)))),
  hex(arrayReduce('groupBitmapState', [toUInt64(18446744073709551615), toUInt64(1)]))`);
assert.strictEqual(ask("rb_to_array(rb_from_clickhouse(?))", Buffer.from(unsorted, "hex")), "[2,5,9]");
assert.strictEqual(ask("rb_to_array(rb_from_clickhouse(?))", Buffer.from(high, "hex")), "[-1,1]");
assert.strictEqual(ask("hex(rb_to_clickhouse(rb_build(-1, 1), 64))"), "0002FFFFFFFFFFFFFFFF0100000000000000");
console.log(`${states.length} states, ${bytes} bytes: the same`);
