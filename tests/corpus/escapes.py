# SPDX-License-Identifier: LGPL-2.1-or-later
"""Names and links that lead out of the tree."""
import struct

from cases import CANARY, D, F, L, case
from tarball import archive, char, entry, fifo, file, folder, link, symlink

INNER = CANARY[1:]  # as a name in an archive
UP = '../' * 20
NO_PARENT = 'is not a directory in this layer'
LOOP = 'its path leads through too many symbolic links'
NOTHING = 'which neither the layer nor those below have'
SKIPPED = 'skipped: a device'
OPEN_ACL = struct.pack('<IHHIHHIHHI', 2, 1, 7, 2**32 - 1, 4, 7, 2**32 - 1, 0x20, 7, 2**32 - 1)

# ---- names ----

case(
    'climb-at-once',
    'a name that begins with ..',
    [archive(file('ok'), file('../escaped', 'x'))],
    refused='has a component ".."',
    on='../escaped',
)
case(
    'climb-in-the-middle',
    'a name that is harmless until its middle',
    [archive(file('a/../../escaped', 'x'))],
    refused='has a component ".."',
    on='a/../../escaped',
)
case(
    'climb-far',
    'more .. than the tree can be deep',
    [archive(file(UP + 'escaped', 'x'))],
    refused='has a component ".."',
    on='../escaped',
)
case(
    'climb-and-come-back',
    'even a name that would stay inside',
    [archive(folder('d'), file('d/../ok', 'x'))],
    refused='has a component ".."',
    on='d/../ok',
)
case(
    'climb-as-directory',
    'a directory called .., which would change its owner',
    [archive(folder('..', uid=5))],
    refused='has a component ".."',
    on='..',
)
case(
    'absolute-name',
    'an absolute name is taken below the root',
    [archive(file(CANARY + '/file', 'mine'))],
    tree={INNER + '/file': F('mine')},
)
case(
    'slashes-and-dots',
    'slashes and single dots mean nothing',
    [archive(file('//' + CANARY + '/./file2', 'mine'), file('./a//b/./c', '1'))],
    tree={INNER + '/file2': F('mine'), 'a/b/c': F('1')},
)
case(
    'dots-that-are-names',
    'only one or two dots are special',
    [archive(file('...', '3'), file('..a', 'a'), folder('.. '))],
    tree={'...': F('3'), '..a': F('a'), '.. ': D()},
)

# ---- through symbolic links ----

case(
    'link-absolute-then-below',
    'a file below a link that leads out: the target begins at the root of the tree',
    [archive(symlink('l', CANARY + '/dir'), file('l/escaped', 'x'))],
    tree={'l': L(CANARY + '/dir'), INNER + '/dir/escaped': F('x')},
)
case(
    'link-relative-then-below',
    'the same with a relative target',
    [archive(folder('d'), symlink('d/l', UP + INNER + '/dir'), file('d/l/escaped', 'x'))],
    tree={'d': D(), 'd/l': L(UP + INNER + '/dir'), INNER + '/dir/escaped': F('x')},
)
case(
    'link-chain-then-below',
    'links of which each leads one step up',
    [
        archive(
            folder('a'),
            symlink('a/b', '..'),
            symlink('a/c', 'b/..'),
            symlink('a/d', 'c/..'),
            symlink('e', 'a/d/' + UP + 'scratch'),
            file('e/canary/dir/escaped', 'x'),
        )
    ],
    tree={
        'a': D(),
        'a/b': L('..'),
        'a/c': L('b/..'),
        'a/d': L('c/..'),
        'e': L('a/d/' + UP + 'scratch'),
        'scratch/canary/dir/escaped': F('x'),
    },
)
case(
    'link-inside-then-below',
    'a link that stays inside',
    [archive(folder('real'), symlink('l', 'real'), file('l/x', 'x'))],
    tree={'real': D(), 'l': L('real'), 'real/x': F('x')},
)
case(
    'link-loop-then-below',
    'below two links to one another',
    [archive(file('ok'), symlink('a', 'b'), symlink('b', 'a'), file('a/x'))],
    refused=LOOP,
    on='a/x',
    seconds=10,
)
case(
    'link-to-itself-then-below',
    'below a link to itself',
    [archive(symlink('a', 'a'), folder('a/x'))],
    refused=LOOP,
    on='a/x',
)
case(
    'link-in-a-layer-below',
    'the link in one layer, the file in the next',
    [archive(symlink('etc', CANARY + '/dir')), archive(file('etc/escaped', 'x'))],
    tree={'etc': L(CANARY + '/dir'), INNER + '/dir/escaped': F('x')},
)
case(
    'file-in-a-layer-below',
    'a file in one layer, something below it in the next',
    [archive(file('etc', 'x')), archive(file('etc/y', 'y'))],
    refused='is not a directory in a layer below',
    on="'etc'",
)
case(
    'directory-hides-link-below',
    'a directory that is listed takes the place of a link below',
    [
        archive(folder('var'), symlink('var/run', CANARY + '/dir')),
        archive(folder('var'), folder('var/run', mode=0o711), file('var/run/mine', 'x')),
    ],
    tree={'var': D(), 'var/run': D(0o711), 'var/run/mine': F('x')},
)
case(
    'directory-turned-link',
    'a directory that was filled turns into a link, and is filled again',
    [archive(folder('d'), file('d/one', '1'), symlink('d', CANARY + '/dir'), file('d/two', '2'))],
    tree={'d': L(CANARY + '/dir'), INNER + '/dir/two': F('2')},
)
case(
    'root-is-a-link',
    'the root entry as a link: later layers would go where it leads',
    [archive(symlink('.', CANARY + '/dir')), archive(file('escaped', 'x'))],
    refused='is the root of the layer, but not a directory',
    on="'.'",
)
case(
    'root-is-a-file',
    'the root entry as a file',
    [archive(file('.', 'x'))],
    refused='is the root of the layer, but not a directory',
)
case(
    'root-is-a-hard-link',
    'the root entry as a hard link',
    [archive(file('a'), link('/', 'a'))],
    refused='is the root of the layer, but not a directory',
)

