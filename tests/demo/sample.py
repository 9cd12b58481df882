#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""sample.py OUT: a small OCI image that has one of everything that owners are about.

Three layers: a base with several owners, a set-uid program, a file capability, an ACL and a device;
a second that hides a file (whiteout) and replaces a directory (opaque); a third that adds to
both."""
import gzip
import hashlib
import io
import json
import os
import struct
import sys
import tarfile

WHEN = 1700000000
CAP_NET_RAW = struct.pack('<5I', 0x02000001, 1 << 13, 0, 0, 0)  # VFS_CAP_REVISION_2, effective
ACL_USER_1000 = struct.pack('<I', 2) + b''.join(
    struct.pack('<HHI', tag, perm, who)
    for tag, perm, who in (
        (0x01, 7, 0xFFFFFFFF),
        (0x02, 7, 1000),
        (0x04, 5, 0xFFFFFFFF),
        (0x10, 7, 0xFFFFFFFF),
        (0x20, 5, 0xFFFFFFFF),
    )
)


def entry(name, owner=(0, 0), mode=None, data=None, kind=None, link='', dev=None, xattrs=None):
    t = tarfile.TarInfo(name)
    t.type = kind or (tarfile.REGTYPE if data is not None else tarfile.DIRTYPE)
    t.mode = mode if mode is not None else 0o755 if t.isdir() else 0o644
    t.uid, t.gid = owner
    t.mtime, t.linkname = WHEN, link
    t.size = len(data or b'')
    if dev:
        t.devmajor, t.devminor = dev
    for key, value in (xattrs or {}).items():
        t.pax_headers['SCHILY.xattr.' + key] = value.decode('utf-8', 'surrogateescape')
    return t, data or b''


LAYERS = [
    [
        entry('bin'),
        entry('bin/su', mode=0o4755, data=b'#!/bin/sh\n'),
        entry(
            'bin/ping', mode=0o755, data=b'#!/bin/sh\n', xattrs={'security.capability': CAP_NET_RAW}
        ),
        entry('dev'),
        entry('dev/null', mode=0o666, kind=tarfile.CHRTYPE, dev=(1, 3)),
        entry('etc'),
        entry('etc/passwd', data=b'root:x:0:0::/root:/bin/sh\n'),
        entry('etc/motd', data=b'hello\n'),
        entry('home'),
        entry('home/dev', (1000, 1000), 0o700),
        entry('home/dev/notes', (1000, 1000), data=b'mine\n'),
        entry('srv'),
        entry('srv/www', (33, 33), 0o2775, xattrs={'system.posix_acl_access': ACL_USER_1000}),
        entry('srv/cache', (101, 102)),
        entry('srv/cache/old', (101, 102), data=b'old\n'),
        entry('var'),
        entry('var/mail', (0, 8), 0o2775),
    ],
    [
        entry('etc'),
        entry('etc/.wh.motd', data=b''),
        entry('srv'),
        entry('srv/cache', (101, 102)),
        entry('srv/cache/.wh..wh..opq', data=b''),
        entry('srv/cache/new', (101, 102), data=b'new\n'),
    ],
    [
        entry('srv/www/index.html', (33, 33), data=b'<h1>hello</h1>\n'),
        entry('srv/www/copy.html', (33, 33), kind=tarfile.LNKTYPE, link='srv/www/index.html'),
    ],
]


def blob(out, data):
    digest = hashlib.sha256(data).hexdigest()
    with open(os.path.join(out, 'blobs', 'sha256', digest), 'wb') as f:
        f.write(data)
    return {'digest': 'sha256:' + digest, 'size': len(data)}


def main():
    out = sys.argv[1]
    os.makedirs(os.path.join(out, 'blobs', 'sha256'))
    media = 'application/vnd.oci.image.'
    layers, diff_ids = [], []
    for entries in LAYERS:
        raw = io.BytesIO()
        with tarfile.open(
            fileobj=raw, mode='w', format=tarfile.PAX_FORMAT, encoding='utf-8'
        ) as tar:
            for info, data in entries:
                tar.addfile(info, io.BytesIO(data))
        diff_ids.append('sha256:' + hashlib.sha256(raw.getvalue()).hexdigest())
        layers.append(
            dict(
                blob(out, gzip.compress(raw.getvalue(), mtime=0)),
                mediaType=media + 'layer.v1.tar+gzip',
            )
        )
    machine = os.uname().machine
    config = {
        'architecture': {'x86_64': 'amd64', 'aarch64': 'arm64'}.get(machine, machine),
        'os': 'linux',
        'config': {'Cmd': ['/bin/su']},
        'rootfs': {'type': 'layers', 'diff_ids': diff_ids},
    }
    manifest = {
        'schemaVersion': 2,
        'mediaType': media + 'manifest.v1+json',
        'layers': layers,
        'config': dict(blob(out, json.dumps(config).encode()), mediaType=media + 'config.v1+json'),
    }
    top = dict(
        blob(out, json.dumps(manifest).encode()),
        mediaType=media + 'manifest.v1+json',
        annotations={'org.opencontainers.image.ref.name': 'latest'},
    )
    with open(os.path.join(out, 'index.json'), 'w') as f:
        json.dump({'schemaVersion': 2, 'manifests': [top]}, f)
    with open(os.path.join(out, 'oci-layout'), 'w') as f:
        json.dump({'imageLayoutVersion': '1.0.0'}, f)


if __name__ == '__main__':
    main()
