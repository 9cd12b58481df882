# SPDX-License-Identifier: LGPL-2.1-or-later
"""A layer is a directory that overlayfs reads: entries that try to speak to it, in any spelling.

Attributes are kept, escaped on disk, in one tree too: it may become a layer. Overlayfs shows those
of its own kind (trusted., or user. in a user namespace) under the name that they came with, the
other kind as it is stored."""
import base64

from cases import D, F, case
from tarball import (
    archive,
    base256,
    char,
    entry,
    extension,
    file,
    folder,
    header,
    link,
    symlink,
    whiteout,
)

BASE = archive(
    folder('d'),
    file('d/keep', 'k'),
    folder('private', mode=0o700),
    file('private/key', 'k'),
    file('secret', 's'),
)
TREE = {'d': D(), 'd/keep': F('k'), 'private': D(0o700), 'private/key': F('k'), 'secret': F('s')}
DEVICE = 'is a device 0:0, which would be a whiteout'
HOSTS_ROOT = "only root of the host may set it"
# What becomes of a directory d with the attribute that makes it opaque.
ESCAPED_OPAQUE = {
    'tree': {**TREE, 'd': D(xattrs={'trusted.overlay.opaque': b'y'})},
    'flat': {'d': D(xattrs={'trusted.overlay.overlay.opaque': b'y'})},
    'user': {'d': D()},
    'user_warns': HOSTS_ROOT,
}


def forged(name, why, tree, entries, pairs):
    """pairs: names below NS.overlay.; entries(attributes): the layer's; tree(attributes): what must
    be seen."""
    names = {'trusted.overlay.' + n: v for n, v in pairs.items()}
    stored = {'trusted.overlay.overlay.' + n: v for n, v in pairs.items()}
    case(
        name + '-trusted',
        why,
        [BASE, archive(*entries(names))],
        tree={**TREE, **tree(names)},
        flat=tree(stored),
        user=tree({}),
        user_warns=HOSTS_ROOT,
    )
    names = {'user.overlay.' + n: v for n, v in pairs.items()}
    stored = {'user.overlay.overlay.' + n: v for n, v in pairs.items()}
    case(
        name + '-user',
        why,
        [BASE, archive(*entries(names))],
        tree={**TREE, **tree(stored)},
        user=tree(names),
    )


forged(
    'opaque-attribute',
    'the mark that hides a directory below',
    lambda x: {'d': D(xattrs=x), 'd/new': F('n')},
    lambda x: [folder('d', xattrs=x), file('d/new', 'n')],
    {'opaque': b'y'},
)
forged(
    'opaque-attribute-of-the-root',
    'on the root entry',
    lambda x: {'': D(xattrs=x)},
    lambda x: [folder('.', xattrs=x)],
    {'opaque': b'y'},
)
forged(
    'redirect-attribute',
    'one directory would show the content of another one',
    lambda x: {'public': D(xattrs=x), 'public/x': F('x')},
    lambda x: [folder('public', xattrs=x), file('public/x', 'x')],
    {'redirect': b'/private'},
)
forged(
    'metacopy-attribute',
    'a file would take its content from elsewhere',
    lambda x: {'copy': F('c', xattrs=x)},
    lambda x: [file('copy', 'c', xattrs=x)],
    {'metacopy': b'', 'redirect': b'/private/key'},
)
forged(
    'whiteout-attribute',
    'the form of a whiteout that is no device',
    lambda x: {
        'd': D(xattrs={k: v for k, v in x.items() if k.endswith('opaque')}),
        'd/keep': F(xattrs={k: v for k, v in x.items() if k.endswith('whiteout')}),
    },
    lambda x: [
        folder('d', xattrs={k: v for k, v in x.items() if k.endswith('opaque')}),
        file('d/keep', xattrs={k: v for k, v in x.items() if k.endswith('whiteout')}),
    ],
    {'whiteout': b'', 'opaque': b'x'},
)
forged(
    'other-overlay-attributes',
    'all that overlayfs keeps for itself',
    lambda x: {'f': F(xattrs=x)},
    lambda x: [file('f', xattrs=x)],
    {
        'origin': b'\0' * 29,
        'nlink': b'L+1',
        'upper': b'\0' * 30,
        'impure': b'y',
        'protattr': b'ai',
        'uuid': b'\1' * 16,
    },
)
forged(
    'escaped-already',
    'a name that is escaped already is escaped once more',
    lambda x: {'d': D(xattrs=x)},
    lambda x: [folder('d', xattrs=x)],
    {'overlay.opaque': b'y'},
)

