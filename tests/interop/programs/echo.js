// An echo peer over Node's tls module. It prints one line of JSON: what was negotiated, or the error.
"use strict";

const fs = require("fs");
const tls = require("tls");

const options = Object.fromEntries(process.argv.slice(2).map((item) => item.replace(/^-/, "").split("=")));
const report = { echoed: 0 };

function finish(error) {
    if (error) report.error = `${error.code || ""} ${error.message}`;
    process.stdout.write(JSON.stringify(report) + "\n", () => process.exit(0));
}

function describe(socket) {
    report.version = socket.getProtocol();
    report.suite = socket.getCipher().standardName;
    report.openssl = socket.getCipher().name;
    report.alpn = socket.alpnProtocol || "";
    report.peer = (socket.getPeerCertificate().subject || {}).CN || "";
    report.group = (socket.getEphemeralKeyInfo() || {}).name || "";
    report.exported = socket.exportKeyingMaterial(32, "EXPORTER-test", Buffer.from("context")).toString("hex");
}

const settings = {
    ca: fs.readFileSync(options.ca),
    minVersion: `TLSv${options.min || "1.2"}`,
    maxVersion: `TLSv${options.max || "1.3"}`,
};
if (options.chain) {
    settings.cert = fs.readFileSync(options.chain);
    settings.key = fs.readFileSync(options.key);
}
if (options.alpn) settings.ALPNProtocols = options.alpn.split(",");
if (options.suites) settings.ciphers = `${options.suites.replace(/,/g, ":")}:@SECLEVEL=0`;
if (options.groups) settings.ecdhCurve = options.groups.replace(/,/g, ":");

setTimeout(() => finish(new Error("timed out")), 30000).unref();

if (options.role === "server") {
    settings.requestCert = options.auth !== undefined;
    settings.rejectUnauthorized = options.auth === "require";
    if (options.dhparam) settings.dhparam = "auto";
    const server = tls.createServer(settings, (socket) => {
        describe(socket);
        socket.on("data", (data) => {
            report.echoed += data.length;
            socket.write(data);
        });
        socket.on("end", () => {
            socket.end();
            server.close();
            finish();
        });
        socket.on("error", finish);
    });
    server.on("tlsClientError", finish);
    server.listen(0, "127.0.0.1", () => process.stdout.write(`port ${server.address().port}\n`));
} else {
    const data = Buffer.alloc(Number(options.size || 5), "fasttls ");
    const pieces = [];
    const socket = tls.connect({ ...settings, host: "127.0.0.1", port: Number(options.port), servername: "localhost" }, () => {
        describe(socket);
        socket.write(data);
    });
    socket.on("data", (piece) => {
        pieces.push(piece);
        report.echoed += piece.length;
        if (report.echoed === data.length) {
            if (!Buffer.concat(pieces).equals(data)) finish(new Error("the echo is not what was sent"));
            socket.end();
        }
    });
    socket.on("end", () => finish());
    socket.on("close", () => finish());
    socket.on("error", finish);
}
