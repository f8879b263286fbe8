// A peer over Node's tls that makes several connections, one after another, and says of each whether it resumed.
"use strict";
const fs = require("fs");
const tls = require("tls");

const options = Object.fromEntries(process.argv.slice(2).map((one) => one.slice(1).split(/=(.*)/s)));
const times = Number(options.times || 2);
const resumed = [];
const read = (name) => (options[name] ? fs.readFileSync(options[name]) : undefined);

function finish(report) {
  console.log(JSON.stringify(report));
  process.exit(0);
}

const failed = (error) => finish({ error: String(error) });

if (options.role === "server") {
  const server = tls.createServer({ cert: read("chain"), key: read("key") }, (socket) => {
    resumed.push(socket.isSessionReused());
    socket.on("error", () => {});
    socket.on("data", (data) => socket.write(data));
    socket.on("end", () => socket.end());
    socket.on("close", () => {
      if (resumed.length === times) finish({ resumed });
    });
  });
  server.on("tlsClientError", failed);
  server.listen(0, "127.0.0.1", () => console.log(`port ${server.address().port}`));
} else {
  const again = (session) => {
    let kept = session;
    const socket = tls.connect({
      host: "127.0.0.1", port: Number(options.port), servername: "localhost", ca: read("ca"), session,
    });
    socket.on("error", failed);
    socket.on("session", (given) => { kept = given; });
    socket.on("secureConnect", () => socket.write("x"));
    socket.on("data", () => {
      resumed.push(socket.isSessionReused());
      socket.end();
    });
    socket.on("close", () => (resumed.length === times ? finish({ resumed }) : again(kept)));
  };
  again(undefined);
}
