# SPDX-License-Identifier: LGPL-2.1-or-later
"""Headers that two readers could read in two ways, that no file can have, and odd ones that must be
read."""
from cases import D, F, IMPLIED, L, P, case
from tarball import (
    archive,
    base256,
    body,
    entry,
    extension,
    file,
    folder,
    header,
    link,
    long_name,
    octal,
    symlink,
)

INNER = archive(file('smuggled', 'evil'), end=0)
PAX = 'has a pax record with an invalid value'
UID, GID = 'has no valid user id', 'has no valid group id'
CUT = 'the archive is cut off'
OK = file('ok', 'ok')


def refused(name, why, what, text, on="'f'", **more):
    case(
        name,
        why,
        [what if isinstance(what, bytes) and len(what) % 512 else archive(OK, what)],
        refused=text,
        on=on,
        **more,
    )


# ---- ids ----

for name, value, why in (
    ('2-to-32', '4294967296', 'it would be cut to 0'),
    ('2-to-32-less-1', '4294967295', 'it means "leave it" to the kernel'),
    ('negative', '-1', 'so does this'),
    ('text', 'root', 'a name'),
    ('hexadecimal', '0x10', 'of other digits'),
    ('float', '5e3', 'no integer'),
    ('rubbish-behind', '5x', 'a number and more'),
    ('blank', ' 5', 'a blank before it'),
    ('40-digits', '9' * 40, 'longer than any number'),
    ('sign', '+5', 'a sign'),
):
    refused(
        'pax-uid-' + name,
        'a user id of pax: ' + why,
        entry('f', pax=[('uid', value)], mode=0o4755),
        PAX,
        on='PaxHeaders',
    )
refused(
    'pax-gid-4294967295',
    'groups have the same rules',
    entry('f', pax=[('gid', '4294967295')]),
    PAX,
    on='PaxHeaders',
)
refused('uid-4294967295', 'in base-256', file('f', uid=4294967295, mode=0o4755), UID)
refused('gid-4294967295', 'a group in base-256', file('f', gid=4294967295), GID)
refused(
    'uid-2-to-40',
    'a number whose low half is root',
    header('f', uid=base256(1 << 40, 8), mode=0o4755),
    UID,
)
refused('uid-2-to-62', 'a number that fills the field', header('f', uid=b'\xbf' + b'\xff' * 7), UID)
refused('uid-negative', 'a negative number', header('f', uid=base256(-2, 8)), UID)
refused('uid-not-octal', 'digits that are none in octal', header('f', uid=b'00009z9\0'), UID)
refused('gid-rubbish-behind', 'rubbish behind the digits', header('f', gid=b'0017 x7\0'), GID)
case(
    'pax-empty-values',
    'delete what the key said: the header counts',
    [
        archive(
            entry(
                'f',
                data=b'x',
                uid=7,
                gid=8,
                pax=[
                    ('uid', '5'),
                    *[(k, '') for k in ('uid', 'gid', 'size', 'mtime', 'path', 'linkpath')],
                    ('SCHILY.acl.access', ''),
                    ('GNU.sparse.realsize', ''),
                ],
            ),
            entry('l', '2', link='to', pax=[('linkpath', ''), ('hdrcharset', '')]),
            OK,
        )
    ],
    tree={'f': F('x', uid=7, gid=8), 'l': L('to'), 'ok': F('ok')},
)
case(
    'account-names',
    'names of accounts say nothing: numbers do',
    [archive(file('f', uid=1234, gid=1235, patch={265: b'root', 297: b'root'}))],
    tree={'f': F(uid=1234, gid=1235)},
)

# ---- sizes ----

