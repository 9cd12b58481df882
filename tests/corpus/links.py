# SPDX-License-Identifier: LGPL-2.1-or-later
"""Hard links: in one layer, into layers below, to what goes away."""
from cases import C, D, F, L, P, case
from escapes import SKIPPED
from tarball import archive, char, fifo, file, folder, link, symlink, whiteout

NOTHING = 'which neither the layer nor those below have'
SAME = F('same', uid=3, gid=4, mode=0o640)
LOW = F('low', uid=70, gid=71, mode=0o4755, mtime=77)

case(
    'links-across-directories',
    'targets spelt with ./ and /',
    [
        archive(
            folder('x'),
            folder('y'),
            file('x/f', 'same', uid=3, gid=4, mode=0o640),
            link('y/g', './x/f'),
            link('h', '/x/f'),
        )
    ],
    tree={'x': D(), 'y': D(), 'x/f': SAME, 'y/g': SAME, 'h': SAME},
)
case(
    'link-has-other-attributes',
    'the header of a link says nothing of the file',
    [
        archive(
            file('f', 'low', uid=70, gid=71, mode=0o4755, mtime=77),
            link('g', 'f', uid=9, gid=9, mode=0o777, mtime=9),
        )
    ],
    tree=dict.fromkeys(['f', 'g'], LOW),
)
case(
    'links-in-a-circle',
    'two links to one another',
    [archive(file('ok'), link('a', 'b'), link('b', 'a'))],
    refused=NOTHING,
    on="'b'",
    seconds=10,
)
case(
    'link-to-a-directory',
    'a directory has one name',
    [archive(folder('d'), link('h', 'd'))],
    refused="is a hard link to the directory 'd'",
    on="'h'",
)
case(
    'link-to-the-root',
    'so has the root',
    [archive(file('a'), link('h', './'))],
    refused='is a hard link to the directory',
    on="'h'",
)
case(
    'link-to-a-directory-below',
    'so has one of a layer below',
    [archive(folder('d')), archive(link('h', 'd'))],
    refused="is a hard link to the directory 'd'",
    on="'h'",
)
case(
    'link-to-itself',
    'the file stays',
    [archive(file('f', 'data'), link('f', 'f'))],
    tree={'f': F('data')},
)
case(
    'link-to-itself-below',
    'a file below that the layer links to its own name',
    [archive(file('f', 'data')), archive(link('f', 'f'))],
    tree={'f': F('data')},
)
case(
    'link-to-nothing',
    'a target that comes later only',
    [archive(link('h', 'f'), file('f', 'later'))],
    refused='which comes later in this layer',
    on="'h'",
)
case(
    'link-then-replaced',
    'the other name keeps the old content',
    [archive(file('a', 'old'), link('b', 'a'), file('a', 'new'))],
    tree={'a': F('new'), 'b': F('old')},
)
case(
    'link-to-a-symbolic-link',
    'the link itself gets a second name',
    [archive(symlink('s', 'nowhere', uid=6), link('t', 's', uid=6, mode=0o777))],
    tree=dict.fromkeys(['s', 't'], L('nowhere', uid=6)),
)
case(
    'links-to-special-files',
    'FIFOs and devices have second names, too',
    [archive(fifo('p', mode=0o600), link('q', 'p'), char('c', 1, 3, mode=0o666), link('e', 'c'))],
    tree={**dict.fromkeys(['p', 'q'], P(0o600)), **dict.fromkeys(['c', 'e'], C(1, 3, 0o666))},
    user={'c': None, 'e': None},
    user_warns=SKIPPED,
)
case(
    'link-into-the-layer-below',
    'one tree has a link, layers have a copy with all its attributes',
    [
        archive(file('low', 'low', uid=70, gid=71, mode=0o4755, mtime=77, xattrs={'user.k': b'v'})),
        archive(link('up', 'low')),
    ],
    tree={
        'low': F('low', uid=70, gid=71, mode=0o4755, mtime=77, xattrs={'user.k': b'v'}),
        'up': F('low', uid=70, gid=71, mode=0o4755, mtime=77, xattrs={'user.k': b'v'}),
    },
    flat=dict.fromkeys(
        ['low', 'up'], F('low', uid=70, gid=71, mode=0o4755, mtime=77, xattrs={'user.k': b'v'})
    ),
)
BELOW = F('low')
case(
    'links-into-the-layer-below',
    'several links to a file below share a copy',
    [
        archive(file('low', 'low')),
        archive(folder('d'), link('d/one', 'low'), link('two', 'd/one'), link('three', 'low')),
    ],
    tree={'low': F('low'), 'd': D(), **dict.fromkeys(['d/one', 'two', 'three'], BELOW)},
    flat=dict.fromkeys(['low', 'd/one', 'two', 'three'], BELOW),
)
case(
    'link-to-what-the-layer-hides',
    'a whiteout of the layer takes the target away first',
    [archive(file('low', 'low')), archive(whiteout('low'), link('up', 'low'))],
    refused=NOTHING,
    on="'up'",
)
case(
    'link-to-what-is-made-again',
    'whited out, made again, and linked',
    [
        archive(file('keep', 'old'), file('other', 'x')),
        archive(whiteout('keep'), file('keep', 'new', uid=3), link('l', 'keep')),
    ],
    tree={'other': F('x'), **dict.fromkeys(['keep', 'l'], F('new', uid=3))},
)
case(
    'link-replaces-its-target',
    'a link that takes the place of the directory its target is in',
    [archive(folder('d'), file('d/f', '1'), link('d', 'd/f'))],
    refused='which it replaces',
    on="'d'",
)
case(
    'link-below-three-layers',
    'the target is two layers down, hidden by nothing in between',
    [
        archive(folder('a', uid=1), file('a/f', 'deep')),
        archive(file('x')),
        archive(link('g', 'a/f')),
    ],
    tree={'a': D(uid=1), 'a/f': F('deep'), 'x': F(), 'g': F('deep')},
    flat=dict.fromkeys(['a/f', 'g'], F('deep')),
)
case(
    'link-to-a-file-replaced-below',
    'the nearest layer that has the target counts',
    [archive(file('f', 'old')), archive(file('f', 'new', uid=9)), archive(link('g', 'f'))],
    tree={'f': F('new', uid=9), 'g': F('new', uid=9)},
    flat=dict.fromkeys(['f', 'g'], F('new', uid=9)),
)

