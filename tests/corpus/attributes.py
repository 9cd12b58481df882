# SPDX-License-Identifier: LGPL-2.1-or-later
"""Owners, modes, times, extended attributes, ACLs, capabilities: kept exactly, or refused; and none
that leaks."""
import struct

from cases import B, C, D, F, IMPLIED, L, P, case
from escapes import SKIPPED
from forging import HOSTS_ROOT
from tarball import (
    archive,
    blockdev,
    char,
    entry,
    extension,
    fifo,
    file,
    folder,
    header,
    symlink,
    whiteout,
)

NOBODY = 2**32 - 1


def acl(*entries):
    """The value of a POSIX ACL attribute: tag, permissions, id of each (acl(5);
    linux/posix_acl_xattr.h)."""
    return struct.pack('<I', 2) + b''.join(struct.pack('<HHI', *e) for e in entries)


USER_OBJ, USER, GROUP_OBJ, GROUP, MASK, OTHER = 1, 2, 4, 8, 16, 32
ACCESS = acl(
    (USER_OBJ, 6, NOBODY),
    (USER, 4, 1234),
    (GROUP_OBJ, 4, NOBODY),
    (GROUP, 5, 4321),
    (MASK, 7, NOBODY),
    (OTHER, 0, NOBODY),
)
DEFAULT = acl(
    (USER_OBJ, 7, NOBODY),
    (USER, 5, 99),
    (GROUP_OBJ, 5, NOBODY),
    (MASK, 5, NOBODY),
    (OTHER, 5, NOBODY),
)
FAR = acl(
    (USER_OBJ, 7, NOBODY),
    (USER, 5, 4294967294),
    (GROUP_OBJ, 5, NOBODY),
    (MASK, 5, NOBODY),
    (OTHER, 5, NOBODY),
)
CAPS_V2 = struct.pack('<5I', 0x02000001, 0x2000, 0, 0, 0)
CAPS_V3 = struct.pack('<6I', 0x03000001, 0x2000, 0, 0, 0, 100000)

# ---- ids ----

case(
    'ids-of-pax',
    'to the last one there is',
    [
        archive(
            entry('f', pax=[('uid', '2097152'), ('gid', '4294967294')]),
            folder('d', pax=[('uid', '3000000000'), ('gid', '70000')]),
            symlink('l', 'x', pax=[('uid', '4294967294')]),
            fifo('p', pax=[('gid', '4294967294')]),
        )
    ],
    tree={
        'f': F(uid=2097152, gid=4294967294),
        'd': D(uid=3000000000, gid=70000),
        'l': L('x', uid=4294967294),
        'p': P(gid=4294967294),
    },
    user_refused='2097152',
    user_on="'f'",
)
case(
    'ids-in-binary',
    'and times',
    [archive(file('f', uid=3000000000, gid=2097152, mtime=5000000000, form='gnu'))],
    tree={'f': F(uid=3000000000, gid=2097152, mtime=5000000000)},
    user_refused='3000000000',
    user_on="'f'",
)
case(
    'ids-of-a-grant',
    'all that an ordinary grant has',
    [archive(file('f', uid=65535, gid=65536), folder('d', uid=1, gid=65534))],
    tree={'f': F(uid=65535, gid=65536), 'd': D(uid=1, gid=65534)},
)
case(
    'id-beyond-a-grant',
    'and the first that it has not',
    [archive(file('f', gid=65537))],
    tree={'f': F(gid=65537)},
    user_refused='65537',
    user_on="'f'",
)

# ---- modes ----