refused(
    'size-negative',
    'it would go back in the archive for ever',
    header('f', size=base256(-512, 12)),
    'has no valid size',
    seconds=10,
)
refused(
    'size-huge',
    'a size that no sum can hold',
    header('f', size=base256((1 << 63) - 1, 12)),
    'has no valid size',
    seconds=10,
)
refused(
    'size-not-octal',
    'a size of other digits',
    header('f', size=b'0000000009x\0'),
    'has no valid size',
)
refused('size-beyond-the-archive', 'more than there is', header('f', size=1 << 33), CUT, seconds=10)
case(
    'pax-size-beats-header',
    'whoever reads the header\'s 0 would find more entries in the body',
    [archive(extension([('size', str(len(INNER)))]), header('f'), body(INNER), OK)],
    tree={'f': F(INNER), 'ok': F('ok')},
)
case(
    'pax-size-is-smaller',
    'whoever reads the header\'s size would miss an entry',
    [
        archive(
            extension([('size', '5')]),
            header('f', size=512 + len(INNER)),
            body(b'12345'),
            INNER,
            OK,
        )
    ],
    tree={'f': F('12345'), 'smuggled': F('evil'), 'ok': F('ok')},
)
refused(
    'pax-size-negative',
    'a negative size in pax',
    extension([('size', '-1')]) + header('f'),
    PAX,
    on='PaxHeaders',
)
refused(
    'directory-with-a-body',
    'readers do not agree on whether there is one',
    header('d/', '5', size=len(INNER)) + INNER,
    'has a body, which readers of tar do not agree on',
    on='d',
)
refused(
    'link-with-a-body',
    'nor here',
    header('l', '2', size=len(INNER), link='ok') + INNER,
    'is not a regular file and has a body',
    on='l',
)
refused(
    'hard-link-with-a-body',
    'nor here',
    header('l', '1', size=512, link='ok') + body(b'x' * 512),
    'is not a regular file and has a body',
    on='l',
)

# ---- checksums, types, ends ----

refused(
    'wrong-checksum',
    'of a later header',
    file('f', 'x', checksum=b'012345\0 '),
    "the header's checksum is wrong",
)
case(
    'wrong-first-checksum',
    'of the first header',
    [archive(file('f', 'x', checksum=b'012345\0 '))],
    refused='the first checksum is wrong',
)
case(
    'signed-checksum',
    'old tars took bytes for signed',
    [archive(header('n\u00e4me', size=1, checksum='signed'), body(b'1'), OK)],
    tree={'n\u00e4me': F('1'), 'ok': F('ok')},
)
refused(
    'unknown-type',
    'POSIX would have a regular file made',
    entry('z', 'Z', b'zz'),
    'has an unknown type',
    on="'z'",
)
for kind, what in (
    ('D', 'a directory of a GNU dump'),
    ('M', 'a continued file of many volumes'),
    ('V', 'a label of a volume'),
    ('N', 'old names of GNU'),
    ('A', 'an ACL of Solaris'),
    ('7', ''),
):
    if kind != '7':
        refused('type-' + kind, what, entry('z', kind, b'zz'), 'has an unknown type', on="'z'")
case(
    'contiguous-file',
    'a type of old that is a file as any other',
    [archive(entry('f', '7', b'77'))],
    tree={'f': F('77')},
)
case(
    'cut-in-data',
    'the archive ends inside of a file, and all digests are right',
    [archive(file('f', 'x' * 3000))[:1500]],
    refused=CUT,
    on="'f'",
)
case('cut-in-header', 'it ends in a header', [archive(OK, file('f'))[:1224]], refused=CUT)
case(
    'cut-in-extension',
    'it ends in a pax header',
    [archive(OK, extension([('comment', 'x' * 2000)]), header('f'))[:2048]],
    refused=CUT,
)
case(
    'cut-after-extension',
    'it ends between a pax header and its entry',
    [archive(OK, extension([('mtime', '5')]), end=0)],
    refused=CUT,
)
case(
    'end-after-extension',
    'its end is marked there',
    [archive(OK, extension([('mtime', '5')]))],
    refused='the archive ends after an extension header',
)
case(
    'no-padding',
    'what a Go program leaves that does not close its archive: all data are there',
    [archive(OK), header('f', size=5) + b'12345'],
    tree={'ok': F('ok'), 'f': F('12345')},
)
case(
    'padding-in-part',
    'some bytes of it',
    [header('f', size=5) + b'12345' + bytes(500)],
    tree={'f': F('12345')},
)
refused('no-padding-and-cut', 'a byte of the data', header('f', size=5) + b'1234', CUT)
case(
    'padding-and-a-piece-of-the-end',
    'is no block',
    [archive(OK, end=100)],
    refused=CUT,
)
for name, records in (('', [('comment', '0' * 40)]), ('-without-records', [])):
    END = extension(records, kind='g', name='pax_global_header')
    case(
        'global-header-alone' + name,
        'which git archive writes of an empty tree: it stands for no entry',
        [archive(OK), archive(END)],
        tree={'ok': F('ok')},
    )
    case(
        'global-header-at-the-end' + name,
        'with blocks that mark the end, or without',
        [archive(OK, END), archive(file('f', 'f'), END, end=0)],
        tree={'ok': F('ok'), 'f': F('f')},
    )
