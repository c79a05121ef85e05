"""How is the exec of a pod played? By a WebSocket's frames, around a program on this machine."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import os
import queue
import selectors
import ssl
import subprocess
from collections.abc import Mapping
from threading import Thread
from typing import Any

from pytest_v6probe.rfc.rfc6455 import masked

V5, V4 = "v5.channel.k8s.io", "v4.channel.k8s.io"


def failed(message: str) -> dict[str, Any]:
    """How an exec ends that did not begin."""
    return {"status": "Failure", "reason": "InternalError", "message": message, "code": 500}


def ended(code: int) -> dict[str, Any]:
    """How an exec ends whose program did, with *code*."""
    if code == 0:
        return {"status": "Success", "metadata": {}}
    causes = [{"reason": "ExitCode", "message": str(code)}]
    return {
        "status": "Failure",
        "reason": "NonZeroExitCode",
        "message": f"command terminated with non-zero exit code {code}",
        "details": {"causes": causes},
    }


def shake_hands(connection: ssl.SSLSocket, head: str, protocols: list[str]) -> str:
    """Take a connection over as a WebSocket; the protocol that both sides know."""
    lines = dict(line.split(": ", 1) for line in head.split("\r\n")[1:])
    offered = lines["Sec-WebSocket-Protocol"].split(", ")
    protocol = next((one for one in protocols if one in offered), "")
    key = lines["Sec-WebSocket-Key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
    accept = base64.b64encode(hashlib.sha1(key.encode()).digest()).decode()
    connection.sendall(
        (
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Accept: {accept}\r\nSec-WebSocket-Protocol: {protocol}\r\n\r\n"
        ).encode()
    )
    return protocol


def frame(channel: int, octets: bytes, *, opcode: int = 2, final: bool = True) -> bytes:
    """A server's frame; a *channel* below 0 stands for none."""
    payload = (bytes([channel]) if channel >= 0 else b"") + octets
    first = bytes([opcode | (0x80 if final else 0)])
    if len(payload) < 126:
        return first + bytes([len(payload)]) + payload
    if len(payload) < 65536:
        return first + b"\x7e" + len(payload).to_bytes(2, "big") + payload
    return first + b"\x7f" + len(payload).to_bytes(8, "big") + payload


def end(connection: ssl.SSLSocket, status: Mapping[str, Any]) -> None:
    connection.sendall(frame(3, json.dumps(status).encode()) + frame(-1, b"\x03\xe8", opcode=8))


def messages(held: bytearray) -> list[tuple[int, bytes]]:
    """The client's messages that are all there, by opcode; they are taken from *held*."""
    found = []
    while len(held) >= 6:
        size, start = held[1] & 0x7F, 2
        if size >= 126:
            start = 4 if size == 126 else 10
            size = int.from_bytes(held[2:start], "big")
        if len(held) < start + 4 + size:
            break
        mask, payload = bytes(held[start : start + 4]), bytes(held[start + 4 : start + 4 + size])
        found.append((held[0] & 0x0F, masked(payload, mask)))
        del held[: start + 4 + size]
    return found


def pump(connection: ssl.SSLSocket, process: subprocess.Popen[bytes], protocol: str) -> None:
    """Carry octets between *connection* and the program until one of them has ended."""
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    inputs: queue.Queue[bytes] = queue.Queue()
    Thread(target=feed, args=(process.stdin, inputs), daemon=True).start()
    pipes: dict[Any, int] = {process.stdout: 1, process.stderr: 2}
    held = bytearray()
    with selectors.DefaultSelector() as selector, process.stdout, process.stderr:
        selector.register(connection, selectors.EVENT_READ)
        for pipe in pipes:
            selector.register(pipe, selectors.EVENT_READ)
        while pipes:
            found: list[Any] = [key.fileobj for key, _ in selector.select()]
            for ready in found:
                if ready is connection:
                    if not carry_in(connection, held, inputs, protocol):
                        return
                elif octets := os.read(ready.fileno(), 32768):
                    connection.sendall(frame(pipes[ready], octets))
                else:
                    selector.unregister(ready)
                    del pipes[ready]
    code = process.wait()
    end(connection, ended(128 - code if code < 0 else code))


def carry_in(
    connection: ssl.SSLSocket, held: bytearray, inputs: queue.Queue[bytes], protocol: str
) -> bool:
    """Take what the client sent; whether it is still there."""
    octets = connection.recv(65536)
    while octets:
        held += octets
        octets = connection.recv(connection.pending()) if connection.pending() else b"-"
        if octets == b"-":
            break
    alive = bool(octets)
    for opcode, message in messages(held):
        if opcode == 8:
            alive = False
        elif opcode == 2 and message[0] == 0:
            inputs.put(message[1:])
        elif opcode == 2 and message == b"\xff\x00" and protocol == V5:
            inputs.put(b"")
    if not alive:
        inputs.put(b"")
    return alive


def feed(sink: Any, inputs: queue.Queue[bytes]) -> None:
    with contextlib.suppress(OSError), sink:
        while octets := inputs.get():
            while octets:
                octets = octets[sink.write(octets) :]