case(
    'opaque-attribute-libarchive',
    "libarchive's own spelling of attributes",
    [
        BASE,
        archive(
            extension(
                [
                    (
                        'LIBARCHIVE.xattr.trusted%2Eoverlay%2eopaque',
                        base64.b64encode(b'y').rstrip(b'='),
                    )
                ]
            ),
            header('d/', '5', mode=0o755),
        ),
    ],
    **ESCAPED_OPAQUE,
)
case(
    'opaque-attribute-global',
    'a global header gives attributes to nobody',
    [
        BASE,
        archive(
            extension([('SCHILY.xattr.trusted.overlay.opaque', 'y')], kind='g'),
            folder('d'),
            file('d/new', 'n'),
        ),
    ],
    tree={**TREE, 'd/new': F('n')},
)
case(
    'opaque-attribute-in-two-spellings',
    'given twice, it is escaped twice',
    [
        BASE,
        archive(
            extension(
                [
                    ('SCHILY.xattr.trusted.overlay.opaque', 'y'),
                    ('LIBARCHIVE.xattr.trusted.overlay.opaque', 'eQ'),
                ]
            ),
            header('d/', '5', mode=0o755),
        ),
    ],
    **ESCAPED_OPAQUE,
)
case(
    'overlay-attribute-of-a-long-name',
    'a name that has no room to be escaped',
    [BASE, archive(folder('d', xattrs={'trusted.overlay.' + 'x' * 235: b''}))],
    refused='too long to be escaped',
    on="'d/'",
    user_refused='too long to be escaped',
)
case(
    'overlay-attribute-of-a-link',
    'of a symbolic link, where overlayfs looks for nothing',
    [BASE, archive(symlink('l', 'd', xattrs={'trusted.overlay.redirect': b'/private'}))],
    safe=True,
)

# ---- devices that are whiteouts ----

case(
    'whiteout-device',
    'a device 0:0 would hide the file below',
    [BASE, archive(char('secret', 0, 0, mode=0o600))],
    refused=DEVICE,
    on="'secret'",
    modes='overlay repeat rootless crash ext4 san',
)
case(
    'whiteout-device-binary',
    'its numbers in base-256',
    [BASE, archive(header('secret', '3', dev=(base256(0, 8), base256(0, 8))))],
    refused=DEVICE,
    on="'secret'",
    modes='overlay repeat rootless crash ext4 san',
)
case(
    'whiteout-device-blank',
    'its numbers left out',
    [BASE, archive(header('secret', '3'))],
    refused=DEVICE,
    on="'secret'",
    modes='overlay repeat rootless crash ext4 san',
)
case(
    'whiteout-device-too-large',
    'numbers that Linux would cut to 0',
    [BASE, archive(header('secret', '3', dev=(1 << 12, 1 << 20)))],
    refused='a device number that Linux does not support',
    on="'secret'",
)
case(
    'whiteout-device-pax',
    'numbers in pax records, of which readers do not agree',
    [
        BASE,
        archive(
            extension([('SCHILY.devmajor', '0'), ('SCHILY.devminor', '0')]),
            header('secret', '3', dev=(1, 3)),
        ),
    ],
    safe=True,
)
case(
    'link-to-a-whiteout',
    'a hard link to what the layer takes away',
    [BASE, archive(whiteout('secret'), link('private/key', 'secret'))],
    refused='which neither the layer nor those below have',
    on="'private/key'",
)
case(
    'link-to-a-whiteout-name',
    'a hard link to a whiteout by the name that it came with',
    [BASE, archive(whiteout('secret'), link('private/key', '.wh.secret'))],
    refused='which neither the layer nor those below have',
    on="'private/key'",
)
case(
    'file-of-a-whiteout-name-by-pax',
    'a pax path gives a harmless header a whiteout\'s name',
    [BASE, archive(entry('harmless', pax=[('path', '.wh.secret')]))],
    tree={k: v for k, v in TREE.items() if k != 'secret'},
)