case(
    'set-id-and-sticky',
    'with other owners: a chown would clear them',
    [
        archive(
            file('suid', 'x', mode=0o4755, uid=1000, gid=1000),
            file('sgid', 'x', mode=0o2755, gid=50),
            file('plain', 'x', mode=0o2644, uid=3),
            folder('d', mode=0o3777, uid=1, gid=2),
            file('both', 'x' * 9000, mode=0o6711, uid=5, gid=6),
        )
    ],
    tree={
        'suid': F('x', 0o4755, uid=1000, gid=1000),
        'sgid': F('x', 0o2755, gid=50),
        'plain': F('x', 0o2644, uid=3),
        'd': D(0o3777, uid=1, gid=2),
        'both': F('x' * 9000, 0o6711, uid=5, gid=6),
    },
)
case(
    'mode-0',
    'of a directory with content, and a file',
    [archive(folder('z', mode=0), file('z/f', 'f', mode=0), fifo('z/p', mode=0))],
    tree={'z': D(0), 'z/f': F('f', 0), 'z/p': P(0)},
)
case(
    'every-mode',
    'each bit',
    [
        archive(
            *[file('f%o' % (1 << i), mode=1 << i) for i in range(12)],
            *[folder('d%o' % (1 << i), mode=1 << i) for i in range(12)]
        )
    ],
    tree={
        **{'f%o' % (1 << i): F(mode=1 << i) for i in range(12)},
        **{'d%o' % (1 << i): D(1 << i) for i in range(12)},
    },
)
case(
    'set-gid-directory',
    'its group is not handed to what is in it',
    [
        archive(
            folder('d', mode=0o2775, gid=50),
            file('d/f', 'x'),
            folder('d/s', gid=7),
            file('d/s/g', 'x', gid=8),
            symlink('d/l', 'x'),
            fifo('d/p', gid=9),
        )
    ],
    tree={
        'd': D(0o2775, gid=50),
        'd/f': F('x'),
        'd/s': D(gid=7),
        'd/s/g': F('x', gid=8),
        'd/l': L('x'),
        'd/p': P(gid=9),
    },
)
case(
    'set-gid-directory-below',
    'nor when the directory is in the layer below',
    [archive(folder('d', mode=0o2775, gid=50)), archive(file('d/f', 'x'), file('d/s/g', gid=8))],
    tree={'d': D(0o2775, gid=50), 'd/f': F('x'), 'd/s': IMPLIED(), 'd/s/g': F(gid=8)},
)
case(
    'set-gid-root',
    'nor when it is the root',
    [archive(folder('.', mode=0o2775, gid=50), file('f', 'x'), folder('d'))],
    tree={'': D(0o2775, gid=50), 'f': F('x'), 'd': D()},
)
case(
    'read-only-directories',
    'mode and time as listed although children come later',
    [
        archive(
            folder('ro', mode=0o555, mtime=1000, uid=9),
            folder('ro/sub', mode=0o111, mtime=2000),
            file('ro/sub/f', 'f'),
            file('ro/g', 'g'),
        )
    ],
    tree={
        'ro': D(0o555, mtime=1000, uid=9),
        'ro/sub': D(0o111, mtime=2000),
        'ro/sub/f': F('f'),
        'ro/g': F('g'),
    },
)

# ---- directories: the root, parents ----

case(
    'root-entry',
    "gives the root owner, mode and time",
    [archive(folder('.', mode=0o751, uid=11, gid=12, mtime=1500), file('./f', 'f'))],
    tree={'': D(0o751, uid=11, gid=12, mtime=1500), 'f': F('f')},
)
case(
    'root-entry-last',
    'wherever it stands',
    [archive(file('f', 'f'), folder('d'), folder('/', mode=0o700, uid=11, mtime=1500))],
    tree={'': D(0o700, uid=11, mtime=1500), 'f': F('f'), 'd': D()},
)
case(
    'root-entry-with-attributes',
    'also extended ones, and ACLs',
    [
        archive(
            folder('.', uid=3, xattrs={'user.k': b'v', 'system.posix_acl_default': DEFAULT}),
            file('f', mode=0o600),
            folder('d', mode=0o700),
        )
    ],
    tree={
        '': D(uid=3, xattrs={'user.k': b'v', 'system.posix_acl_default': DEFAULT}),
        'f': F(mode=0o600),
        'd': D(0o700),
    },
)
case(
    'root-entry-in-two-layers',
    'the later one counts, without an entry it stays',
    [
        archive(folder('.', mode=0o711, uid=1)),
        archive(folder('.', mode=0o750, uid=2, mtime=3)),
        archive(file('f')),
    ],
    tree={'': D(0o750, uid=2, mtime=3), 'f': F()},
)
case(
    'parents-not-listed',
    'come as 0:0, 0755, the epoch',
    [archive(file('a/b/c/f', 'f', uid=5), symlink('x/l', 't'), folder('y/z'), fifo('p/q'))],
    tree={'a/b/c/f': F('f', uid=5), 'x/l': L('t'), 'y/z': D(), 'p/q': P()},
)
case(
    'parents-of-the-layer-below',
    'stay as they are, with all attributes',
    [
        archive(
            folder(
                'd',
                mode=0o1750,
                uid=7,
                gid=8,
                mtime='5000.000000001',
                xattrs={'user.k': b'v', 'system.posix_acl_default': DEFAULT},
            ),
            folder('d/e', mode=0o700, uid=9),
        ),
        archive(file('d/e/f', mode=0o640)),
        archive(symlink('d/e/l', 'x'), file('d/g/h')),
    ],
    tree={
        'd': D(
            0o1750,
            uid=7,
            gid=8,
            mtime=(5000, 1),
            xattrs={'user.k': b'v', 'system.posix_acl_default': DEFAULT},
        ),
        'd/e': D(0o700, uid=9),
        'd/e/f': F(mode=0o640),
        'd/e/l': L('x'),
        'd/g': IMPLIED(),
        'd/g/h': F(),
    },
)
case(
    'parent-listed-later',
    'a child before its directory',
    [archive(file('d/f', 'f'), file('d/e/g'), folder('d', mode=0o700, uid=4, mtime=900))],
    tree={'d': D(0o700, uid=4, mtime=900), 'd/f': F('f'), 'd/e/g': F()},
)
case(
    'parent-listed-in-a-later-layer',
    'the layer that lists it has the last word',
    [
        archive(file('d/f', 'f')),
        archive(folder('d', mode=0o700, uid=4, mtime=900)),
        archive(file('d/g')),
    ],
    tree={'d': D(0o700, uid=4, mtime=900), 'd/f': F('f'), 'd/g': F()},
)
case(
    'parent-of-a-link',
    'parents of hard links, too',
    [archive(file('f'), entry('a/b/h', '1', link='f'))],
    tree=dict.fromkeys(['f', 'a/b/h'], F()),
)

