# SPDX-License-Identifier: LGPL-2.1-or-later
"""Tar archives written block by block, so that every byte of a header can be right or wrong.

An entry is a bytes object: its extension headers, its header, its padded body. Archives are entries
one after another (POSIX.1 pax, "ustar Interchange Format"; GNU tar manual, "Basic Tar Format" and
"Sparse Formats").
"""
TIME = 1500000000  # of entries that do not say
BLOCK = 512
OFFSETS = {
    'name': 0,
    'mode': 100,
    'uid': 108,
    'gid': 116,
    'size': 124,
    'mtime': 136,
    'sum': 148,
    'type': 156,
    'link': 157,
    'magic': 257,
    'major': 329,
    'minor': 337,
    'prefix': 345,
    'gnu_times': 345,
    'sparse': 386,
    'extended': 482,
    'realsize': 483,
}
MAGIC = {'ustar': b'ustar\0' + b'00', 'gnu': b'ustar  \0', 'v7': b''}


def raw(text):
    return text if isinstance(text, bytes) else text.encode()


def octal(value, width):
    return b'%0*o\0' % (width - 1, value)


def base256(value, width):
    """GNU's binary numbers: the top bit is a flag, the rest a two's complement number."""
    bits = 8 * width - 1
    return ((value % (1 << bits)) | 1 << bits).to_bytes(width, 'big')


def number(value, width):
    if isinstance(value, bytes):
        return value
    return octal(value, width) if 0 <= value < 8 ** (width - 1) else base256(value, width)


def header(
    name,
    kind='0',
    size=0,
    mode=0o644,
    uid=0,
    gid=0,
    mtime=TIME,
    link=b'',
    form='ustar',
    dev=None,
    prefix=b'',
    patch=None,
    checksum='unsigned',
):
    """One block. Numbers may be given as the bytes of their field; patch: {field or offset: bytes},
    put in last."""
    h = bytearray(BLOCK)

    def put(field, data):
        at = OFFSETS.get(field, field)
        h[at : at + len(data)] = data

    for field, data in (
        ('name', raw(name)[:100]),
        ('mode', number(mode, 8)),
        ('uid', number(uid, 8)),
        ('gid', number(gid, 8)),
        ('size', number(size, 12)),
        ('mtime', number(mtime, 12)),
        ('type', raw(kind)),
        ('link', raw(link)[:100]),
        ('magic', MAGIC[form]),
        ('prefix', prefix),
    ):
        put(field, data)
    if dev:
        put('major', number(dev[0], 8))
        put('minor', number(dev[1], 8))
    for field, data in (patch or {}).items():
        put(field, data)
    put('sum', b' ' * 8)
    total = sum(h) if checksum != 'signed' else sum(c - 256 * (c > 127) for c in h)
    put('sum', checksum if isinstance(checksum, bytes) else b'%06o\0 ' % (total % 8**6))
    return bytes(h)


def body(data):
    return data + bytes(-len(data) % BLOCK)


def record(key, value):
    """One pax record, whose length counts its own digits."""
    rest = b' %s=%s\n' % (raw(key), raw(value))
    length = len(rest) + 1
    while len(str(length)) + len(rest) != length:
        length += 1
    return b'%d' % length + rest


def extension(records, kind='x', size=None, name='PaxHeaders/e'):
    """A pax header; records: bytes, or pairs of key and value. size lies."""
    if not isinstance(records, bytes):
        records = b''.join(record(k, v) for k, v in records)
    return header(name, kind, len(records) if size is None else size) + body(records)


def long_name(kind, text, end=b'\0'):
    """GNU's header of a long name (L) or link (K)."""
    text = raw(text) + end
    return header('././@LongLink', kind, len(text), mode=0, mtime=0, form='gnu') + body(text)