case(
    'end-after-global-and-extension',
    'the entry of the other header is missing',
    [archive(OK, extension([('mtime', '5')]), extension([('comment', 'c')], kind='g'))],
    refused='the archive ends after an extension header',
)
case('no-end', 'no blocks of zeros at the end', [archive(OK, end=0)], tree={'ok': F('ok')})
case(
    'one-zero-block',
    'one block of zeros ends an archive',
    [archive(OK, bytes(512), file('after', 'x'))],
    tree={'ok': F('ok')},
)
case(
    'entries-after-the-end',
    'what comes behind the end is no entry, but counts for the digest',
    [archive(OK) + archive(file('hidden'))],
    tree={'ok': F('ok')},
)
case(
    'blocks-of-20',
    'tapes are written in blocks of 20',
    [archive(OK, end=10240 - 1024)],
    tree={'ok': F('ok')},
)
case(
    'not-of-whole-blocks',
    'bytes behind the end that are no block',
    [archive(OK) + b'tail'],
    tree={'ok': F('ok')},
)

# ---- odd fields that are right ----

case(
    'blank-fields',
    'fields of blanks or NULs mean 0',
    [archive(header('f', uid=b' ' * 8, gid=bytes(8), mtime=b' ' * 12), OK)],
    tree={'f': F(mtime=0), 'ok': F('ok')},
)
case(
    'fields-with-blanks',
    'blanks before the digits and behind',
    [
        archive(
            header('f', mode=b'  0644 \0', uid=b'    17 \0', size=b'          3 '), body(b'abc'), OK
        )
    ],
    tree={'f': F('abc', uid=0o17), 'ok': F('ok')},
)
case(
    'fields-without-an-end',
    'digits to the last byte',
    [archive(header('f', mode=b'00000644', gid=b'00000021', size=b'000000000003'), body(b'abc'))],
    tree={'f': F('abc', gid=0o21)},
)
case(
    'mode-with-type',
    'modes that say the type, too',
    [archive(file('f', mode=0o104751), folder('d', mode=0o041777))],
    tree={'f': F(mode=0o4751), 'd': D(0o1777)},
)
case(
    'v7',
    'no magic number, and a slash at the end means a directory',
    [
        archive(
            header('d/', b'\0', mode=0o711, form='v7'),
            header('d/f', b'\0', size=3, form='v7'),
            body(b'abc'),
            header('d/l', '2', form='v7', link='f', mode=0o777),
            header('d/h', '1', form='v7', link='d/f'),
        )
    ],
    tree={'d': D(0o711), 'd/l': L('f'), **dict.fromkeys(['d/f', 'd/h'], F('abc'))},
)
case(
    'ustar-prefix',
    'two halves of a name',
    [archive(file('tail', 'x', prefix=b'p' * 60 + b'/' + b'q' * 80))],
    tree={'p' * 60 + '/' + 'q' * 80 + '/tail': F('x')},
)
case(
    'gnu-times',
    'GNU has times where ustar has the prefix',
    [
        archive(
            header(
                'f',
                size=1,
                form='gnu',
                patch={'gnu_times': octal(1600000000, 12) + octal(1600000001, 12)},
            ),
            body(b'x'),
        )
    ],
    tree={'f': F('x')},
)
case(
    'gnu-prefix-of-old-go',
    'where GNU has times, text is the prefix of ustar',
    [
        archive(
            header('f', size=1, form='gnu', prefix=b'usr/share'),
            body(b'x'),
            header('g', size=1, form='gnu', prefix=b'usr/' + b'p' * 100),
            body(b'y'),
            header('h', '1', form='gnu', prefix=b'usr', link='usr/share/f'),
            header('l', '2', form='gnu', prefix=b'usr', link='x', mode=0o777),
            header('d/', '5', form='gnu', prefix=b'usr', mode=0o711),
            header('o', form='gnu', prefix=b'0755'),
        )
    ],
    tree={
        **dict.fromkeys(['usr/share/f', 'usr/h'], F('x')),
        'usr/' + 'p' * 100 + '/g': F('y'),
        'usr/l': L('x'),
        'usr/d': D(0o711),
        'o': F(),
    },
)
case(
    'gnu-long-names',
    'of a file, of a link, of both',
    [
        archive(
            long_name('L', 'n' * 150),
            header('n' * 100, size=1, form='gnu'),
            body(b'1'),
            long_name('K', 't' * 150),
            long_name('L', 's' * 120),
            header('s', '2', form='gnu', link='t', mode=0o777),
        )
    ],
    tree={'n' * 150: F('1'), 's' * 120: L('t' * 150)},
)
case(
    'names-of-a-full-field',
    '100 bytes without a NUL, of name and link',
    [archive(file('n' * 100, 'x'), symlink('s' * 100, 't' * 100))],
    tree={'n' * 100: F('x'), 's' * 100: L('t' * 100)},
)

