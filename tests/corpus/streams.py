# SPDX-License-Identifier: LGPL-2.1-or-later
"""Compressed streams written by hand where a library would not write what a case needs (RFC 1952,
RFC 8878)."""
import bz2
import gzip
import lzma
import struct
import subprocess
import zlib

EXTRA, NAME, COMMENT, HEADER_CRC = 4, 8, 16, 2


def gz(data):
    return gzip.compress(data, 6, mtime=0)


def gz_member(data, extra=None, name=None, comment=None, header_crc=False, crc=None, length=None):
    """A member with the optional fields that are given, and the trailer's numbers right or not."""
    flags = (
        EXTRA * (extra is not None) | NAME * (name is not None) | COMMENT * (comment is not None)
    )
    flags |= HEADER_CRC * header_crc
    head = bytes([0x1F, 0x8B, 8, flags]) + bytes(4) + b'\0\xff'
    if extra is not None:
        head += struct.pack('<H', len(extra)) + extra
    for text in (name, comment):
        head += text + b'\0' if text is not None else b''
    if header_crc:
        head += struct.pack('<H', zlib.crc32(head) & 0xFFFF)
    deflate = zlib.compressobj(6, zlib.DEFLATED, -15)
    trailer = struct.pack(
        '<II', zlib.crc32(data) if crc is None else crc, len(data) if length is None else length
    )
    return head + deflate.compress(data) + deflate.flush() + trailer


def zstd(data, *options):
    return subprocess.run(
        ['zstd', '-q', '-c', *options], input=data, stdout=subprocess.PIPE, check=True
    ).stdout


def lz4(data, *options):
    return subprocess.run(
        ['lz4', '-q', '-c', *options], input=data, stdout=subprocess.PIPE, check=True
    ).stdout


def zstd_frame(data, window=None, dictionary=None, reserved=False):
    """A frame of raw blocks, without a checksum. window: the descriptor's byte, else the frame is
    one segment."""
    flags = 0x20 | 0x80 if window is None else 0
    flags |= 3 * (dictionary is not None) | 8 * reserved
    out = struct.pack('<IB', 0xFD2FB528, flags) + (b'' if window is None else bytes([window]))
    out += b'' if dictionary is None else struct.pack('<I', dictionary)
    out += struct.pack('<I', len(data)) if window is None else b''
    pieces = [data[i : i + 1000] for i in range(0, len(data), 1000)] or [b'']
    for i, piece in enumerate(pieces):
        out += struct.pack('<I', (i + 1 == len(pieces)) | len(piece) << 3)[:3] + piece
    return out


def zstd_zeros(head, blocks, tail):
    """A frame of head, blocks * 128 KiB of zeros in four bytes each, and tail."""

    def piece(kind, last, size, data):
        return struct.pack('<I', last | kind << 1 | size << 3)[:3] + data

    out = struct.pack('<IBB', 0xFD2FB528, 0, 0x38) + piece(0, 0, len(head), head)
    return out + piece(1, 0, 1 << 17, b'\0') * blocks + piece(0, 1, len(tail), tail)


def zstd_skippable(data, n=0):
    return struct.pack('<II', 0x184D2A50 + n, len(data)) + data


def xz(data, **options):
    return lzma.compress(data, lzma.FORMAT_XZ, **options)


def bz(data):
    return bz2.compress(data)


def gz_zeros(head, mebibytes, tail):
    """A gzip member of head, that many MiB of zeros, and tail, made without compressing each of
    them."""
    unit = bytes(1 << 20)
    deflate = zlib.compressobj(9, zlib.DEFLATED, -15)
    first = deflate.compress(head) + deflate.flush(zlib.Z_FULL_FLUSH)
    deflate = zlib.compressobj(9, zlib.DEFLATED, -15)
    each = deflate.compress(unit) + deflate.flush(zlib.Z_FULL_FLUSH)
    deflate = zlib.compressobj(9, zlib.DEFLATED, -15)
    last = deflate.compress(tail) + deflate.flush()
    crc = zlib.crc32(head)
    for _ in range(mebibytes):
        crc = zlib.crc32(unit, crc)
    size = len(head) + mebibytes * len(unit) + len(tail)
    return (
        b'\x1f\x8b\x08\0\0\0\0\0\0\xff'
        + first
        + each * mebibytes
        + last
        + struct.pack('<II', zlib.crc32(tail, crc), size)
    )


def xz_dictionary(data, code):
    """A stream whose header asks for another dictionary: 40 is 4 GiB, 36 is 1 GiB (xz file format,
    5.3.1)."""
    out = bytearray(xz(data, preset=0))
    size = (out[12] + 1) * 4
    at = out.index(b'\x21\x01', 14)
    out[at + 2] = code
    out[12 + size - 4 : 12 + size] = struct.pack('<I', zlib.crc32(bytes(out[12 : 12 + size - 4])))
    return bytes(out)


def xz_damaged(data):
    """A stream whose check of the content is another one, and whose every header is right."""
    out = bytearray(xz(data, check=lzma.CHECK_CRC32))
    backward = (struct.unpack_from('<I', out, len(out) - 8)[0] + 1) * 4
    out[len(out) - 12 - backward - 4] ^= 1
    return bytes(out)