# ---- times ----

case(
    'times-with-nanoseconds',
    'of a file, a link, a directory',
    [
        archive(
            file('f', mtime='1234567890.123456789'),
            symlink('s', 'f', mtime='1234567891.000000001'),
            folder('d', mtime='1234567892.5'),
        )
    ],
    tree={
        'f': F(mtime=(1234567890, 123456789)),
        's': L('f', mtime=(1234567891, 1)),
        'd': D(mtime=(1234567892, 500000000)),
    },
)
case(
    'times-before-1970',
    'with a fraction: rounded down',
    [
        archive(
            file('f', mtime='-1.25'),
            file('g', mtime='-86400'),
            folder('d', mtime='-0.000000001'),
            header('h', mtime=-5),
        )
    ],
    tree={
        'f': F(mtime=(-2, 750000000)),
        'g': F(mtime=-86400),
        'd': D(mtime=(-1, 999999999)),
        'h': F(mtime=-5),
    },
)
case(
    'times-with-more-digits',
    'cut, not rounded',
    [archive(file('f', mtime='1600000000.1234567899999'))],
    tree={'f': F(mtime=(1600000000, 123456789))},
)
for value in ('nan', '1e9', '1.5.5', '-', '99999999999999999999', '0x5', '1,5'):
    case(
        'time-' + value,
        'what is no time',
        [archive(entry('f', pax=[('mtime', value)]))],
        refused='a pax record with an invalid value',
    )
case(
    'time-of-implied-parents',
    'the later of two layers does not touch a directory that is there',
    [archive(folder('d', mtime=5)), archive(file('d/f', mtime=6))],
    tree={'d': D(mtime=5), 'd/f': F(mtime=6)},
)

# ---- extended attributes ----

