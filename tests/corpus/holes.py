# SPDX-License-Identifier: LGPL-2.1-or-later
"""Files with holes, in the four forms of GNU tar."""
from cases import D, F, case, sparse
from tarball import archive, body, extension, file, folder, header, octal, old_sparse, pax_sparse

MIB = 1 << 20
PIECES = [(0, b'A' * 512), (65536, b'B' * 512), (10 * MIB, b'C' * 1024)]
MANY = [(i * 131072, bytes([65 + i % 26]) * 512) for i in range(60)]
OK = file('ok', 'ok')
SPARSE_OF_4096 = (
    extension(
        [
            ('GNU.sparse.major', '1'),
            ('GNU.sparse.minor', '0'),
            ('GNU.sparse.name', 's'),
            ('GNU.sparse.realsize', '4096'),
        ]
    ),
    header('x', size=1024),
)


def form(version, name, size, pieces, **fields):
    return (
        old_sparse(name, size, pieces, **fields)
        if version == 'old'
        else pax_sparse(version, name, size, pieces, **fields)
    )


for version in 'old', '0.0', '0.1', '1.0':
    v = version.replace('.', '')
    case(
        'sparse-%s' % v,
        'a hole at the end, and holes that stay holes',
        [archive(form(version, 's', 20 * MIB, PIECES, uid=5, mode=0o640), OK)],
        tree={'s': sparse(20 * MIB, PIECES, 0o640, uid=5), 'ok': F('ok')},
    )
    case(
        'sparse-many-%s' % v,
        'more pieces than one block has',
        [archive(form(version, 's', 60 * 131072, MANY), OK)],
        tree={'s': sparse(60 * 131072, MANY), 'ok': F('ok')},
    )
    case(
        'sparse-empty-%s' % v,
        'nothing but a hole',
        [archive(form(version, 's', 5 * MIB, []), OK)],
        tree={'s': sparse(5 * MIB, []), 'ok': F('ok')},
    )
    case(
        'sparse-of-a-tebibyte-%s' % v if v != 'old' else 'sparse-of-gibibytes-old',
        'is never written out',
        [
            archive(
                form(version, 'big', (1 << 40 if v != 'old' else 7 << 30), [(4096, b'D' * 512)]), OK
            )
        ],
        tree={
            'big': sparse(1 << 40 if v != 'old' else 7 << 30, [(4096, b'D' * 512)]),
            'ok': F('ok'),
        },
        seconds=20,
    )
    case(
        'sparse-cut-%s' % v,
        'cut inside of its data',
        [archive(form(version, 's', 20 * MIB, PIECES))[:-2000]],
        refused='the archive is cut off',
    )
    case(
        'sparse-overlap-%s' % v,
        'pieces that overlap',
        [archive(OK, form(version, 's', 4096, [(0, b'x' * 512), (256, b'y' * 512)]))],
        refused='the pieces of a sparse file overlap',
        on="'s'",
    )
    case(
        'sparse-backwards-%s' % v,
        'pieces in another order',
        [archive(OK, form(version, 's', 4096, [(2048, b'x' * 512), (0, b'y' * 512)]))],
        refused='the pieces of a sparse file overlap',
        on="'s'",
    )
    case(
        'sparse-past-the-end-%s' % v,
        'a piece behind its end',
        [archive(OK, form(version, 's', 1000, [(0, b'x' * 512), (4096, b'y' * 512)]))],
        safe=True,
    )
case(
    'sparse-linked',
    'with a second name, and replaced by a whole one below',
    [
        archive(form('1.0', 's', 3 * MIB, [(MIB, b'x' * 512)]), header('t', '1', link='s')),
        archive(header('u', '1', link='s')),
    ],
    tree={
        **dict.fromkeys('st', sparse(3 * MIB, [(MIB, b'x' * 512)])),
        'u': sparse(3 * MIB, [(MIB, b'x' * 512)]),
    },
    flat=dict.fromkeys('stu', sparse(3 * MIB, [(MIB, b'x' * 512)])),
)
case(
    'sparse-name-climbs',
    'the name in the map is a name, too',
    [archive(OK, pax_sparse('1.0', '../escaped', 4096, [(0, b'x' * 512)]))],
    refused='has a component ".."',
    on='../escaped',
)
case(
    'sparse-name-of-a-whiteout',
    'and may be a whiteout',
    [
        archive(file('gone'), folder('d')),
        archive(pax_sparse('0.1', '.wh.gone', 4096, [(0, b'x' * 512)])),
    ],
    tree={'d': D()},
)
case(
    'sparse-huge-size',
    'more than any file can have',
    [archive(OK, pax_sparse('1.0', 's', (1 << 63) - 1, [(0, b'x' * 512)]))],
    refused='has a pax record with an invalid value',
    on="'s'",
)
case(
    'sparse-size-negative',
    'no number',
    [
        archive(
            OK, extension([('GNU.sparse.realsize', '-5'), ('GNU.sparse.name', 's')]), header('x')
        )
    ],
    refused='has a pax record with an invalid value',
)
case(
    'sparse-map-rubbish',
    'a map of no numbers',
    [
        archive(
            OK,
            *SPARSE_OF_4096,
            body(b'2\nzero\n512\n'),
            body(b'x' * 512),
        )
    ],
    refused='cannot read the archive',
    on="'s'",
)
case(
    'sparse-map-of-millions',
    'a count that no memory holds',
    [
        archive(
            OK,
            *SPARSE_OF_4096,
            body(b'99999999999\n0\n512\n'),
            body(b'x' * 512),
        )
    ],
    refused='cannot read the archive',
    on="'s'",
    seconds=10,
)
case(
    'sparse-map-without-type',
    "GNU's map in a regular file",
    [
        archive(
            OK,
            header('s', size=512, form='gnu', patch={'sparse': octal(0, 12) + octal(512, 12)}),
            body(b'x' * 512),
        )
    ],
    refused='has a sparse map but is not a sparse file',
    on="'s'",
)
case(
    'sparse-type-without-map',
    "a file of GNU's type without one",
    [archive(OK, header('s', 'S', size=512), body(b'x' * 512))],
    refused='is a sparse file without a sparse map',
    on="'s'",
)
