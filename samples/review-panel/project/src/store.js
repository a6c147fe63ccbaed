"use strict";

const fs = require("node:fs");
const path = require("node:path");

const FOLDER = path.join(__dirname, "..", "notes");

function names() {
  return fs.readdirSync(FOLDER).sort().reverse();
}

function read(name) {
  return fs.readFileSync(path.join(FOLDER, name), "utf8");
}

module.exports = { names, read };
