"use strict";
const fs = require("fs");
const path = require("path");

function getLoadablePath() {
  const platform = `${process.platform}-${process.arch}`;
  const file = path.join(__dirname, "lib", platform, "connbits.so");
  if (!fs.existsSync(file)) {
    const lib = path.join(__dirname, "lib");
    const there = fs.existsSync(lib) ? fs.readdirSync(lib).join(", ") : "none";
    throw new Error(`connbits has no extension for ${platform} in this package, only for ${there}; ` +
      "build one for it with: sh data/npm.sh OUT");
  }
  return file;
}

function load(database) {
  database.loadExtension(getLoadablePath());
}

module.exports = { getLoadablePath, load };
