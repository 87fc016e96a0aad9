#!/usr/bin/env python3
"""Sends a QUIC v1 Initial (RFC 9001) with a real ClientHello and says what came back.

  quic.py HOST PORT NAME       prints answered | refused | timeout
  quic.py --self-test          the key schedule of RFC 9001 A.1

Only the standard library: AES comes from openssl(1), the rest of AES-GCM is here.
"""
import hashlib
import hmac
import random
import socket
import subprocess
import sys

from hello import block, client_hello, extension

SALT = bytes.fromhex("38762cf7f55934b34d179ae6a4c80cadccbb7f0a")
SALT_29 = bytes.fromhex("afbfec289993d24c9e9786f19c6111e04390a899")   # of drafts 29 to 32
DATAGRAM, TAG = 1200, 16


def label(secret, name, length):
    info = length.to_bytes(2, "big") + block(1, b"tls13 " + name) + b"\0"
    return hmac.new(secret, info + b"\1", hashlib.sha256).digest()[:length]


def keys(dcid, salt=SALT):
    client = label(hmac.new(salt, dcid, hashlib.sha256).digest(), b"client in", 32)
    return label(client, b"quic key", 16), label(client, b"quic iv", 12), label(client, b"quic hp", 16)


def aes(key, blocks):
    command = ["openssl", "enc", "-aes-128-ecb", "-nopad", "-K", key.hex()]
    return subprocess.run(command, input=blocks, capture_output=True, check=True).stdout


def xor(a, b):
    return bytes(x ^ y for x, y in zip(a, b))


def ghash(h, data):
    h, y = int.from_bytes(h, "big"), 0
    for i in range(0, len(data), 16):
        x, v, y = y ^ int.from_bytes(data[i:i + 16], "big"), h, 0
        for bit in range(127, -1, -1):
            if x >> bit & 1:
                y ^= v
            v = v >> 1 ^ (0xE1 << 120 if v & 1 else 0)
    return y.to_bytes(16, "big")


def gcm(key, nonce, aad, plain):
    count = -(-len(plain) // 16)
    stream = aes(key, bytes(16) + b"".join(nonce + i.to_bytes(4, "big") for i in range(1, count + 2)))
    h, first, cipher = stream[:16], stream[16:32], xor(plain, stream[32:])

    def pad(data):
        return data + bytes(-len(data) % 16)
    lengths = (8 * len(aad)).to_bytes(8, "big") + (8 * len(cipher)).to_bytes(8, "big")
    return cipher + xor(ghash(h, pad(aad) + pad(cipher) + lengths), first)


def varint(n):
    return (0x4000 | n).to_bytes(2, "big")


def initial(name, version=1, salt=SALT, part=slice(None), seed=None):
    """One datagram: an Initial whose CRYPTO frame is the hello, or that part of it; packet number 0 in 4 bytes. One
    seed makes one connection."""
    rng = random.Random(seed)
    dcid = rng.randbytes(8)
    key, iv, hp = keys(dcid, salt)
    parameters = extension(57, b"\x01\x02\x67\x10" + b"\x0f\x00")   # idle timeout; no source id
    hello = client_hello(rng, name, alpn=b"h3", more=parameters)[5:]
    head = b"\xc3" + version.to_bytes(4, "big") + block(1, dcid) + b"\0" + b"\0"
    room = DATAGRAM - len(head) - 2
    head += varint(room) + bytes(4)
    begin, data = part.start or 0, hello[part]
    frames = (b"\x06" + varint(begin) + varint(len(data)) + data).ljust(room - 4 - TAG, b"\0")
    payload = gcm(key, iv, head, frames)            # the nonce is iv ^ 0
    mask = aes(hp, payload[:16])
    return bytes([head[0] ^ mask[0] & 15]) + head[1:-4] + mask[1:5] + payload


def self_test():
    got = [k.hex() for k in keys(bytes.fromhex("8394c8f03e515708"))]
    assert got == ["1f369613dd76d5467730efcbe3b1a22d", "fa044b2f42a3fd3b46fb255c",
                   "9f50449e04a0e810283a1e9933adedd2"], got
    print("ok")


def main():
    if sys.argv[1:] == ["--self-test"]:
        return self_test()
    host, port, name = sys.argv[1:]
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.settimeout(1)
        s.connect((host, int(port)))
        try:
            s.send(initial(name))
            s.recv(2048)
            print("answered")
        except ConnectionRefusedError:
            print("refused")
        except TimeoutError:
            print("timeout")


if __name__ == "__main__":
    main()