case(
    'user-attributes',
    'binary values, many on one file, and empty ones',
    [
        archive(
            file(
                'f',
                'x',
                mode=0o400,
                xattrs={
                    **{'user.n%02d' % i: bytes([i, 0, 255]) for i in range(20)},
                    'user.empty': b'',
                },
            ),
            folder('d', mode=0o100, xattrs={'user.d': b'1\n='}),
        )
    ],
    tree={
        'f': F(
            'x',
            0o400,
            xattrs={**{'user.n%02d' % i: bytes([i, 0, 255]) for i in range(20)}, 'user.empty': b''},
        ),
        'd': D(0o100, xattrs={'user.d': b'1\n='}),
    },
)
case(
    'trusted-attributes',
    'which only root can set and see',
    [
        archive(
            file('f', xattrs={'trusted.t': b'\n='}), symlink('l', 'x', xattrs={'trusted.u': b'1'})
        )
    ],
    tree={'f': F(xattrs={'trusted.t': b'\n='}), 'l': L('x', xattrs={'trusted.u': b'1'})},
    user={'f': F(), 'l': L('x')},
    user_warns=HOSTS_ROOT,
)
case(
    'labels-of-another-machine',
    'are left out',
    [
        archive(
            file(
                'f',
                'x',
                xattrs={
                    'security.selinux': b'system_u:object_r:shadow_t:s0\0',
                    'security.ima': b'\1',
                    'security.evm': b'\2',
                    'user.k': b'v',
                },
            )
        )
    ],
    tree={'f': F('x', xattrs={'user.k': b'v'})},
)
case(
    'attributes-linux-does-not-have',
    'a warning tells of them',
    [archive(file('f', 'x', xattrs={'com.apple.quarantine': b'0081', 'system.nfs4_acl': b'x'}))],
    tree={'f': F('x')},
    warns='Linux has no such extended attribute',
)
case(
    'attribute-too-large',
    'no kernel could store it',
    [archive(file('f', 'x', xattrs={'user.big': b'v' * 65537}))],
    refused='user.big is larger than 65536 bytes',
    on="'f'",
)
case(
    'attribute-name-too-long',
    'nor this name',
    [archive(file('f', 'x', xattrs={'user.' + 'n' * 251: b'v'}))],
    refused='a name of more than 255 bytes',
    on="'f'",
)
case(
    'attributes-too-many',
    'more than a mebibyte for one file',
    [
        archive(
            extension([('SCHILY.xattr.user.%d' % i, b'v' * 60000) for i in range(18)]), header('f')
        )
    ],
    refused='more than 1 MiB',
    on='',
)
case(
    'attributes-in-one-block',
    'a filesystem that has no room for them says so, and is not full',
    [archive(file('f', xattrs={'user.a': b'v' * 3000, 'user.b': b'v' * 3000}))],
    refused='no room for so many extended attributes',
    on="'f'",
    modes='ext4',
)
case(
    'attribute-replaced',
    'a later record of the name counts',
    [archive(entry('f', pax=[('SCHILY.xattr.user.k', 'one'), ('SCHILY.xattr.user.k', 'two')]))],
    tree={'f': F(xattrs={'user.k': b'two'})},
)
case(
    'attribute-of-what-is-replaced',
    'does not stay',
    [
        archive(
            folder('d', xattrs={'user.k': b'1'}),
            folder('d', uid=4),
            file('f', xattrs={'user.k': b'1'}),
            file('f'),
        )
    ],
    tree={'d': D(uid=4), 'f': F()},
)

# ---- ACLs ----