def entry(name, kind='0', data=b'', pax=(), xattrs=None, **fields):
    """An entry with the pax header that it needs: for long names and links, and times with a
    fraction."""
    records = list(pax) + [('SCHILY.xattr.' + k, v) for k, v in (xattrs or {}).items()]
    if len(raw(name)) > 100:
        records.append(('path', name))
    if len(raw(fields.get('link', b''))) > 100:
        records.append(('linkpath', fields['link']))
    if isinstance(fields.get('mtime'), str):
        records.append(('mtime', fields.pop('mtime')))
    fields.setdefault('size', len(data))
    fields.setdefault('mode', {'5': 0o755, '2': 0o777}.get(kind, 0o644))
    return (extension(records) if records else b'') + header(name, kind, **fields) + body(data)


def file(name, data=b'', **fields):
    return entry(name, '0', raw(data), **fields)


def folder(name, **fields):
    return entry(raw(name).rstrip(b'/') + b'/', '5', **fields)


def symlink(name, to, **fields):
    return entry(name, '2', link=to, **fields)


def link(name, to, **fields):
    return entry(name, '1', link=to, **fields)


def char(name, major, minor, **fields):
    return entry(name, '3', dev=(major, minor), **fields)


def blockdev(name, major, minor, **fields):
    return entry(name, '4', dev=(major, minor), **fields)


def fifo(name, **fields):
    return entry(name, '6', **fields)


def whiteout(path, **fields):
    """d/x is told to be gone by d/.wh.x."""
    top, slash, base = raw(path).rpartition(b'/')
    return entry(top + slash + b'.wh.' + base, **fields)


def opaque(path=''):
    return entry((path + '/' if path else '') + '.wh..wh..opq')


def archive(*entries, end=2 * BLOCK):
    return b''.join(entries) + bytes(end)


# ---- files with holes ----


def old_sparse(name, size, pieces, **fields):
    """GNU's own type S: the map in the header, four pieces, and in blocks of 21 that follow."""
    items = [(at, len(data)) for at, data in pieces] + [(size, 0)]
    cells = [octal(at, 12) + octal(n, 12) for at, n in items]
    more = [cells[i : i + 21] for i in range(4, len(cells), 21)]
    patch = {'sparse': b''.join(cells[:4]), 'realsize': octal(size, 12)}
    if more:
        patch['extended'] = b'\1'
    blocks = [
        b''.join(x).ljust(504, b'\0') + (b'\1' if i + 1 < len(more) else b'\0') + bytes(7)
        for i, x in enumerate(more)
    ]
    data = b''.join(d for _, d in pieces)
    return (
        header(name, 'S', len(data), form='gnu', patch=patch, **fields)
        + b''.join(blocks)
        + body(data)
    )


def pax_sparse(version, name, size, pieces, **fields):
    """GNU's three forms in pax: 0.0 repeats two keys, 0.1 has one map, 1.0 puts it before the
    data."""
    data = b''.join(d for _, d in pieces)
    items = [(at, len(d)) for at, d in pieces]
    if version == '1.0':
        text = (
            b'%d\n' % (len(items) + 1)
            + b''.join(b'%d\n%d\n' % i for i in items)
            + b'%d\n0\n' % size
        )
        records = [
            ('GNU.sparse.major', '1'),
            ('GNU.sparse.minor', '0'),
            ('GNU.sparse.name', name),
            ('GNU.sparse.realsize', str(size)),
        ]
        return extension(records) + entry('GNUSparseFile.7/x', data=body(text) + data, **fields)
    records = [('GNU.sparse.size', str(size)), ('GNU.sparse.numblocks', str(len(items) + 1))]
    items.append((size, 0))
    if version == '0.0':
        for at, n in items:
            records += [('GNU.sparse.offset', str(at)), ('GNU.sparse.numbytes', str(n))]
        return extension(records) + entry(name, data=data, **fields)
    records += [('GNU.sparse.name', name), ('GNU.sparse.map', ','.join('%d,%d' % i for i in items))]
    return extension(records) + entry('GNUSparseFile.7/x', data=data, **fields)
