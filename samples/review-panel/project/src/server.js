"use strict";

const http = require("node:http");
const { pageOf } = require("./page.js");
const { relatedTo } = require("./related.js");
const store = require("./store.js");

function send(response, status, body) {
  response.writeHead(status, { "content-type": "text/plain; charset=utf-8" });
  response.end(body);
}

const server = http.createServer((request, response) => {
  const url = new URL(request.url, "http://localhost");
  const name = url.searchParams.get("name");
  try {
    if (url.pathname === "/notes") {
      const page = Number(url.searchParams.get("page") ?? 1);
      send(response, 200, pageOf(store.names(), page).join("\n"));
    } else if (url.pathname === "/note") {
      send(response, 200, store.read(name));
    } else if (url.pathname === "/related") {
      send(response, 200, relatedTo(name).join("\n"));
    } else {
      send(response, 404, "there is nothing here\n");
    }
  } catch (error) {
    send(response, 500, error.stack);
  }
});

server.listen(3000);
