# SPDX-License-Identifier: LGPL-2.1-or-later
"""What is no tar, tars that other programs write, and archives that are cut and damaged
everywhere."""
import io
import random
import struct
import tarfile
import zipfile

from cases import C, D, F, L, P, case
from tarball import (
    archive,
    body,
    entry,
    extension,
    file,
    folder,
    header,
    link,
    long_name,
    old_sparse,
    pax_sparse,
    raw,
    symlink,
    whiteout,
)

NO_TAR = 'is not a tar archive'
MIB = 1 << 20


def cpio(magic=b'070701'):
    """One file and the trailer, in the form called newc."""

    def member(name, data, mode):
        fields = (1, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name) + 1, 0)
        head = magic + b''.join(b'%08x' % f for f in fields) + name + b'\0'
        return head + bytes(-len(head) % 4) + data + bytes(-len(data) % 4)

    return member(b'f', b'data' * 200, 0o100644) + member(b'TRAILER!!!', b'', 0)


def zipped():
    out = io.BytesIO()
    with zipfile.ZipFile(out, 'w') as z:
        z.writestr('f', 'data')
    return out.getvalue()


def ar(data=b'data'):
    return (
        b'!<arch>\n'
        + b'%-16s%-12d%-6d%-6d%-8s%-10d`\n' % (b'f/', 0, 0, 0, b'100644', len(data))
        + data
    )


def filesystem():
    """ext4: zeros where a boot loader may be, then the superblock with its magic number."""
    return bytes(1024) + bytes(56) + struct.pack('<H', 0xEF53) + b'x' * 4096


# ---- what is no tar ----

for name, data in (
    ('cpio', cpio()),
    ('cpio-crc', cpio(b'070702')),
    ('cpio-binary', struct.pack('<13H', 0o070707, *[1] * 12) + b'f\0' * 300),
    ('zip', zipped() * 6),
    ('ar', ar(b'x' * 600)),
    ('7z', b"7z\xbc\xaf'\x1c\0\4" + b'x' * 600),
    ('rpm', b'\xed\xab\xee\xdb' + b'x' * 600),
    ('squashfs', b'hsqs' + b'x' * 600),
    ('xar', b'xar!' + b'x' * 600),
    ('cab', b'MSCF' + b'x' * 600),
    ('rar', b'Rar!\x1a\7\0' + b'x' * 600),
    ('elf', b'\x7fELF' + b'x' * 600),
    ('text', b'hello\n' * 200),
    ('json', b'{"schemaVersion": 2}' * 60),
    ('mtree', b'#mtree\n./f type=file\n' * 40),
):
    case(
        'not-a-tar-' + name,
        'another kind of file, given as a layer',
        {'plain': [data]},
        refused=NO_TAR,
        on='/input/x/0.tar',
    )
for name, data in (
    ('iso', bytes(32768) + b'\1CD001\1' + b'x' * 4096),
    ('ext4', filesystem()),
    ('btrfs', bytes(65536 + 64) + b'_BHRfS_M' + b'x' * 512),
    ('disk', bytes(512) + b'EFI PART' + bytes(504) + b'x' * 512),
):
    case(
        'not-a-tar-' + name,
        'what begins with zeros is not an empty layer',
        {'plain': [data]},
        refused=NO_TAR,
        on='/input/x/0.tar',
    )
case(
    'not-a-tar-short',
    'less than a block',
    {'plain': [b'short']},
    refused='is not a tar archive',
    on='/input/x/0.tar',
)
for name, why, data in (
    ('empty-file', 'a layer of no bytes', b''),
    ('one-block-of-zeros', 'a layer of one block', bytes(512)),
    ('zeros', 'as many as a tape has', bytes(3 * MIB)),
):
    case(name, why, {'plain': [data]}, refused='has no entry', on='/input/x/0.tar')

# ---- as other programs write ----


def by_tarfile(form):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode='w', format=form) as t:
        for name, kind, more in (
            ('d', '5', {'mode': 0o1755}),
            ('d/' + 'n' * 90, '0', {'size': 5}),
            ('d/l', '2', {'linkname': 't' * 95}),
            ('d/h', '1', {'linkname': 'd/' + 'n' * 90}),
            ('p', '6', {}),
            ('c', '3', {'devmajor': 1, 'devminor': 3}),
        ):
            i = tarfile.TarInfo(name)
            i.type, i.uid, i.gid, i.mtime = raw(kind), 1000, 100, 1234567890
            for key, value in {'mode': 0o644, **more}.items():
                setattr(i, key, value)
            t.addfile(i, io.BytesIO(b'hello') if i.size else None)
    return out.getvalue()


OWN = {'uid': 1000, 'gid': 100, 'mtime': 1234567890}
HELLO = F('hello', **OWN)
for form in 'USTAR', 'GNU', 'PAX':
    case(
        'tarfile-' + form.lower(),
        "as Python's tarfile writes",
        [by_tarfile(getattr(tarfile, form + '_FORMAT'))],
        tree={
            'd': D(0o1755, **OWN),
            'd/' + 'n' * 90: HELLO,
            'd/h': HELLO,
            'd/l': L('t' * 95, **OWN),
            'p': P(**OWN),
            'c': C(1, 3, **OWN),
        },
        user={'c': None},
        user_warns='skipped: a device',
    )
