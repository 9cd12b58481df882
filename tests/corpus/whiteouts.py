# SPDX-License-Identifier: LGPL-2.1-or-later
"""What layers take away from those below."""
from cases import CANARY, D, F, IMPLIED, L, case
from tarball import archive, entry, file, folder, link, opaque, symlink, whiteout

BASE = archive(
    folder('d', mode=0o750, uid=7, gid=8, mtime=5000),
    file('d/a', 'a'),
    file('d/b', 'b'),
    folder('d/sub'),
    file('d/sub/c', 'c'),
    file('top', 't'),
)
TREE = {
    'd': D(0o750, uid=7, gid=8, mtime=5000),
    'd/a': F('a'),
    'd/b': F('b'),
    'd/sub': D(),
    'd/sub/c': F('c'),
    'top': F('t'),
}
NO_NAME = 'is a whiteout of an invalid name'


def without(*paths, **more):
    return {
        p: n
        for p, n in {**TREE, **more}.items()
        if not any(p == x or p.startswith(x + '/') for x in paths)
    }


# ---- names ----

case(
    'whiteout-of-nothing',
    'the prefix alone',
    [BASE, archive(folder('d'), file('d/.wh.'))],
    refused=NO_NAME,
    on="'d/.wh.'",
)
case(
    'whiteout-of-dot',
    'it would be the directory itself',
    [BASE, archive(folder('d'), file('d/.wh..'))],
    refused=NO_NAME,
    on="'d/.wh..'",
)
case(
    'whiteout-of-dot-dot',
    'it would be the directory above',
    [BASE, archive(folder('d'), file('d/.wh...'))],
    refused=NO_NAME,
    on="'d/.wh...'",
)
for size in (251, 252, 255):
    case(
        'whiteout-of-%d-bytes' % size,
        'its own name is longer than a file can have, and is never created',
        [
            archive(file('keep', 'k'), file('n' * size, 'x'), file('d/' + 'n' * size, 'x')),
            archive(whiteout('n' * size), whiteout('d/' + 'n' * size)),
        ],
        tree={'keep': F('k'), 'd': IMPLIED()},
    )
case(
    'whiteout-of-255-bytes-of-umlauts',
    'bytes count, not characters',
    [
        archive(file('keep', 'k'), file('x' + '\u00e4' * 127, 'x')),
        archive(whiteout('x' + '\u00e4' * 127)),
    ],
    tree={'keep': F('k')},
)
case(
    'whiteout-of-256-bytes',
    'no file can have this name',
    [BASE, archive(whiteout('n' * 256))],
    refused='has a component of more than 255 bytes',
    on="'.wh." + 'n' * 106 + '...' + 'n' * 110 + "'",
)
case(
    'whiteout-of-255-bytes-as-parent',
    'where the prefix stands for nothing, it counts',
    [BASE, archive(file('.wh.' + 'n' * 255 + '/x'))],
    refused='has a component of more than 255 bytes',
)
case(
    'whiteout-as-parent',
    'the prefix in the middle of a path',
    [BASE, archive(file('.wh.d/x'))],
    refused='its path leads through the name of a whiteout',
    on='.wh.d/x',
)
case(
    'whiteout-of-three-dots',
    'three dots are a name',
    [archive(file('...', 'x')), archive(file('.wh....'))],
    tree={},
)
case(
    'whiteout-of-a-whiteout-name',
    'a doubled prefix names a whiteout, of which no layer can have the file',
    [BASE, archive(file('.wh.x.wh.y'))],
    tree=TREE,
)
case(
    'whiteout-of-a-long-name',
    'the longest name that a whiteout can have',
    [archive(file('n' * 251, 'x'), file('m')), archive(file('.wh.' + 'n' * 251))],
    tree={'m': F()},
)
case(
    'aufs-own-files',
    'what AUFS keeps for itself is left out',
    [
        BASE,
        archive(
            folder('.wh..wh.plnk'),
            file('.wh..wh.plnk/1.2'),
            file('.wh..wh.aufs'),
            folder('.wh..wh.orph'),
            file('new'),
        ),
    ],
    tree={**TREE, 'new': F()},
)

