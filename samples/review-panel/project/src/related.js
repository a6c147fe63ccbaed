"use strict";

const store = require("./store.js");

function words(text) {
  return text.toLowerCase().split(/\W+/).filter((word) => word.length > 3);
}

// Names of the notes that share a word with this one.
function relatedTo(name) {
  const own = words(store.read(name));
  return store.names().filter((other) => {
    const theirs = words(store.read(other));
    return other !== name && own.some((word) => theirs.includes(word));
  });
}

module.exports = { relatedTo };