case(
    'acl',
    'on a file, and as a default that nothing inherits',
    [
        archive(
            file('f', mode=0o670, xattrs={'system.posix_acl_access': ACCESS}),
            folder('d', xattrs={'system.posix_acl_default': DEFAULT}),
            file('d/child', mode=0o600),
            folder('d/sub', mode=0o700),
            symlink('d/l', 'x'),
            fifo('d/p', mode=0o600),
            file('d/new/deep', mode=0o604),
        )
    ],
    tree={
        'f': F(mode=0o670, xattrs={'system.posix_acl_access': ACCESS}),
        'd': D(xattrs={'system.posix_acl_default': DEFAULT}),
        'd/child': F(mode=0o600),
        'd/sub': D(0o700),
        'd/l': L('x'),
        'd/p': P(0o600),
        'd/new': IMPLIED(),
        'd/new/deep': F(mode=0o604),
    },
)
case(
    'acl-below',
    'nor what a later layer puts in',
    [
        archive(folder('d', xattrs={'system.posix_acl_default': DEFAULT})),
        archive(file('d/child', mode=0o600), folder('d/sub', mode=0o700), whiteout('d/none')),
    ],
    tree={
        'd': D(xattrs={'system.posix_acl_default': DEFAULT}),
        'd/child': F(mode=0o600),
        'd/sub': D(0o700),
    },
)
case(
    'acl-in-text',
    'as star writes it',
    [
        archive(
            entry(
                'f',
                mode=0o670,
                pax=[
                    (
                        'SCHILY.acl.access',
                        'user::rw-,user:one:r--:1234,group::r--,group:two:r-x:4321,'
                        'mask::rwx,other::---',
                    )
                ],
            ),
            folder(
                'd',
                pax=[
                    (
                        'SCHILY.acl.default',
                        'user::rwx,user:name:r-x:99,group::r-x,mask::r-x,other::r-x',
                    )
                ],
            ),
        )
    ],
    tree={
        'f': F(mode=0o670, xattrs={'system.posix_acl_access': ACCESS}),
        'd': D(xattrs={'system.posix_acl_default': DEFAULT}),
    },
)
MASKED = acl(
    (USER_OBJ, 6, NOBODY),
    (USER, 6, 1000),
    (GROUP_OBJ, 4, NOBODY),
    (MASK, 6, NOBODY),
    (OTHER, 4, NOBODY),
)
CLOSED = acl(
    (USER_OBJ, 7, NOBODY),
    (USER, 7, 1000),
    (GROUP_OBJ, 5, NOBODY),
    (MASK, 0, NOBODY),
    (OTHER, 0, NOBODY),
)
case(
    'acl-of-bsdtar',
    'the header has the bits of the owning group, the mask is in the ACL alone',
    [
        archive(
            entry(
                'f',
                mode=0o4644,
                pax=[
                    (
                        'SCHILY.acl.access',
                        'user::rw-,group::r--,other::r--,user:someone:rw-:1000,mask::rw-',
                    )
                ],
            ),
            folder(
                'd',
                mode=0o3750,
                pax=[
                    (
                        'SCHILY.acl.access',
                        'user::rwx,group::r-x,other::---,user:someone:rwx:1000,mask::---',
                    )
                ],
            ),
            entry(
                'plain',
                mode=0o640,
                pax=[('SCHILY.acl.access', 'user::rw-,group::r--,other::---')],
            ),
        )
    ],
    tree={
        'f': F(mode=0o4664, xattrs={'system.posix_acl_access': MASKED}),
        'd': D(0o3700, xattrs={'system.posix_acl_access': CLOSED}),
        'plain': F(mode=0o640),
    },
)
NAMES = 'user::rw-\nuser:one:r--\ngroup::r--\ngroup:two:r-x\nmask::rwx\nother::---\n'
DEFAULT_NAMES = 'user::rwx\nuser:one:r-x\ngroup::r-x\nmask::r-x\nother::r-x\n'
case(
    'acl-written-twice',
    'tar --acls --xattrs writes names and numbers: the numbers count, whichever comes first',
    [
        archive(
            entry(
                'f',
                mode=0o670,
                pax=[
                    ('SCHILY.acl.access', NAMES),
                    ('SCHILY.xattr.system.posix_acl_access', ACCESS),
                ],
            ),
            folder(
                'd',
                pax=[
                    ('SCHILY.xattr.system.posix_acl_default', DEFAULT),
                    ('SCHILY.acl.default', DEFAULT_NAMES),
                ],
            ),
        )
    ],
    tree={
        'f': F(mode=0o670, xattrs={'system.posix_acl_access': ACCESS}),
        'd': D(xattrs={'system.posix_acl_default': DEFAULT}),
    },
)
case(
    'acl-of-another-name',
    'numbers of the one list say nothing of the other',
    [
        archive(
            folder(
                'd',
                pax=[
                    ('SCHILY.xattr.system.posix_acl_access', ACCESS),
                    ('SCHILY.acl.default', DEFAULT_NAMES),
                ],
            )
        )
    ],
    refused='without a usable number',
    on="'d/'",
)
case(
    'acl-of-a-name',
    'an account that would be looked up on this machine',
    [
        archive(
            entry(
                'f',
                pax=[
                    ('SCHILY.acl.access', 'user::rw-,user:root:rwx,group::r--,mask::rwx,other::---')
                ],
            )
        )
    ],
    refused='without a usable number',
    on="'f'",
)
case(
    'acl-of-nfs',
    'rules that are not POSIX\'s',
    [archive(entry('f', pax=[('SCHILY.acl.ace', 'owner@:rwxpdDaARWcCos:-------:allow')]))],
    safe=True,
)
case(
    'acl-malformed',
    'what the kernel refuses is refused',
    [archive(file('f', xattrs={'system.posix_acl_access': ACCESS[:-3]}))],
    refused='system.posix_acl_access',
    on="'f'",
)
case(
    'acl-far-ids',
    'ids to the last one',
    [archive(folder('d', xattrs={'system.posix_acl_default': FAR}))],
    tree={'d': D(xattrs={'system.posix_acl_default': FAR})},
    user_refused="access control list's user id 4294967294 is not among the ids",
    user_on="'d/'",
)
case(
    'acl-and-set-id',
    'with set-id bits and a mode that agrees',
    [
        archive(
            file('f', 'x', mode=0o6670, uid=4, xattrs={'system.posix_acl_access': ACCESS}),
            folder('d', mode=0o3670, xattrs={'system.posix_acl_access': ACCESS}),
        )
    ],
    tree={
        'f': F('x', 0o6670, uid=4, xattrs={'system.posix_acl_access': ACCESS}),
        'd': D(0o3670, xattrs={'system.posix_acl_access': ACCESS}),
    },
)

