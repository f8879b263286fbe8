"""Databases over the standard library's `ssl`: MongoDB and PostgreSQL, as much of each as a client needs."""

from __future__ import annotations

import datetime
import struct
from typing import Any

from drop_in.peers import Line

_REPLY, _QUERY, _MESSAGE = 1, 2004, 2013


def talk_mongodb(line: Line) -> None:
    """Keep the documents that are inserted, and give them all back."""
    import bson

    kept: list[Any] = []
    while True:
        size, request, _, kind = struct.unpack("<iiii", line.read(16))
        body = line.read(size - 16)
        # A query is flags, the collection's name, skip, limit, and the document.
        query = kind == _QUERY
        command = bson.decode(body[body.index(b"\0", 4) + 9 :]) if query else _sections(bson, body)
        answer = bson.encode(_answer(command, kept))
        if query:
            line.write(struct.pack("<iiiiiqii", 36 + len(answer), 0, request, _REPLY, 8, 0, 0, 1) + answer)
        else:
            line.write(struct.pack("<iiiiiB", 21 + len(answer), 0, request, _MESSAGE, 0, 0) + answer)


def _sections(bson: Any, body: bytes) -> dict[str, Any]:
    """Return the command of an OP_MSG, with its documents."""
    command: dict[str, Any] = {}
    at = 4
    while at < len(body):
        kind = body[at]
        (size,) = struct.unpack_from("<i", body, at + 1)
        section = body[at + 1 : at + 1 + size]
        if kind == 0:
            command |= bson.decode(section)
        else:
            end = section.index(b"\0", 4)
            command[section[4:end].decode()] = bson.decode_all(section[end + 1 :])
        at += 1 + size
    return command


def _answer(command: dict[str, Any], kept: list[Any]) -> dict[str, Any]:
    name = next(iter(command)).lower()
    if name in ("ismaster", "hello"):
        return {
            "ismaster": True,
            "isWritablePrimary": True,
            "helloOk": True,
            "maxBsonObjectSize": 1 << 24,
            "maxMessageSizeBytes": 48000000,
            "maxWriteBatchSize": 100000,
            "localTime": datetime.datetime.now(datetime.UTC),
            "minWireVersion": 0,
            "maxWireVersion": 21,
            "ok": 1.0,
        }
    if name == "insert":
        kept[:] = command["documents"]
        return {"n": len(kept), "ok": 1.0}
    if name == "find":
        namespace = f"{command['$db']}.{command['find']}"
        return {"cursor": {"firstBatch": kept, "id": 0, "ns": namespace}, "ok": 1.0}
    return {"ok": 1.0}


_SSL_REQUEST = struct.pack(">ii", 8, 80877103)
_BYTEA = 17


def _message(kind: bytes, body: bytes = b"") -> bytes:
    return kind + struct.pack(">i", len(body) + 4) + body


def talk_postgresql(line: Line) -> None:
    """Answer a statement with its only parameter, which is bytes."""
    assert line.read(8) == _SSL_REQUEST
    line.write(b"S")
    line.start_tls()
    (size,) = struct.unpack(">i", line.read(4))
    line.read(size - 4)
    settings = {b"server_version": b"16.0", b"client_encoding": b"UTF8", b"integer_datetimes": b"on"}
    line.write(_message(b"R", bytes(4)))
    for name, value in settings.items():
        line.write(_message(b"S", name + b"\0" + value + b"\0"))
    line.write(_message(b"K", bytes(8)) + _message(b"Z", b"I"))
    value = b""
    while True:
        kind = line.read(1)
        (size,) = struct.unpack(">i", line.read(4))
        body = line.read(size - 4)
        if kind == b"P":
            line.write(_message(b"1"))
        elif kind == b"D":
            field = b"value\0" + struct.pack(">ihihih", 0, 0, _BYTEA, -1, -1, 1)
            line.write(_message(b"t", struct.pack(">hi", 1, _BYTEA)) + _message(b"T", struct.pack(">h", 1) + field))
        elif kind == b"B":
            value = _parameter(body)
            line.write(_message(b"2"))
        elif kind == b"E":
            line.write(_message(b"D", struct.pack(">hi", 1, len(value)) + value) + _message(b"C", b"SELECT 1\0"))
        elif kind == b"S":
            line.write(_message(b"Z", b"I"))
        elif kind == b"X":
            return


def _parameter(body: bytes) -> bytes:
    """Return the parameter of a Bind: names of portal and statement, formats, then the values."""
    at = body.index(b"\0", body.index(b"\0") + 1) + 1
    (formats,) = struct.unpack_from(">h", body, at)
    at += 2 + 2 * formats
    count, size = struct.unpack_from(">hi", body, at)
    assert count == 1
    return body[at + 6 : at + 6 + size]
