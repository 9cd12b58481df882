# SPDX-License-Identifier: LGPL-2.1-or-later
"""What is on disk, read without following anything, compared with what should be there."""
import os
import stat

KINDS = {
    stat.S_IFREG: 'file',
    stat.S_IFDIR: 'dir',
    stat.S_IFLNK: 'link',
    stat.S_IFCHR: 'char',
    stat.S_IFBLK: 'block',
    stat.S_IFIFO: 'fifo',
    stat.S_IFSOCK: 'socket',
}
OVERLAY = (b'trusted.overlay.', b'user.overlay.')


def names(fd):
    return sorted(os.fsencode(x) for x in os.listdir(fd))


def walk(top):
    """(path, its directory's descriptor, name) of all below top, parents first; the root is ('',
    fd, '.')."""
    stack = [(b'', os.open(top, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW), None)]
    yield b'', stack[0][1], b'.'
    while stack:
        path, fd, left = stack[-1]
        if left is None:
            left = names(fd)
            stack[-1] = path, fd, left
        if not left:
            os.close(fd)
            stack.pop()
            continue
        name = left.pop(0)
        here = path + b'/' + name if path else name
        yield here, fd, name
        try:
            down = os.open(
                name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=fd
            )
        except OSError:
            continue
        stack.append((here, down, None))


def at(fd, name):
    return b'/proc/self/fd/%d/' % fd + name


def xattrs(fd, name):
    """Those of one file; what SELinux gave is not ours."""
    path = at(fd, name)
    return {
        n: os.getxattr(path, n, follow_symlinks=False)
        for n in os.listxattr(path, follow_symlinks=False)
        if n != 'security.selinux'
    }


def content_differs(path, st, node):
    """Pieces of a sparse file are looked for where it has data; all else must be zeros, and mostly
    holes."""
    if isinstance(node.data, bytes):
        with open(path, 'rb') as f:
            return f.read(len(node.data) + 1) != node.data
    if st.st_blocks * 512 > sum(len(d) for d in node.data.values()) + len(node.data) * (64 << 10):
        return True
    fd, pos, left = os.open(path, os.O_RDONLY), 0, dict(node.data)
    try:
        while pos < st.st_size:
            try:
                pos = os.lseek(fd, pos, os.SEEK_DATA)
            except OSError:
                break
            end = os.lseek(fd, pos, os.SEEK_HOLE)
            have = bytearray(os.pread(fd, end - pos, pos))
            for offset, data in list(left.items()):
                if pos <= offset < end:
                    if have[offset - pos : offset - pos + len(data)] != data:
                        return True
                    have[offset - pos : offset - pos + len(data)] = bytes(len(data))
                    del left[offset]
            if have.strip(b'\0'):
                return True
            pos = end
    finally:
        os.close(fd)
    return any(d.strip(b'\0') for d in left.values())


def difference(fd, name, st, node):
    kind = KINDS[stat.S_IFMT(st.st_mode)]
    if kind != node.kind:
        return 'is a %s, not a %s' % (kind, node.kind)
    got = {
        'owner': (st.st_uid, st.st_gid),
        'mtime': divmod(st.st_mtime_ns, 10**9),
        'xattrs': xattrs(fd, name),
    }
    want = {'owner': (node.uid, node.gid), 'mtime': node.mtime, 'xattrs': node.xattrs}
    if kind != 'link':
        got['mode'], want['mode'] = '%04o' % stat.S_IMODE(st.st_mode), '%04o' % node.mode
    if kind == 'file':
        got['size'], want['size'] = st.st_size, node.size
    if kind == 'link':
        got['target'], want['target'] = os.readlink(name, dir_fd=fd), node.data
    if kind in ('char', 'block'):
        got['device'], want['device'] = (os.major(st.st_rdev), os.minor(st.st_rdev)), node.dev
    for what in got:
        if got[what] != want[what]:
            return '%s %r, not %r' % (what, got[what], want[what])
    if kind == 'file' and content_differs(at(fd, name), st, node):
        return 'has another content'
    return ''


def compare(top, tree):
    """Lines that say in what the tree below top is not the one that is expected: types, owners,
    modes, times, attributes, link counts, contents, and that nothing is missing or too much."""
    out, left, inodes, links = [], dict(tree), {}, {}
    for node in tree.values():
        links[id(node)] = links.get(id(node), 0) + 1
    for path, fd, name in walk(top):
        node = left.pop(path, None)
        try:
            st = os.stat(name, dir_fd=fd, follow_symlinks=False)
        except OSError as e:
            out.append('%r is listed, but: %s' % (path, e.strerror))
            continue
        if not node:
            out.append('%r is too much' % path)
            continue
        wrong = difference(fd, name, st, node)
        if not wrong and node.kind != 'dir':
            count = node.nlink or links[id(node)]
            if st.st_nlink != count:
                wrong = '%d links, not %d' % (st.st_nlink, count)
            if inodes.setdefault((st.st_dev, st.st_ino), node) is not node:
                wrong = 'is the same file as another'
        if wrong:
            out.append('%r: %s' % (path, wrong))
    seen_of = {}
    for key, node in inodes.items():
        seen_of.setdefault(id(node), []).append(key)
    out += ['what should be one file is more' for keys in seen_of.values() if len(keys) > 1]
    return out + ['%r is missing' % path for path in left]


def forged(top):
    """Attributes that speak to overlayfs, other than the marks that image-unpack itself makes."""
    out = []
    for path, fd, name in walk(top):
        for n, value in xattrs(fd, name).items():
            n = n.encode()
            for prefix in OVERLAY:
                rest = n[len(prefix) :] if n.startswith(prefix) else b'overlay.'
                if not rest.startswith(b'overlay.') and (rest, value) not in (
                    (b'opaque', b'y'),
                    (b'opaque', b'x'),
                    (b'whiteout', b''),
                ):
                    out.append('%r has the attribute %r' % (path, n))
    return out


def snapshot(top, skip):
    """What every change of a file outside would change, its ctime above all."""
    out = {}
    for base, dirs, files in os.walk(os.fsencode(top)):
        dirs[:] = [d for d in dirs if os.path.join(base, d) not in skip]
        for path in (
            [base]
            + [os.path.join(base, n) for n in files]
            + [os.path.join(base, d) for d in dirs if os.path.islink(os.path.join(base, d))]
        ):
            st = os.lstat(path)
            out[path] = (
                st.st_mode,
                st.st_uid,
                st.st_gid,
                st.st_nlink,
                st.st_size,
                st.st_ino,
                st.st_mtime_ns,
                st.st_ctime_ns,
            )
    return out


def changes(before, after):
    for path in sorted(set(before) | set(after)):
        if before.get(path) != after.get(path):
            yield '%r was %s' % (
                path,
                'made' if path not in before else 'removed' if path not in after else 'changed',
            )