# ---- behind symbolic links ----

USR = archive(
    folder('usr', uid=7, mode=0o751),
    folder('usr/bin'),
    file('usr/bin/sh', 'sh', mode=0o755),
    symlink('bin', 'usr/bin'),
    folder('etc'),
    file('etc/passwd', 'p', uid=3),
    symlink('conf', '/etc'),
)
USR_TREE = {
    'usr': D(0o751, uid=7),
    'usr/bin': D(),
    'usr/bin/sh': F('sh', 0o755),
    'bin': L('usr/bin'),
    'etc': D(),
    'etc/passwd': F('p', uid=3),
    'conf': L('/etc'),
}
case(
    'behind-a-link-below',
    'a layer that lists no directories, on a base with merged /usr',
    [USR, archive(file('bin/tool', 't', mode=0o755), file('bin/sub/x', 'x'), folder('conf/d'))],
    tree={
        **USR_TREE,
        'usr/bin/tool': F('t', 0o755),
        'usr/bin/sub/x': F('x'),
        'etc/d': D(),
    },
)
case(
    'behind-a-link-two-below',
    'the link is in the middle one of three layers',
    [
        archive(folder('usr'), folder('usr/bin'), file('usr/bin/sh', 'sh')),
        archive(symlink('bin', 'usr/bin')),
        archive(file('bin/tool', 't')),
    ],
    tree={
        'usr': D(),
        'usr/bin': D(),
        'usr/bin/sh': F('sh'),
        'bin': L('usr/bin'),
        'usr/bin/tool': F('t'),
    },
)
case(
    'behind-a-link-to-a-link',
    'of the layer, to one below',
    [USR, archive(symlink('l', 'bin'), file('l/tool', 't'))],
    tree={**USR_TREE, 'l': L('bin'), 'usr/bin/tool': F('t')},
)
case(
    'behind-a-link-that-climbs',
    '".." stops at the root, and is taken of where a link leads',
    [USR, archive(symlink('bin/l', '../../../../../etc'), file('bin/l/new', 'n'))],
    tree={**USR_TREE, 'usr/bin/l': L('../../../../../etc'), 'etc/new': F('n')},
)
case(
    'behind-a-link-to-nothing',
    'the directories behind it are made',
    [archive(symlink('l', 'no/such')), archive(file('l/x', 'x'))],
    tree={'l': L('no/such'), 'no/such/x': F('x')},
)
case(
    'behind-a-link-by-both-names',
    'of two entries for one file the later wins',
    [
        USR,
        archive(
            file('bin/a', '1'),
            file('usr/bin/a', '2'),
            file('usr/bin/b', '1'),
            file('bin/b', '2'),
            file('bin/sh', 'new'),
        ),
    ],
    tree={
        **USR_TREE,
        'usr/bin/a': F('2'),
        'usr/bin/b': F('2'),
        'usr/bin/sh': F('new'),
    },
)
case(
    'behind-a-link-that-turns-directory',
    'what came before it went through the link',
    [USR, archive(file('bin/x', '1'), folder('bin', mode=0o700), file('bin/x', '2'))],
    tree={**USR_TREE, 'bin': D(0o700), 'bin/x': F('2'), 'usr/bin/x': F('1')},
)
case(
    'behind-a-link-that-is-whited-out',
    'a whiteout hides the link from its layer, wherever it stands',
    [USR, archive(file('bin/x', 'x'), whiteout('bin'))],
    tree={**USR_TREE, 'bin': D(mtime=0), 'bin/x': F('x')},
)
case(
    'behind-a-link-over-a-directory',
    'a link of the layer takes the place of a directory below, and is followed',
    [USR, archive(symlink('etc', 'usr'), file('etc/x', 'x'), link('h', 'etc/bin/sh'))],
    tree={
        **{p: n for p, n in USR_TREE.items() if not p.startswith('etc')},
        'etc': L('usr'),
        'usr/x': F('x'),
        'h': F('sh', 0o755),
    },
    flat=dict.fromkeys(['usr/bin/sh', 'h'], F('sh', 0o755)),
)
case(
    'behind-a-file-by-way-of-a-link',
    'a link to a file is no directory',
    [USR, archive(symlink('l', 'etc/passwd'), file('l/x'))],
    refused="its parent 'etc/passwd' is not a directory in a layer below",
    on="'l/x'",
)
case(
    'behind-a-loop-of-two-layers',
    'a link of each',
    [archive(symlink('a', 'b')), archive(symlink('b', 'a'), file('a/x'))],
    refused='its path leads through too many symbolic links',
    on="'a/x'",
    seconds=10,
)
case(
    'link-behind-a-link',
    'name and target of a hard link, by links of the layer',
    [
        archive(
            folder('etc'),
            file('etc/passwd', 'p'),
            symlink('conf', '/etc'),
            link('conf/copy', 'conf/passwd'),
        )
    ],
    tree={'etc': D(), 'conf': L('/etc'), **dict.fromkeys(['etc/passwd', 'etc/copy'], F('p'))},
)
case(
    'link-behind-a-link-below',
    'and by links below, with the file in either layer',
    [
        USR,
        archive(link('bin/one', 'conf/passwd'), file('etc/new', 'n'), link('bin/two', 'conf/new')),
    ],
    tree={
        **USR_TREE,
        'usr/bin/one': F('p', uid=3),
        **dict.fromkeys(['etc/new', 'usr/bin/two'], F('n')),
    },
    flat=dict.fromkeys(['etc/passwd', 'usr/bin/one'], F('p', uid=3)),
)
case(
    'link-to-a-link-of-a-lower-layer-is-followed',
    'a hard link to a symbolic link is one',
    [USR, archive(link('b', 'bin'), file('b/tool', 't'))],
    tree={**USR_TREE, 'b': L('usr/bin'), 'usr/bin/tool': F('t')},
    flat=dict.fromkeys(['b', 'bin'], L('usr/bin')),
)
case(
    'link-replaces-its-target-below',
    'a link that takes the place of the directory its target is in, in a layer below',
    [archive(folder('d'), file('d/f', '1')), archive(link('d', 'd/f'))],
    refused='which it replaces',
    on="'d'",
)
case(
    'link-behind-a-link-to-nothing',
    'the target is not where the link leads',
    [USR, archive(link('h', 'conf/none'))],
    refused=NOTHING,
    on="'h'",
)
case(
    'link-before-its-target-behind-a-link',
    'the file comes later, by its other name',
    [USR, archive(link('h', 'conf/new'), file('etc/new'))],
    refused='which comes later in this layer',
    on="'h'",
)
