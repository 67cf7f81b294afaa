// ClickHouse's engine (chDB) behind as much of its HTTP interface as the fleet's scripts use: a statement in the
// body of a POST, or as the query of a GET; an error is status 500 with the message.
// usage: clickhouse_server.js FOLDER [OPTION OF CLICKHOUSE...]; prints the port once it listens
const http = require("http");
const { Session } = require("chdb");

const session = new Session(process.argv[2], process.argv.length > 3 ? { connectionArgs: process.argv.slice(3) } : undefined);
const server = http.createServer((request, response) => {
  const pieces = [];
  request.on("data", (piece) => pieces.push(piece));
  request.on("end", () => {
    const asked = new URL(request.url, "http://localhost").searchParams.get("query") || "";
    try {
      response.end(session.query(asked + Buffer.concat(pieces).toString(), "TabSeparated"));
    } catch (error) {
      response.statusCode = 500;
      response.end(String(error.message));
    }
  });
});
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
process.stdin.on("end", () => process.exit(0)).resume();