# ---- extension headers ----

refused(
    'pax-length-beyond',
    'a record that is longer than the header',
    extension(b'9999 path=evil\n') + header('f'),
    'a pax record with a wrong length',
    on='',
)
refused(
    'pax-length-0',
    'a record of no length',
    extension(b'0 path=evil\n') + header('f'),
    'a pax record with a wrong length',
    on='',
)
refused(
    'pax-length-negative',
    'a negative one',
    extension(b'-5 path=evil\n') + header('f'),
    'a pax record without a length',
    on='',
)
refused(
    'pax-no-newline',
    'a record that ends with something else',
    extension(b'12 path=evilx') + header('f'),
    'a pax record with a wrong length',
    on='',
)
refused(
    'pax-no-equals',
    'a record without a value',
    extension(b'8 path\n\n') + header('f'),
    'a pax record without a key',
    on='',
)
refused(
    'pax-no-key',
    'a record without a key',
    extension(b'6 =xx\n') + header('f'),
    'a pax record without a key',
    on='',
)
refused(
    'pax-path-nul',
    'what is checked and what the kernel sees would differ',
    entry('f', data=b'x', pax=[('path', b'good\0/../../escaped')]),
    PAX,
    on='good',
)
refused(
    'pax-linkpath-nul',
    'so it would in a link',
    entry('s', '2', pax=[('linkpath', b'ok\0/etc')]),
    PAX,
    on='',
)
case(
    'pax-path-empty',
    'an empty path says nothing',
    [archive(OK, entry('f', pax=[('path', '')]))],
    tree={'ok': F('ok'), 'f': F()},
)
refused(
    'pax-2-gib',
    'a header that claims 2 GiB',
    extension(b'', size=2 << 30),
    'an extension header of more than 1 MiB',
    on='',
    seconds=10,
)
refused(
    'gnu-name-2-gib',
    'so does a long name',
    header('././@LongLink', 'L', size=2 << 30, form='gnu'),
    'more than 1 MiB',
    on='',
    seconds=10,
)
refused(
    'gnu-name-nul',
    'a long name with a NUL in it',
    long_name('L', b'good\0bad') + header('f', form='gnu'),
    'GNU long name',
    on='',
)
refused(
    'gnu-name-empty',
    'an empty one',
    long_name('L', b'') + header('f', form='gnu'),
    'GNU long name',
    on='',
)
refused(
    'two-pax-headers',
    'for one entry',
    extension([('uid', '1')]) + extension([('uid', '2')]) + header('f'),
    'two extension headers of one kind',
    on='',
)
refused(
    'two-gnu-names',
    'for one entry',
    long_name('L', 'a') + long_name('L', 'b') + header('f', form='gnu'),
    'two extension headers of one kind',
    on='',
)
refused(
    'pax-and-gnu-name',
    'two names for one entry',
    long_name('L', 'a') + extension([('path', 'b')]) + header('f'),
    'its name both in a pax and in a GNU header',
    on='',
)
refused(
    'seventeen-headers',
    'global headers without end',
    extension([('comment', 'x')], kind='g') * 17 + header('f'),
    'more than 16 extension headers in a row',
    on='',
)
refused(
    'unknown-charset',
    'a name in a charset that is not known',
    entry('f', pax=[('hdrcharset', 'KLINGON'), ('path', 'x')]),
    PAX,
    on='',
)
case(
    'global-comment',
    'git writes one',
    [archive(extension([('comment', 'a' * 40)], kind='g', name='pax_global_header'), OK)],
    tree={'ok': F('ok')},
)
case(
    'global-path',
    'a global path names nothing',
    [archive(extension([('path', 'evil'), ('uid', '7')], kind='g'), OK, file('two'))],
    tree={'ok': F('ok'), 'two': F()},
)
case(
    'pax-last-counts',
    'a key twice',
    [archive(entry('f', pax=[('uid', '5'), ('uid', '6')]))],
    tree={'f': F(uid=6)},
)
case(
    'pax-value-with-newlines',
    'a value that looks like records',
    [archive(entry('x', pax=[('path', b'a\n18 path=smuggled\nb')]))],
    tree={b'a\n18 path=smuggled\nb': F()},
)
case(
    'pax-unknown-keys',
    'keys that mean nothing to us',
    [
        archive(
            entry(
                'f',
                pax=[('comment', 'x'), ('VENDOR.thing', '\0\1'), ('atime', '7'), ('ctime', '8')],
            )
        )
    ],
    tree={'f': F()},
)
case(
    'pax-charset-binary',
    'names of bytes',
    [archive(entry('f', pax=[('hdrcharset', 'BINARY'), ('path', b'raw-\xff')]))],
    tree={b'raw-\xff': F()},
)
case(
    'pax-and-gnu-of-different-things',
    'a name of GNU, ids of pax',
    [
        archive(
            long_name('L', 'n' * 120), extension([('uid', '70000')]), header('n' * 100, form='gnu')
        )
    ],
    tree={'n' * 120: F(uid=70000)},
    user_refused='70000',
    user_on='',
)

