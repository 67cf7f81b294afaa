"use strict";
const fs = require("fs");
const path = require("path");

function getLoadablePath() {
  const platform = `${process.platform}-${process.arch}`;
  const file = path.join(__dirname, "lib", platform, "connbits.so");
  if (!fs.existsSync(file)) {
    const there = fs.readdirSync(path.join(__dirname, "lib")).join(", ");
    throw new Error(`connbits has no extension for ${platform} in this package, only for ${there}; ` +
      "build one for it with: sh data/npm.sh OUT");
  }
  return file;
}

function load(database) {
  database.loadExtension(getLoadablePath());
}

module.exports = { getLoadablePath, load };
