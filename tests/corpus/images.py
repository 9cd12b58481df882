# SPDX-License-Identifier: LGPL-2.1-or-later
"""Images around layers, in the forms in which they come, and with documents that may lie."""
import copy
import hashlib
import json
import os

import streams
import tarball

OCI = 'application/vnd.oci.image.'
DOCKER = 'application/vnd.docker.'
REF = 'org.opencontainers.image.ref.name'
MACHINES = {'x86_64': 'amd64', 'aarch64': 'arm64'}
ARCH = MACHINES.get(os.uname().machine, os.uname().machine)


def digest(data):
    return 'sha256:' + hashlib.sha256(data).hexdigest()


def text(document):
    return document if isinstance(document, bytes) else json.dumps(document).encode()


class Layer:
    """tar: what the layer is; blob: what is stored for it. The descriptor's members may be given,
    to lie."""

    def __init__(self, tar, blob=None, kind=OCI + 'layer.v1.tar+gzip', diff_id=None, **descriptor):
        self.tar = tar
        self.blob = streams.gz(tar) if blob is None else blob
        self.diff_id = diff_id or digest(tar)
        self.missing = descriptor.pop('missing', False)
        self.descriptor = {
            'mediaType': kind,
            'digest': digest(self.blob),
            'size': len(self.blob),
            **descriptor,
        }


def zstd_layer(tar, blob=None):
    return Layer(tar, streams.zstd(tar) if blob is None else blob, OCI + 'layer.v1.tar+zstd')


def edited(document, change):
    """change: members to be replaced (None: to be removed), or a function of the document."""
    if callable(change):
        return change(document)
    return {k: v for k, v in {**document, **(change or {})}.items() if v is not None}


class Image:
    """A layout: files by name. The changes are applied before a document's digest is taken, spoil
    after."""

    def __init__(
        self,
        layers,
        config=None,
        manifest=None,
        index=None,
        layout=None,
        descriptor=None,
        spoil=None,
    ):
        self.layers = [x if isinstance(x, Layer) else Layer(x) for x in layers]
        self.files = {}
        self.config = text(
            edited(
                {
                    'os': 'linux',
                    'architecture': ARCH,
                    'config': {},
                    'rootfs': {'type': 'layers', 'diff_ids': [x.diff_id for x in self.layers]},
                },
                config,
            )
        )
        self.manifest = text(
            edited(
                {
                    'schemaVersion': 2,
                    'mediaType': OCI + 'manifest.v1+json',
                    'config': {**self.blob(self.config), 'mediaType': OCI + 'config.v1+json'},
                    'layers': [x.descriptor for x in self.layers],
                },
                manifest,
            )
        )
        self.descriptor = edited(
            {'mediaType': OCI + 'manifest.v1+json', **self.blob(self.manifest)}, descriptor
        )
        for x in self.layers:
            if not x.missing:
                self.blob(x.blob)
        self.files['oci-layout'] = text(edited({'imageLayoutVersion': '1.0.0'}, layout))
        self.files['index.json'] = text(
            edited({'schemaVersion': 2, 'manifests': [self.descriptor]}, index)
        )
        if spoil:
            spoil(self)

    def blob(self, data):
        self.files['blobs/' + digest(data).replace(':', '/')] = data
        return {'digest': digest(data), 'size': len(data)}

    def blob_name(self, data):
        return 'blobs/' + digest(data).replace(':', '/')

    def write(self, top):
        """The layout as a directory. A value that is a function makes its file itself."""
        for name, data in self.files.items():
            path = os.path.join(top, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            if callable(data):
                data(path)
            elif data is not None:
                with open(path, 'wb') as f:
                    f.write(data)

    def archive(self, prefix='', first=(), last=()):
        """The layout as an archive; first and last: entries around its files."""
        files = [
            tarball.file(prefix + name, data)
            for name, data in self.files.items()
            if data is not None
        ]
        return tarball.archive(*first, *files, *last)

    def indexed(self, *others, platforms=None, refs=None):
        """The index of this layout names one index with this image and the others in it."""
        items = [copy.deepcopy(x.descriptor) for x in (self, *others)]
        for item, platform in zip(items, platforms or []):
            item['platform'] = dict(zip(('os', 'architecture', 'variant'), platform.split('/')))
        for item, ref in zip(items, refs or []):
            item['annotations'] = {REF: ref}
        for x in others:
            self.files = {**x.files, **self.files}
        inner = text({'schemaVersion': 2, 'mediaType': OCI + 'index.v1+json', 'manifests': items})
        self.files['index.json'] = text(
            {
                'schemaVersion': 2,
                'manifests': [{'mediaType': OCI + 'index.v1+json', **self.blob(inner)}],
            }
        )
        return self


def docker(
    layers,
    names=None,
    links=None,
    config=None,
    manifest=None,
    without=(),
    tags=('corpus/case:latest',),
    extra=(),
    images=(),
):
    """What docker save wrote at first: a directory for each layer, links for those that are there
    already. images: more of them in manifest.json."""
    layers = [x if isinstance(x, Layer) else Layer(x) for x in layers]
    names = names or ['%064x/layer.tar' % (i + 1) for i in range(len(layers))]
    document = text(
        edited(
            {
                'os': 'linux',
                'architecture': ARCH,
                'config': {},
                'rootfs': {'type': 'layers', 'diff_ids': [x.diff_id for x in layers]},
            },
            config,
        )
    )
    files = [
        tarball.symlink(n, links[n]) if n in (links or {}) else tarball.file(n, x.blob)
        for n, x in zip(names, layers)
    ]
    files.append(tarball.file(digest(document)[7:] + '.json', document))
    if 'manifest.json' not in without:
        files.append(
            tarball.file(
                'manifest.json',
                text(
                    [
                        edited(
                            {
                                'Config': digest(document)[7:] + '.json',
                                'RepoTags': list(tags),
                                'Layers': names,
                            },
                            manifest,
                        ),
                        *images,
                    ]
                ),
            )
        )
    return tarball.archive(*files, *extra)
