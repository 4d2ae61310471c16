// A peer of the TLS tests by Node: `peer.mjs serve VERSION CERTIFICATE KEY`, `peer.mjs ask VERSION AUTHORITY PORT`.
// Each ends its sends with close_notify, reads to the other's, and says where anything else came.
import { readFileSync } from "node:fs";
import tls from "node:tls";

const [way, named, file, other] = process.argv.slice(2);
const version = named.replace("_", ".");
const versions = { minVersion: version, maxVersion: version };

function fail(error) {
  console.log(`error: ${error.message}`);
  process.exit(1);
}

function collect(socket, then) {
  const parts = [];
  socket.on("error", fail).on("data", (part) => parts.push(part)).on("end", () => then(Buffer.concat(parts)));
}

if (way === "serve") {
  const options = { cert: readFileSync(file), key: readFileSync(other), allowHalfOpen: true, ...versions };
  const server = tls.createServer(options, (socket) => {
    server.close();
    collect(socket, (question) => socket.end(question.toString("latin1").toUpperCase(), "latin1"));
  });
  server.on("tlsClientError", fail).listen(0, "127.0.0.1", () => console.log(server.address().port));
} else {
  const question = readFileSync(0);
  const options = { host: "127.0.0.1", port: Number(other), servername: "localhost", ca: readFileSync(file), allowHalfOpen: true, ...versions };
  const socket = tls.connect(options, () => socket.end(question));
  collect(socket, (answer) => process.stdout.write(answer));
}