# ---- plain ones ----

case(
    'whiteouts-of-file-and-directory',
    'they are gone, and what stays is as it was',
    [
        BASE,
        archive(
            folder('d', mode=0o750, uid=7, gid=8, mtime=5000), whiteout('d/a'), whiteout('d/sub')
        ),
    ],
    tree=without('d/a', 'd/sub'),
)
case(
    'whiteout-without-its-parent',
    'the directory, which the layer does not list, keeps owner, mode and time',
    [BASE, archive(whiteout('d/a'))],
    tree=without('d/a'),
)
case(
    'whiteout-deep-without-parents',
    'so do all of the directories above',
    [BASE, archive(whiteout('d/sub/c'))],
    tree=without('d/sub/c'),
)
case(
    'whiteout-of-what-is-not-there',
    'no ghosts are listed',
    [BASE, archive(whiteout('nothing'), whiteout('no/such/dir'))],
    tree=TREE,
)
case(
    'whiteout-in-a-new-directory',
    'no ghost in a directory that no layer below has',
    [BASE, archive(folder('new'), whiteout('new/ghost'), file('new/x'))],
    tree={**TREE, 'new': D(), 'new/x': F()},
)
case('whiteout-alone', 'a layer of one whiteout', [BASE, archive(whiteout('d'))], tree=without('d'))
case(
    'whiteout-in-the-only-layer',
    'there is nothing below',
    [archive(whiteout('x'), folder('d'), opaque('d'), file('d/y'))],
    tree={'d': D(), 'd/y': F()},
)
case(
    'whiteout-with-a-body',
    'its content is of no account',
    [BASE, archive(entry('.wh.top', data=archive(file('smuggled'))), file('ok'))],
    tree={**without('top'), 'ok': F()},
)
case(
    'whiteouts-of-other-types',
    'the name decides, whatever bears it',
    [
        BASE,
        archive(
            folder('d'),
            folder('d/.wh.a'),
            symlink('.wh.top', CANARY + '/file'),
            file('ok'),
            link('d/.wh.b', 'ok'),
        ),
    ],
    tree={**without('d/a', 'd/b', 'top'), 'd': D(), 'ok': F()},
)
case(
    'whiteout-twice',
    'in two layers, and in one',
    [BASE, archive(whiteout('top'), whiteout('top')), archive(whiteout('top'))],
    tree=without('top'),
)

# ---- with what is made again ----

case(
    'whiteout-and-new-file',
    'in either order the new file stays',
    [
        BASE,
        archive(
            whiteout('top'), file('top', 'new'), folder('d'), file('d/a', 'new'), whiteout('d/a')
        ),
    ],
    tree={**TREE, 'd': D(), 'top': F('new'), 'd/a': F('new')},
)
case(
    'whiteout-and-new-directory',
    'the new directory has nothing of the old one',
    [BASE, archive(whiteout('d'), folder('d', mode=0o700), file('d/new', 'n'))],
    tree={**without('d'), 'd': D(0o700), 'd/new': F('n')},
)
case(
    'new-directory-then-whiteout',
    'nor when the whiteout comes last',
    [BASE, archive(folder('d', mode=0o700), file('d/new', 'n'), whiteout('d'))],
    tree={**without('d'), 'd': D(0o700), 'd/new': F('n')},
)
case(
    'whiteout-and-implied-directory',
    'nor when the layer does not list it',
    [BASE, archive(whiteout('d'), file('d/new', 'n'))],
    tree={**without('d'), 'd': D(mtime=0), 'd/new': F('n')},
)
case(
    'directory-file-directory',
    'through a file in the layer between, nothing of the first directory shows',
    [
        archive(folder('n'), file('n/x')),
        archive(file('n', 'file')),
        archive(folder('n'), file('n/y')),
    ],
    tree={'n': D(), 'n/y': F()},
)
case(
    'directory-whiteout-directory',
    'nor through a whiteout in the layer between',
    [archive(folder('n'), file('n/x')), archive(whiteout('n')), archive(folder('n'), file('n/y'))],
    tree={'n': D(), 'n/y': F()},
)
case(
    'file-then-directory-below',
    'a directory hides a file below',
    [archive(file('n', 'x')), archive(folder('n', uid=5), file('n/y'))],
    tree={'n': D(uid=5), 'n/y': F()},
)
case(
    'file-and-directory-in-one',
    'a file of the layer, then a directory of that name, over a directory below',
    [archive(folder('n'), file('n/x')), archive(file('n'), folder('n'), file('n/y'))],
    tree={'n': D(), 'n/y': F()},
)

