# SPDX-License-Identifier: LGPL-2.1-or-later
"""Compressed streams: in several parts, damaged, cut, and far larger than they look."""
import struct

from cases import F, case
from images import OCI, Layer, digest
from streams import (
    bz,
    gz,
    gz_member,
    gz_zeros,
    lz4,
    xz,
    xz_damaged,
    xz_dictionary,
    zstd,
    zstd_frame,
    zstd_skippable,
    zstd_zeros,
)
from tarball import archive, file, header

TAR = archive(file('a', 'a' * 3000), file('b', 'b' * 3000))
TREE = {'a': F('a' * 3000), 'b': F('b' * 3000)}
ONE, REST = TAR[:1111], TAR[1111:]
MIB = 1 << 20


def packed(name, why, blob, refused=None, tar=TAR, **more):
    outcome = {'tree': TREE} if refused is None else {'refused': refused, 'on': 'layer 1 of 1'}
    case(name, why, [Layer(tar, blob, OCI + 'layer.v1.tar')], **outcome, **more)


# ---- gzip (RFC 1952) ----

packed('gzip', 'one member', gz(TAR))
packed('gzip-members', 'cut where it happens', gz(TAR[:700]) + gz(TAR[700:3000]) + gz(TAR[3000:]))
packed(
    'gzip-empty-members',
    'before, between and behind',
    gz(b'') + gz(ONE) + gz(b'') + gz(REST) + gz(b''),
)
packed(
    'gzip-all-fields',
    'extra, name, comment, header checksum',
    gz_member(
        TAR,
        extra=struct.pack('<2sH4s', b'SB', 4, b'abcd'),
        name=b'../../evil.tar',
        comment=b'c',
        header_crc=True,
    ),
)
packed('gzip-crc', 'a wrong checksum', gz_member(TAR, crc=0x12345678), 'the gzip stream is damaged')
packed('gzip-length', 'a wrong length', gz_member(TAR, length=1), 'the gzip stream is damaged')
packed(
    'gzip-crc-of-a-later-member',
    'in the second of three',
    gz(ONE) + gz_member(REST[:100], crc=1) + gz(REST[100:]),
    'the gzip stream is damaged',
)
packed('gzip-cut', 'in its data', gz(TAR)[:-30], 'the gzip stream is cut short')
packed('gzip-cut-trailer', 'in its last bytes', gz(TAR)[:-3], 'the gzip stream is cut short')
packed(
    'gzip-cut-second',
    'in the second member',
    gz(ONE) + gz(REST)[:-20],
    'the gzip stream is cut short',
)
packed(
    'gzip-cut-header',
    'behind two bytes of a member',
    gz(TAR) + b'\x1f\x8b',
    'the gzip stream is cut short',
)
packed(
    'gzip-rubbish-behind',
    'what gzip(1) warns of',
    gz(TAR) + b'garbage after the end',
    'other bytes follow the end of the gzip stream',
)
packed(
    'gzip-zeros-behind',
    'as tapes have them',
    gz(TAR) + bytes(4096),
    'zeros follow the end of the gzip stream',
)
packed(
    'gzip-in-gzip',
    'one level is undone, and no tar is seen',
    gz(gz(TAR)),
    'is not a tar archive',
    tar=gz(TAR),
)

# ---- zstd (RFC 8878) ----

packed('zstd', 'one frame with a checksum', zstd(TAR, '--check'))
packed(
    'zstd-frames',
    'and frames to be passed over',
    zstd(ONE) + zstd_skippable(b'table of contents', 1) + zstd(REST) + zstd_skippable(b''),
)
packed(
    'zstd-frames-by-hand',
    'with and without a window',
    zstd_frame(ONE) + zstd_frame(REST, window=0x58),
)
packed(
    'zstd-skippable-first',
    'what comes first is passed over',
    zstd_skippable(b'x' * 100, 15) + zstd(TAR),
)
packed(
    'zstd-checksum',
    'a wrong one',
    zstd(TAR, '--check')[:-1] + b'\0',
    'the zstd stream cannot be read',
)
packed('zstd-cut', 'in a block', zstd_frame(TAR)[:-700], 'the zstd stream is cut short')
packed(
    'zstd-cut-second',
    'in a later frame',
    zstd(ONE) + zstd(REST)[:-9],
    'the zstd stream is cut short',
)
packed(
    'zstd-dictionary',
    'that nobody has',
    zstd_frame(TAR, dictionary=7),
    'the zstd stream cannot be read',
)
packed(
    'zstd-reserved',
    'a bit that must be 0',
    zstd_frame(TAR, reserved=True),
    'the zstd stream cannot be read',
)
packed(
    'zstd-window-of-3-tib',
    'memory that nobody has',
    zstd_frame(TAR, window=0xFF),
    'the zstd stream cannot be read',
)
packed(
    'zstd-window-of-2-gib',
    'nor this',
    zstd_frame(TAR, window=0xA8),
    'the zstd stream cannot be read',
)
packed(
    'zstd-rubbish-behind',
    'bytes that are no frame',
    zstd(TAR) + b'garbage',
    'other bytes follow the end of the zstd stream',
)

