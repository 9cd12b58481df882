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
    refused=NOTHING,
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
