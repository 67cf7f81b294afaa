// A reader that knows nothing of connbits: Roaring for Node gets the same row ids out of
// bitmap_blob() and out of the stored blobs, and connbits those that Roaring for Node writes.
// usage: blobs.js EXTENSION LOG
const assert = require("assert");
const Database = require("better-sqlite3");
const { RoaringBitmap32 } = require("roaring");

const [extension, log] = process.argv.slice(2);
const db = new Database(log);
db.loadExtension(extension);
const names = db.prepare("SELECT name FROM connbits_filter").pluck().all();
const ids = db.prepare("SELECT value FROM bitmap(?)").pluck();
const stored = db.prepare(`SELECT bitmap FROM connbits_bitmap JOIN connbits_filter ON id = filter
  WHERE name = ? ORDER BY chunk`).pluck();
let rows = 0;
for (const name of names) {
  const expected = ids.all(name);
  const blob = db.prepare("SELECT bitmap_blob(?)").pluck().get(name);
  const read = RoaringBitmap32.deserialize(blob, "portable");
  assert.deepStrictEqual(read.toArray(), expected, name);
  const chunks = stored.all(name).flatMap((b) => RoaringBitmap32.deserialize(b, "portable").toArray());
  assert.deepStrictEqual(chunks, expected, name + ", stored");
  for (const optimize of [false, true]) {
    const written = new RoaringBitmap32(expected);
    if (optimize) written.runOptimize();
    const same = db.prepare("SELECT rb_equals(?, ?)").pluck();
    assert.strictEqual(same.get(written.serialize("portable"), blob), 1, name + ", written");
  }
  rows += expected.length;
}
assert.ok(rows > 10000);
console.log(`${names.length} bitmaps, ${rows} row ids: the same`);