# ---- names ----

refused(
    'component-256',
    'no directory can hold it',
    file('x' * 256),
    'a component of more than 255 bytes',
    on='x' * 100,
)
case(
    'component-255',
    'this one can be',
    [archive(file('n' * 255, '1'), folder('d' * 255), symlink('d' * 255 + '/' + 's' * 255, 'x'))],
    tree={'n' * 255: F('1'), 'd' * 255: D(), 'd' * 255 + '/' + 's' * 255: L('x')},
)
case(
    'path-4000',
    'a long path that the kernel takes',
    [archive(file('/'.join(['q' * 249] * 15) + '/f', '2'))],
    tree={'/'.join(['q' * 249] * 15) + '/f': F('2')},
)
# PATH_MAX is 4096 and counts the NUL.
LONGEST = '/'.join(['p' * 199] * 20) + '/' + 'f' * 95
case(
    'path-4095',
    'the longest that the kernel takes',
    [archive(file(LONGEST, '1'), link('l', LONGEST))],
    tree=dict.fromkeys([LONGEST, 'l'], F('1')),
)
case(
    'path-4095-of-a-whiteout',
    'the path of what it hides counts',
    [archive(OK, file(LONGEST, '1')), archive(file(LONGEST[:-95] + '.wh.' + 'f' * 95))],
    tree={'ok': F('ok'), LONGEST[:-96]: IMPLIED()},
)
for n, what, entry_ in (
    ('4096', 'a path of one byte more', file(LONGEST + 'f')),
    ('4097', 'of two', file(LONGEST + 'ff')),
    ('of-a-folder', 'a directory', folder(LONGEST + 'd')),
    ('of-a-link', 'a symbolic link', symlink(LONGEST + 's', 'x')),
    ('of-a-whiteout', 'a whiteout', file(LONGEST[:-95] + '.wh.' + 'f' * 96)),
    ('of-many-components', '2049 directories', file('x/' * 2048 + 'f')),
):
    refused(
        f'path-{n}',
        f'{what}: no call takes it as a whole',
        entry_,
        'the name is longer than 4095 bytes',
        on='',
    )