# ---- capabilities ----

case(
    'capabilities',
    'of a file of another owner: a chown or a write would strip them',
    [
        archive(
            file('ping', 'x' * 5000, mode=0o755, uid=1000, xattrs={'security.capability': CAPS_V2})
        )
    ],
    tree={'ping': F('x' * 5000, 0o755, uid=1000, xattrs={'security.capability': CAPS_V2})},
)
case(
    'capabilities-linked',
    'a file with several names',
    [
        archive(
            file('a', 'x', mode=0o755, xattrs={'security.capability': CAPS_V2}),
            entry('b', '1', link='a'),
        ),
        archive(file('c')),
    ],
    tree={
        **dict.fromkeys(['a', 'b'], F('x', 0o755, xattrs={'security.capability': CAPS_V2})),
        'c': F(),
    },
)
case(
    'capabilities-copied-up',
    'a link into the layer below takes them along',
    [
        archive(file('a', 'x', mode=0o4755, uid=5, xattrs={'security.capability': CAPS_V2})),
        archive(entry('b', '1', link='a')),
    ],
    tree={k: F('x', 0o4755, uid=5, xattrs={'security.capability': CAPS_V2}) for k in 'ab'},
    flat=dict.fromkeys('ab', F('x', 0o4755, uid=5, xattrs={'security.capability': CAPS_V2})),
)
case(
    'capabilities-of-a-namespace',
    'version 3 with a root id',
    [archive(file('f', 'x', mode=0o755, xattrs={'security.capability': CAPS_V3}))],
    tree={'f': F('x', 0o755, xattrs={'security.capability': CAPS_V3})},
    user_refused="its capability's user id 100000 is not among the ids",
    user_on="'f'",
)
for name, value in (
    ('short', CAPS_V2[:8]),
    ('version-1', struct.pack('<3I', 0x01000001, 1, 0)),
    ('long', CAPS_V3 + b'x'),
    ('root-id', CAPS_V3[:20] + b'\xff' * 4),
    ('mixed', CAPS_V2 + bytes(4)),
    ('empty', b''),
):
    case(
        'capabilities-malformed-' + name,
        'never other capabilities than were given',
        [archive(file('f', 'x', xattrs={'security.capability': value}))],
        refused='security.capability is malformed',
        on="'f'",
    )

# ---- special files ----

case(
    'special-files',
    'with owner, mode and time',
    [
        archive(
            char('null', 1, 3, mode=0o666, uid=1),
            blockdev('sda', 8, 300, mode=0o660, gid=6),
            fifo('pipe', mode=0o622, mtime=800),
            char('far', 4095, 1048575),
        )
    ],
    tree={
        'null': C(1, 3, 0o666, uid=1),
        'sda': B(8, 300, 0o660, gid=6),
        'pipe': P(0o622, mtime=800),
        'far': C(4095, 1048575),
    },
    user={'null': None, 'sda': None, 'far': None},
    user_warns=SKIPPED,
)
case(
    'block-device-0',
    'only a character device 0:0 is a whiteout',
    [archive(blockdev('b', 0, 0))],
    tree={'b': B(0, 0)},
    user={'b': None},
    user_warns=SKIPPED,
)
case(
    'special-files-with-attributes',
    'user attributes they cannot have',
    [archive(fifo('p', xattrs={'user.k': b'v'}))],
    tree={'p': P()},
    warns='Linux supports it only on files and directories',
)