case(
    'star',
    'its own magic at the end of the header, times in the prefix',
    [
        archive(
            header(
                'f',
                size=1,
                patch={345: bytes(131), 476: b'11111111111 11111111111 ', 508: b'tar\0'},
            ),
            body(b'x'),
        )
    ],
    tree={'f': F('x')},
)
case(
    'solaris-extended',
    'type X in the place of x',
    [archive(extension([('uid', '5'), ('path', 'f')], kind='X'), header('g'))],
    tree={'f': F(uid=5)},
)
case(
    'solaris-holes',
    "Solaris' map of holes",
    [archive(extension([('SUN.holesdata', ' 0 512 1024')]), entry('f', data=b'x' * 1024))],
    safe=True,
)
case(
    'solaris-extended-attribute',
    'type E, whose name is another file',
    [archive(entry('f', 'E', b'x'))],
    refused='has an unknown type',
    on="'f'",
)
case(
    'apple-double',
    'a resource fork is a file like any other',
    [archive(file('._f', b'\0\5\x16\7' + bytes(100)), file('f', 'x'))],
    tree={'._f': F(b'\0\5\x16\7' + bytes(100)), 'f': F('x')},
)
case(
    'file-flags',
    'of other systems mean nothing here',
    [
        archive(
            entry(
                'f',
                pax=[
                    ('SCHILY.fflags', 'uchg,nodump'),
                    ('SCHILY.ino', '5'),
                    ('SCHILY.nlink', '9'),
                    ('SCHILY.dev', '7'),
                ],
            )
        )
    ],
    tree={'f': F()},
)
case(
    'label-of-red-hat',
    "SELinux's label in an old spelling",
    [archive(entry('f', pax=[('RHT.security.selinux', 'system_u:object_r:shadow_t:s0')]))],
    tree={'f': F()},
)
case(
    'key-of-100000-bytes',
    'a pax key without end',
    [archive(entry('f', pax=[('x' * 100000, 'v')]))],
    tree={'f': F()},
)
case(
    'link-type-of-windows',
    'what a link leads to there',
    [archive(entry('l', '2', link='x', pax=[('LIBARCHIVE.symlinktype', 'dir')]))],
    tree={'l': L('x')},
)
case(
    'creation-time',
    'no file has it',
    [
        archive(
            entry('f', pax=[('LIBARCHIVE.creationtime', '5.5'), ('atime', '-9'), ('ctime', '1e3')])
        )
    ],
    tree={'f': F()},
    modes='overlay flat',
)
case(
    'gnu-names-in-turn',
    'name, link, pax, then the entry',
    [
        archive(
            long_name('K', 't' * 200),
            long_name('L', 's' * 200),
            extension([('mtime', '5')]),
            header('s', '2', link='t', form='gnu', mode=0o777),
        )
    ],
    tree={'s' * 200: L('t' * 200, mtime=5)},
)
case(
    'gnu-link-name-unused',
    'a long link for a file',
    [archive(long_name('K', 't' * 200), header('f', form='gnu'))],
    safe=True,
)
case(
    'gnu-name-at-the-end',
    'and nothing after it',
    [archive(file('ok'), long_name('L', 'n' * 200))],
    refused='the archive ends after an extension header',
)
case(
    'gnu-name-cut',
    'in its body',
    [archive(file('ok'), long_name('L', 'n' * 2000))[:2048]],
    refused='the archive is cut off',
)

# ---- cut and damaged ----

SEEDS = {
    'plain': archive(
        folder('d', uid=5),
        file('d/f', 'x' * 700),
        symlink('d/l', 'f'),
        link('d/h', 'd/f'),
        whiteout('d/w'),
    ),
    'pax': archive(
        file(
            'f',
            'x' * 600,
            pax=[('uid', '70'), ('path', 'p' * 150), ('SCHILY.xattr.user.k', 'v' * 600)],
        ),
        folder('d', mtime='5.5'),
    ),
    'gnu': archive(
        long_name('L', 'n' * 600),
        header('n', size=5, form='gnu'),
        body(b'hello'),
        long_name('K', 'l' * 150),
        header('l', '2', link='l', form='gnu'),
    ),
    'old-sparse': archive(old_sparse('s', MIB, [(i * 8192, b'x' * 512) for i in range(26)])),
    'pax-sparse-00': archive(
        pax_sparse('0.0', 's', MIB, [(i * 8192, b'x' * 512) for i in range(4)])
    ),
    'pax-sparse-01': archive(
        pax_sparse('0.1', 's', MIB, [(i * 8192, b'x' * 512) for i in range(4)])
    ),
    'pax-sparse-10': archive(
        pax_sparse('1.0', 's', MIB, [(i * 8192, b'x' * 512) for i in range(4)])
    ),
    'v7': archive(
        header('d/', b'\0', form='v7'), header('d/f', b'\0', size=600, form='v7'), body(b'x' * 600)
    ),
}


def repaired(data, at):
    """The checksum of the header that holds this byte is made right again, or no damage would get
    past it."""
    start = at // 512 * 512
    block = bytearray(data[start : start + 512])
    if block[257:262] == b'ustar' and len(block) == 512:
        block[148:156] = b' ' * 8
        block[148:156] = b'%06o\0 ' % sum(block)
        data = data[:start] + bytes(block) + data[start + 512 :]
    return data


def flipped(data, seed, count):
    r = random.Random(seed)
    for _ in range(count):
        at = r.randrange(len(data) - 1024)
        yield repaired(data[:at] + bytes([data[at] ^ 1 << r.randrange(8)]) + data[at + 1 :], at)


for name, data in SEEDS.items():
    case(
        'cut-everywhere-' + name,
        'at each block, and in between',
        {
            'series': [data[:n] for n in range(256, len(data), 512)]
            + [data[:n] for n in range(512, len(data), 512)]
        },
        safe=True,
        modes='san',
    )
    case(
        'damaged-' + name,
        'one bit of it',
        {'series': list(flipped(data, name, 16))},
        safe=True,
        modes='san',
    )
