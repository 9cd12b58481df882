# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a case is: an input, and what must come of it.

    case(NAME, WHY, LAYERS or an Image or {FORM: bytes}, tree={...})
        accepted: the merged tree is exactly this
    case(NAME, WHY, ..., refused=TEXT, on=TEXT)
        refused, and the message holds both texts
    case(NAME, WHY, ..., safe=True)
        either, but no crash, no hang, no escape

LAYERS: tar archives, base first; they are given in every form (see the runner). FORM: oci,
oci-archive, docker-archive, layer, plain, stdin, pipe: only that one. A tree names every path but
the directories that only exist as parents of others (root's, mode 0755, the epoch): those are
added.
Paths that hard links join have the same node.

More about a case:
  flat={...}      what one tree has otherwise than the merged view of layers (None: nothing there);
                  flat_refused=TEXT
  user={...}      what an ordinary user's namespace gives otherwise; user_refused=TEXT
  plain_refused=TEXT  layers that are given by themselves are refused
  warns=TEXT      is said on stderr, which is empty otherwise (user_warns: in addition, without
                  privilege)
  options=[...]   for image-unpack
  ref=TEXT        is added to the source, behind a colon
  disk=MIB        what it may take at most, in all modes; seconds=N: how long
  space=MIB       the store is a filesystem of this size
  modes='...'     only these
"""
import copy

from tarball import TIME, raw

CANARY = '/scratch/canary'  # what hostile entries aim at: see sandbox.py
CASES = []


class Node:
    """A file as it must be seen. kind: file dir link char block fifo. data: bytes; {offset: bytes}
    of a sparse one."""

    def __init__(
        self,
        kind,
        mode,
        data=b'',
        uid=0,
        gid=0,
        mtime=TIME,
        xattrs=None,
        size=None,
        dev=None,
        nlink=None,
    ):
        self.kind, self.mode, self.data, self.uid, self.gid = kind, mode, data, uid, gid
        self.mtime = mtime if isinstance(mtime, tuple) else (mtime, 0)
        self.xattrs = xattrs or {}
        self.size = len(data) if size is None else size
        self.dev, self.nlink = dev, nlink


def F(data=b'', mode=0o644, **more):
    return Node('file', mode, raw(data), **more)


def D(mode=0o755, **more):
    return Node('dir', mode, **more)


def L(to, **more):
    return Node('link', 0o777, raw(to), **more)


def C(major, minor, mode=0o644, **more):
    return Node('char', mode, dev=(major, minor), **more)


def B(major, minor, mode=0o644, **more):
    return Node('block', mode, dev=(major, minor), **more)


def P(mode=0o644, **more):
    return Node('fifo', mode, **more)


def sparse(size, pieces, mode=0o644, **more):
    return Node('file', mode, {at: data for at, data in pieces}, size=size, **more)


def IMPLIED(**more):
    """A directory that no layer lists."""
    return D(mtime=0, **more)


def whole(tree):
    """With bytes for names, a root and the directories in between."""
    out = {raw(path): node for path, node in tree.items() if node}
    for path in list(out):
        while b'/' in path:
            path = path.rpartition(b'/')[0]
            out.setdefault(path, IMPLIED())
    out.setdefault(b'', IMPLIED())
    return out


def overlaid(tree, over):
    """The tree with some nodes changed; those that were one file and are not named stay one."""
    tree = {raw(k): v for k, v in tree.items()}
    tree.update({raw(k): v for k, v in over.items()})
    return whole(tree)


class Case:
    def __init__(
        self,
        name,
        why,
        what,
        tree=None,
        refused=None,
        on='',
        safe=False,
        flat=None,
        flat_refused=None,
        user=None,
        user_refused=None,
        plain_refused=None,
        user_on=None,
        warns='',
        user_warns='',
        options=(),
        disk=16,
        seconds=30,
        space=None,
        modes=None,
        ref='',
    ):
        assert name not in [c.name for c in CASES], name
        assert (tree is not None) + (refused is not None) + safe == 1, name
        self.name, self.why, self.what, self.tree, self.refused, self.on = (
            name,
            why,
            what,
            tree,
            refused,
            on,
        )
        self.safe, self.flat, self.flat_refused = safe, flat, flat_refused
        self.user, self.user_refused = user, user_refused
        self.plain_refused = plain_refused
        self.user_on = on if user_on is None else user_on
        self.warns, self.user_warns, self.options = warns, user_warns, list(options)
        self.disk, self.seconds = disk, seconds
        self.ref = ref
        self.space, self.modes = space, modes.split() if modes else None

    def expected(self, kind, form=''):
        """(tree, refusal, entry named) in a kind of mode: store, flat, rootless."""
        if self.safe:
            return None, None, ''
        if form == 'plain' and self.plain_refused:
            return None, self.plain_refused, self.on
        if kind == 'flat' and self.flat_refused:
            return None, self.flat_refused, self.on
        if kind == 'rootless' and self.user_refused:
            return None, self.user_refused, self.user_on
        if self.refused is not None:
            return None, self.refused, self.on
        over = self.flat if kind == 'flat' else self.user if kind == 'rootless' else None
        return overlaid(self.tree, over or {}), None, ''


def case(name, why, what, **more):
    CASES.append(Case(name, why, what, **more))


def changed(node, **members):
    out = copy.copy(node)
    out.__dict__.update(members)
    return out