# ---- others ----

packed('uncompressed', 'as it is', TAR)
packed('xz', 'one stream', xz(TAR))
packed('xz-streams', 'two with padding between', xz(ONE) + bytes(8) + xz(REST))
packed('xz-cut', 'cut short', xz(TAR)[:-12], 'the xz stream is cut short')
packed(
    'xz-cut-second', 'in the second stream', xz(ONE) + xz(REST)[:-30], 'the xz stream is cut short'
)
packed('xz-check', 'a wrong check of the content', xz_damaged(TAR), 'the xz stream is damaged')
packed(
    'xz-rubbish-behind',
    'bytes that are no stream',
    xz(TAR) + b'garbage....!',
    'the xz stream is damaged, or other bytes follow it',
)
packed(
    'xz-dictionary-of-4-gib',
    'memory that nobody has',
    xz_dictionary(TAR, 40),
    'more than is allowed',
)
packed(
    'xz-dictionary-of-1-gib',
    'nor this',
    xz_dictionary(TAR, 36),
    'the xz stream needs 1024 MiB of memory',
)
packed('xz-dictionary-of-64-mib', 'the largest that xz(1) makes by itself', xz_dictionary(TAR, 28))
packed('xz-dictionary-of-128-mib', 'the largest that is allowed', xz_dictionary(TAR, 30))
packed('bzip2', 'one stream', bz(TAR))
packed('bzip2-streams', 'two', bz(ONE) + bz(REST))
packed('bzip2-cut', 'cut short', bz(TAR)[:-12], 'the bzip2 stream is damaged or cut short')
packed('lz4', 'one frame', lz4(TAR))
packed('lz4-frames', 'two', lz4(ONE) + lz4(REST))
packed('lz4-cut', 'cut short', lz4(TAR)[:-9], 'the lz4 stream is damaged or cut short')
packed(
    'data-behind-the-archive',
    'bytes behind the end count for the diff_id',
    gz(TAR + bytes(8192) + b'no block'),
    tar=TAR + bytes(8192) + b'no block',
)
packed(
    'data-behind-changed',
    'and are checked',
    gz(TAR + bytes(8192) + b'no blocK'),
    'the diff_id (the digest of the uncompressed layer) is wrong',
    tar=TAR + bytes(8192) + b'no block',
    modes='overlay repeat flat crash ext4 san',
)

# ---- what is far larger than it looks ----

HEAD = header('zeros', size=128 * MIB)
BOMB = archive(HEAD, bytes(128 * MIB))
BOMB_ID = digest(BOMB)
del BOMB


def bomb(name, why, blob, **more):
    case(
        name,
        why,
        [Layer(b'', blob, OCI + 'layer.v1.tar', diff_id=BOMB_ID)],
        options=['--max-bytes', str(16 * MIB)],
        refused='more than 16777216 bytes',
        on="'zeros'",
        disk=20,
        modes='overlay flat rootless',
        **more
    )


bomb('gzip-bomb', '128 MiB in 128 KiB, with a limit of 16 MiB', gz_zeros(HEAD, 128, bytes(1024)))
bomb('zstd-bomb', '128 MiB in 5 KiB', zstd_zeros(HEAD, 1024, bytes(1024)))
case(
    'many-small-files',
    'more entries than are allowed',
    [archive(*[header('f%d' % i) for i in range(5000)])],
    options=['--max-entries', '1000'],
    refused='more than 1000 entries',
    on="'f1000'",
    modes='overlay flat rootless',
)
case(
    'entries-of-20000',
    'many empty files',
    [archive(*[header('f%05d' % i) for i in range(20000)])],
    tree={'f%05d' % i: F() for i in range(20000)},
    modes='overlay flat',
    seconds=60,
)
case(
    'full-filesystem',
    '12 MiB into 4',
    [archive(file('a', bytes(range(1, 250)) * 50000))],
    refused='No space left on device',
    on="'a'",
    space=4,
    modes='overlay crash rootless',
)