# ---- opaque directories ----

case(
    'opaque',
    'new content alone is seen',
    [BASE, archive(folder('d'), opaque('d'), file('d/new', 'n'))],
    tree={**without('d'), 'd': D(), 'd/new': F('n')},
)
case(
    'opaque-last',
    'also when the mark comes after it, and deeper down',
    [BASE, archive(folder('d'), folder('d/sub'), file('d/sub/new', 'n'), opaque('d'))],
    tree={**without('d'), 'd': D(), 'd/sub': D(), 'd/sub/new': F('n')},
)
case(
    'opaque-in-two-layers',
    'twice up the stack',
    [
        BASE,
        archive(folder('d'), opaque('d'), file('d/one')),
        archive(folder('d'), opaque('d'), file('d/two')),
    ],
    tree={**without('d'), 'd': D(), 'd/two': F()},
)
case(
    'opaque-without-its-directory',
    'the directory keeps what it was',
    [BASE, archive(opaque('d'), file('d/new'))],
    tree={**without('d'), 'd': TREE['d'], 'd/new': F()},
)
case(
    'opaque-with-whiteouts',
    'whiteouts in there leave no ghosts',
    [BASE, archive(folder('d'), opaque('d'), whiteout('d/a'), whiteout('d/never'), file('d/new'))],
    tree={**without('d'), 'd': D(), 'd/new': F()},
)
case(
    'opaque-above-whiteouts',
    'nor below there',
    [BASE, archive(folder('d'), opaque('d'), folder('d/sub'), whiteout('d/sub/c'))],
    tree={**without('d'), 'd': D(), 'd/sub': D()},
)
case(
    'opaque-of-what-is-not-there',
    'a directory that no layer has is not made',
    [BASE, archive(opaque('new'))],
    tree=TREE,
)
case('opaque-root', 'cuts the stack', [BASE, archive(opaque(), file('only'))], tree={'only': F()})
case(
    'opaque-root-with-an-entry',
    'with the new root\'s own attributes',
    [
        archive(folder('.', uid=1), file('old')),
        archive(folder('.', uid=2, mode=0o711, mtime=9), opaque(), file('only')),
        archive(file('more')),
    ],
    tree={'': D(0o711, uid=2, mtime=9), 'only': F(), 'more': F()},
)
case(
    'opaque-root-and-links',
    'nothing below can be linked to',
    [BASE, archive(opaque(), link('l', 'top'))],
    refused='which neither the layer nor those below have',
    on="'l'",
)

# ---- through links ----