# ---- in the place of a symbolic link ----

case(
    'file-replaces-link',
    'a file of the same name replaces the link, not its target',
    [archive(symlink('f', CANARY + '/file'), file('f', 'mine'))],
    tree={'f': F('mine')},
)
case(
    'directory-replaces-link',
    'so does a directory',
    [archive(symlink('d', CANARY + '/dir'), folder('d', mode=0o777, uid=5), file('d/mine', 'x'))],
    tree={'d': D(0o777, uid=5), 'd/mine': F('x')},
)
case(
    'file-replaces-link-below',
    'a file replaces a link of the layer below',
    [archive(symlink('f', CANARY + '/file')), archive(file('f', 'mine'))],
    tree={'f': F('mine')},
)
case(
    'attributes-of-a-link',
    'mode, owner, time and ACL of a link are not its target\'s',
    [
        archive(
            symlink(
                's',
                CANARY + '/file',
                mode=0o777,
                uid=1234,
                gid=1234,
                mtime=1,
                xattrs={'system.posix_acl_access': OPEN_ACL},
            )
        )
    ],
    tree={'s': L(CANARY + '/file', uid=1234, gid=1234, mtime=1)},
    warns='a symbolic link has no access control list',
)
case(
    'attribute-of-a-link-user',
    'user attributes of a link are left out, others are its own',
    [
        archive(
            file('ok', 'ok'),
            symlink('s', CANARY + '/file', xattrs={'user.x': b'v', 'trusted.x': b'v'}),
        )
    ],
    tree={'ok': F('ok'), 's': L(CANARY + '/file', xattrs={'trusted.x': b'v'})},
    user={'s': L(CANARY + '/file')},
    warns='Linux supports it only on files and directories',
    user_warns="only root of the host may set it",
)

# ---- hard links ----

case(
    'hard-link-absolute',
    'the target is taken below the root, where it is not',
    [archive(link('h', CANARY + '/file'), file('h', 'overwritten'))],
    refused=NOTHING,
    on="'h'",
)
case(
    'hard-link-climbs',
    'a target that climbs out',
    [archive(link('h', UP + INNER + '/file'), file('h', 'overwritten'))],
    refused='has a component ".."',
    on='../',
)
case(
    'hard-link-through-a-link',
    'a target that a link leads to',
    [archive(symlink('s', CANARY), link('h', 's/file'), file('h', 'over'))],
    refused=NOTHING,
    on="'h'",
)
case(
    'hard-link-through-a-link-below',
    'a target behind a link of the layer below',
    [archive(symlink('s', CANARY)), archive(link('h', 's/file'))],
    refused=NOTHING,
    on="'h'",
)
case(
    'hard-link-to-a-link-below',
    'a link of the layer below is copied as a link, not followed',
    [archive(symlink('s', CANARY + '/file')), archive(link('h', 's'))],
    tree={'s': L(CANARY + '/file'), 'h': L(CANARY + '/file')},
    flat=dict.fromkeys(['s', 'h'], L(CANARY + '/file')),
)

# ---- what would block, or go somewhere else ----

case(
    'fifo-then-file',
    'a file in the place of a FIFO: opening that would wait for ever',
    [archive(fifo('p'), file('p', 'data'))],
    tree={'p': F('data')},
    seconds=10,
)
case(
    'device-then-file',
    'a file in the place of a device: the data is not for the device',
    [archive(char('full', 1, 7), file('full', 'data'))],
    tree={'full': F('data')},
    user_warns=SKIPPED,
)
case(
    'file-then-below',
    'an entry below a file of the same layer',
    [archive(file('f', '1'), file('f/x', '2'), file('ok'))],
    refused=NO_PARENT,
    on='f/x',
)
case(
    'fifo-then-below',
    'an entry below a FIFO',
    [archive(fifo('f'), folder('f/x'))],
    refused=NO_PARENT,
    on='f/x',
)
case(
    'control-bytes-in-a-name',
    'a message shows no byte that a terminal would obey',
    [archive(entry(b'\x1b]0;owned\x07\x9b2J/../x', data=b'x'))],
    refused='has a component ".."',
    on='\\x1b]0;owned',
)
