"""Brokers over the standard library's `ssl`: MQTT, AMQP, Redis and WebSocket, as much of each as a client needs."""

from __future__ import annotations

import struct

from drop_in.peers import Line

# MQTT 3.1.1: the first byte of a packet, its type in the upper half.
_CONNECT, _PUBLISH, _SUBSCRIBE, _DISCONNECT = 1, 3, 8, 14


def _varint(number: int) -> bytes:
    out = bytearray()
    while True:
        number, low = divmod(number, 128)
        out.append(low | (128 if number else 0))
        if not number:
            return bytes(out)


def talk_mqtt(line: Line) -> None:
    """Accept a client and its subscription, and send back what it publishes."""
    while True:
        first = line.read(1)[0]
        size = shift = 0
        while (byte := line.read(1)[0]) & 128:
            size |= (byte & 127) << shift
            shift += 7
        body = line.read(size | byte << shift)
        kind = first >> 4
        if kind == _CONNECT:
            line.write(bytes([0x20, 2, 0, 0]))
        elif kind == _SUBSCRIBE:
            line.write(bytes([0x90, 3]) + body[:2] + b"\0")
        elif kind == _PUBLISH:
            assert first & 6 == 2, "published with QoS 1"
            end = 2 + int.from_bytes(body[:2])
            line.write(bytes([0x40, 2]) + body[end : end + 2])
            echo = body[:end] + body[end + 2 :]
            line.write(bytes([0x30]) + _varint(len(echo)) + echo)
        elif kind == _DISCONNECT:
            return


_METHOD, _HEADER, _BODY = 1, 2, 3


def _frame(kind: int, channel: int, payload: bytes) -> bytes:
    return struct.pack(">BHI", kind, channel, len(payload)) + payload + b"\xce"


def _long(data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + data


def _field(name: bytes, value: bytes) -> bytes:
    return bytes([len(name)]) + name + value


def _table(*fields: bytes) -> bytes:
    return _long(b"".join(fields))


def _method(channel: int, which: tuple[int, int], arguments: bytes = b"") -> bytes:
    return _frame(_METHOD, channel, struct.pack(">HH", *which) + arguments)


# AMQP 0-9-1: what a method is answered with, its arguments included.
_ANSWERS: dict[tuple[int, int], tuple[tuple[int, int], bytes]] = {
    (10, 11): ((10, 30), struct.pack(">HIH", 10, 131072, 0)),  # start-ok, tune
    (10, 40): ((10, 41), b"\0"),  # connection.open
    (10, 50): ((10, 51), b""),  # connection.close
    (20, 10): ((20, 11), bytes(4)),  # channel.open
    (20, 40): ((20, 41), b""),  # channel.close
    (50, 10): ((50, 11), b"\1q" + bytes(8)),  # queue.declare
    (85, 10): ((85, 11), b""),  # confirm.select
}
_PUBLISHED, _GET, _CLOSE = (60, 40), (60, 70), (10, 50)


def talk_amqp(line: Line) -> None:
    """Keep one message of a queue."""
    assert line.read(8) == b"AMQP\0\0\x09\1"
    able = _table(_field(b"publisher_confirms", b"t\1"), _field(b"basic.nack", b"t\1"))
    properties = _table(_field(b"capabilities", b"F" + able))
    line.write(_method(0, (10, 10), b"\0\x09" + properties + _long(b"PLAIN") + _long(b"en_US")))
    content: list[tuple[int, bytes]] = []
    missing = 0
    while True:
        kind, channel, size = struct.unpack(">BHI", line.read(7))
        payload = line.read(size)
        assert line.read(1) == b"\xce"
        if kind == _METHOD:
            which = struct.unpack(">HH", payload[:4])
            if which in _ANSWERS:
                line.write(_method(channel, *_ANSWERS[which]))
            elif which == _GET:
                line.write(_method(channel, (60, 71), struct.pack(">QB", 1, 0) + b"\0\1q" + bytes(4)))
                for part, data in content:
                    line.write(_frame(part, channel, data))
            if which == _CLOSE:
                return
            if which == _PUBLISHED:
                content = []
        elif kind in (_HEADER, _BODY):
            content.append((kind, payload))
            missing = int.from_bytes(payload[4:12]) if kind == _HEADER else missing - len(payload)
            if not missing:
                line.write(_method(channel, (60, 80), struct.pack(">QB", 1, 0)))  # ack, where it was asked for


def talk_redis(line: Line) -> None:
    """Keep values by their keys (RESP 2)."""
    kept: dict[bytes, bytes] = {}
    while True:
        words = []
        for _ in range(int(line.readline()[1:])):
            size = int(line.readline()[1:])
            words.append(line.read(size + 2)[:-2])
        command = words[0].upper()
        if command == b"SET":
            kept[words[1]] = words[2]
            line.write(b"+OK\r\n")
        elif command == b"GET":
            value = kept[words[1]]
            line.write(b"$%d\r\n%b\r\n" % (len(value), value))
        elif command in (b"CLIENT", b"AUTH", b"SELECT"):
            line.write(b"+OK\r\n")
        else:
            line.write(b"-ERR unknown command\r\n")


def talk_websocket(line: Line) -> None:
    """Send back every message (RFC 6455), with the protocol of the library `websockets`."""
    from websockets.frames import Frame, Opcode
    from websockets.server import ServerProtocol

    protocol = ServerProtocol(max_size=None)
    message = b""
    while not protocol.close_expected():
        protocol.receive_data(line.some())
        for event in protocol.events_received():
            if not isinstance(event, Frame):
                protocol.send_response(protocol.accept(event))
            elif event.opcode in (Opcode.BINARY, Opcode.CONT):
                message += event.data
                if event.fin:
                    protocol.send_binary(message)
                    message = b""
        line.write(b"".join(protocol.data_to_send()))