refused(
    'path-of-a-link-target',
    'nor may a hard link name one',
    link('l', LONGEST + 'f'),
    'the name is longer than 4095 bytes',
    on='',
)
case(
    'path-of-many-short-names',
    'very deep',
    [archive(file('x/' * 300 + 'f', 'deep'))],
    tree={'x/' * 300 + 'f': F('deep')},
)
refused(
    'path-beyond-65535',
    'there is an end to it',
    file('/'.join(['p' * 200] * 330)),
    'the name is longer than 4095 bytes',
    on='p' * 100,
)
case(
    'empty-name',
    'the root, by another spelling, as a file',
    [archive(OK, header('', size=1), body(b'x'))],
    refused='is the root of the layer, but not a directory',
)
ODD = [
    b'new\nline',
    b'tab\there',
    'ünïcødé-日本'.encode(),
    b'raw-\xff\xfe',
    b'sp ace',
    b'back\\slash',
    b'*?[',
    b'-rf',
    b'quote"\'',
    b'trailing ',
    b'.hidden',
    b'#hash',
    b'colon:comma,',
    b'\x01\x1b[2J',
    b'\x7f',
    b'%s%n',
    b'trusted.overlay.opaque',
    b'lost+found',
    b'~',
]
case(
    'odd-names',
    'whatever is no NUL and no slash is a name',
    [archive(*[entry(n, data=n) for n in ODD])],
    tree={n: F(n) for n in ODD},
)
case(
    'odd-directory-names',
    'so for directories, links and whiteouts of them',
    [
        archive(
            *[folder(n) for n in ODD],
            *[file(n + b'/x') for n in ODD],
            *[symlink(n + b'/l', n) for n in ODD],
        ),
        archive(*[entry(n + b'/.wh.x') for n in ODD], *[entry(b'.wh.' + n) for n in ODD[:5]]),
    ],
    tree={**{n: D() for n in ODD[5:]}, **{n + b'/l': L(n) for n in ODD[5:]}},
)
case(
    'same-name-normalised',
    'two spellings in Unicode are two names',
    [archive(file('\u00e9', '1'), file('e\u0301', '2'))],
    tree={'\u00e9': F('1'), 'e\u0301': F('2')},
)
case(
    'case-differs',
    'so are large and small letters',
    [archive(file('Name', '1'), file('name', '2'))],
    tree={'Name': F('1'), 'name': F('2')},
)
case(
    'longest-link',
    'the longest target, and odd ones',
    [
        archive(
            symlink('l', 't' * 4095),
            symlink('m', b'\xff\n\t /../..'),
            symlink('n', '/'),
            symlink('o', '.wh.x'),
        )
    ],
    tree={'l': L('t' * 4095), 'm': L(b'\xff\n\t /../..'), 'n': L('/'), 'o': L('.wh.x')},
)
refused(
    'link-too-long',
    'a target that no link can hold',
    symlink('l', 't' * 4096),
    'the target of the symbolic link is longer than 4095 bytes',
    on="'l'",
)
refused(
    'link-to-no-name',
    'a target of no bytes',
    symlink('l', ''),
    'is a symbolic link to nothing',
    on="'l'",
)

# ---- repeated entries ----

case(
    'file-twice',
    'the later one counts',
    [archive(file('m', '1', uid=3), file('m', '22', mode=0o600))],
    tree={'m': F('22', 0o600)},
)
case(
    'types-in-turn',
    'a name as file, directory with content, link, FIFO, directory',
    [
        archive(
            file('n', 'f'),
            folder('n'),
            file('n/in', 'x'),
            symlink('n', 'elsewhere'),
            entry('n', '6'),
            folder('n', uid=4),
            file('n/last'),
        )
    ],
    tree={'n': D(uid=4), 'n/last': F()},
)
case(
    'directory-ends-as-link',
    'a directory with content, and then a link',
    [archive(file('n', 'f'), folder('n'), file('n/in', 'x'), symlink('n', 'elsewhere'))],
    tree={'n': L('elsewhere')},
)
case(
    'directory-twice',
    'with another owner, mode and time; all content stays',
    [
        archive(
            folder('d', mode=0o700, uid=1, mtime=100),
            file('d/a', 'a'),
            folder('d', mode=0o711, uid=2, mtime=200),
            file('d/b', 'b'),
        )
    ],
    tree={'d': D(0o711, uid=2, mtime=200), 'd/a': F('a'), 'd/b': F('b')},
)
case(
    'fifo-twice',
    'special files, too',
    [archive(entry('p', '6', uid=1), entry('p', '6', uid=2, mode=0o600))],
    tree={'p': P(0o600, uid=2)},
)
