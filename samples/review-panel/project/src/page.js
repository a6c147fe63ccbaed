"use strict";

const PER_PAGE = 10;

// The items of a page; pages count from 1.
function pageOf(items, page) {
  const first = page * PER_PAGE;
  return items.slice(first, first + PER_PAGE);
}

function pageCount(items) {
  return Math.ceil(items.length / PER_PAGE);
}

module.exports = { pageOf, pageCount };