case(
    'whiteout-below-a-link',
    'nothing is removed where a link leads',
    [archive(symlink('s', CANARY + '/dir')), archive(whiteout('s/inner'))],
    tree={'s': L(CANARY + '/dir')},
)
case(
    'opaque-below-a-link',
    'nothing is emptied there',
    [archive(symlink('s', CANARY + '/dir')), archive(opaque('s'))],
    tree={'s': L(CANARY + '/dir')},
)
case(
    'whiteout-of-a-link',
    'the link goes, its target stays',
    [archive(symlink('s', CANARY + '/file'), file('f')), archive(whiteout('s'))],
    tree={'f': F()},
)
case(
    'whiteout-below-a-link-of-the-layer',
    'a link in the same layer is followed inside the tree, where nothing is',
    [
        archive(folder('s'), file('s/inner')),
        archive(symlink('s', CANARY + '/dir'), whiteout('s/inner')),
    ],
    tree={'s': L(CANARY + '/dir')},
)
USR = archive(
    folder('usr'),
    folder('usr/bin'),
    file('usr/bin/sh', 'sh'),
    folder('usr/bin/sub', uid=4),
    file('usr/bin/sub/x', 'x'),
    symlink('bin', 'usr/bin'),
    symlink('b', '/bin'),
)
USR_TREE = {
    'usr': D(),
    'usr/bin': D(),
    'usr/bin/sh': F('sh'),
    'usr/bin/sub': D(uid=4),
    'usr/bin/sub/x': F('x'),
    'bin': L('usr/bin'),
    'b': L('/bin'),
}


def usr_without(*paths, **more):
    gone = lambda p: any(p == x or p.startswith(x + '/') for x in paths)  # noqa: E731
    return {p: n for p, n in {**USR_TREE, **more}.items() if not gone(p)}


case(
    'whiteout-behind-a-link',
    'a link to the directory: the file behind it goes',
    [USR, archive(whiteout('bin/sh'))],
    tree=usr_without('usr/bin/sh'),
)
case(
    'whiteout-behind-two-links',
    'a link to a link, and one directory further',
    [USR, archive(whiteout('b/sub/x'))],
    tree=usr_without('usr/bin/sub/x'),
)
case(
    'opaque-behind-a-link',
    'the directory behind the link is emptied, and keeps its attributes',
    [USR, archive(opaque('b/sub'), file('b/sub/new', 'n'))],
    tree=usr_without('usr/bin/sub/x', **{'usr/bin/sub/new': F('n')}),
)
case(
    'whiteout-behind-a-link-of-the-middle',
    'the link is in the middle one of three layers, the file in the lowest',
    [
        archive(folder('usr'), file('usr/a', 'a'), file('usr/b', 'b')),
        archive(symlink('l', 'usr')),
        archive(whiteout('l/a')),
    ],
    tree={'usr': D(), 'usr/b': F('b'), 'l': L('usr')},
)
case(
    'whiteout-behind-a-link-of-its-layer',
    'a link of the same layer leads there',
    [USR, archive(symlink('l', '/usr/bin'), whiteout('l/sh'))],
    tree=usr_without('usr/bin/sh', l=L('/usr/bin')),
)
case(
    'whiteout-behind-a-link-to-nothing',
    'nothing is hidden, and nothing made',
    [archive(symlink('l', 'no/such')), archive(whiteout('l/x'), opaque('l'))],
    tree={'l': L('no/such')},
)
case(
    'whiteout-and-file-behind-a-link',
    'a new file under the same name stays',
    [USR, archive(whiteout('bin/sh'), file('bin/sh', 'new'), file('bin/more', 'm'))],
    tree=usr_without(**{'usr/bin/sh': F('new'), 'usr/bin/more': F('m')}),
)
case(
    'opaque-root-behind-a-link',
    'a link to the root: nothing of the layers below is seen',
    [USR, archive(symlink('l', '/'), opaque('l'), file('only', 'o'))],
    tree={'l': L('/'), 'only': F('o')},
)

# ---- with nothing to hide ----

case(
    'whiteout-below-what-is-not-there',
    'no directory is made for it alone',
    [
        archive(folder('b'), file('b/f', 'f')),
        archive(folder('c'), whiteout('b/x/z'), whiteout('b/x/y/z'), opaque('b/x/y'),
                opaque('b/w')),
    ],
    tree={'b': D(), 'b/f': F('f'), 'c': D()},
)
case(
    'whiteout-below-a-file',
    'nor below a file',
    [archive(folder('b'), file('b/f', 'f')), archive(whiteout('b/f/z'))],
    tree={'b': D(), 'b/f': F('f')},
)
