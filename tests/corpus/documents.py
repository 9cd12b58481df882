# SPDX-License-Identifier: LGPL-2.1-or-later
"""Documents of an image that lie, or are odd. (Digests are right wherever a case does not say
otherwise.)"""
import base64
import os
import stat

from cases import CANARY, D, F, case
from images import ARCH, DOCKER, OCI, REF, Image, Layer, digest, text
from streams import gz
from tarball import archive, file, folder

TAR = archive(file('f', 'f'))
TREE = {'f': F('f')}
OTHER = {'x86_64': 'arm64'}.get(os.uname().machine, 'amd64')
BLOB = gz(TAR)


def image(name, why, layers=None, refused=None, on='', options=(), seconds=30, **more):
    outcome = {'tree': TREE} if refused is None else {'refused': refused, 'on': on}
    case(
        name,
        why,
        Image([Layer(TAR)] if layers is None else layers, **more),
        options=options,
        seconds=seconds,
        **outcome
    )


def replaced(data):
    """The first layer's blob is other bytes than its descriptor says."""

    def spoil(i):
        i.files[i.blob_name(i.layers[0].blob)] = data(i.layers[0].blob) if callable(data) else data

    return spoil


# ---- digests and sizes ----

image(
    'layer-damaged',
    'a bit of the blob is wrong',
    spoil=replaced(lambda b: b[:-1] + bytes([b[-1] ^ 1])),
    refused='layer 1 of 1',
)
image(
    'layer-swapped',
    'another layer in its place',
    spoil=replaced(gz(archive(file('other', 'o' * 99)))),
    refused='its descriptor says',
)
image(
    'layer-missing',
    'its blob is not there',
    [Layer(TAR, missing=True)],
    refused='the blob is missing',
    on='layer 1 of 1',
)
image(
    'diff-id-wrong',
    'the blob is right, its content is not what the config says',
    [Layer(TAR, diff_id='sha256:' + 'ab' * 32)],
    refused='the diff_id (the digest of the uncompressed layer) is wrong',
    on='layer 1 of 1',
)
image(
    'size-too-small',
    'smaller than the blob',
    [Layer(TAR, size=10)],
    refused='its descriptor says 10',
)
image(
    'size-too-large',
    'larger than the blob',
    [Layer(TAR, size=len(BLOB) + 1)],
    refused='its descriptor says',
)
image('size-below-zero', 'negative', [Layer(TAR, size=-1)], refused='"size" is negative')
image(
    'size-as-text',
    'a string',
    [Layer(TAR, size=str(len(BLOB)))],
    refused='"size" is not an integer',
)
image(
    'size-with-fraction',
    'no integer',
    [Layer(TAR, size=float(len(BLOB)))],
    refused='"size" is not an integer',
)
image(
    'size-beyond-63-bits', 'too large for any file', [Layer(TAR, size=1 << 64)], refused='manifest'
)
image(
    'config-damaged',
    'the config is another one',
    refused='not what its digest says',
    spoil=lambda i: i.files.update({i.blob_name(i.config): i.config.replace(b'linux', b'linuX')}),
)
image(
    'manifest-damaged',
    'the manifest has a byte more',
    refused='its descriptor says',
    spoil=lambda i: i.files.update({i.blob_name(i.manifest): i.manifest + b' '}),
)
image(
    'manifest-swapped',
    'the manifest is another one of the same length',
    refused='not what its digest says',
    spoil=lambda i: i.files.update(
        {i.blob_name(i.manifest): i.manifest.replace(b'"schemaVersion"', b'"schemaversion"')}
    ),
)
image(
    'digest-with-a-path',
    'a digest must not become a path',
    [Layer(TAR, digest='sha256:' + '../' * 9 + CANARY[1:] + '/file', size=6)],
    refused='does not have 64 digits',
)
image(
    'digest-in-capitals',
    'hexadecimal digits are small letters',
    [Layer(TAR, digest=digest(BLOB).upper().replace('SHA', 'sha'))],
    refused='is not in lower-case',
)
image(
    'digest-63',
    'one digit too few',
    [Layer(TAR, digest=digest(BLOB)[:-1])],
    refused='does not have 64 digits',
)
image(
    'digest-of-another-kind',
    'an algorithm that is not taken',
    [Layer(TAR, digest='md5:' + 'a' * 32)],
    refused='is not a sha256 digest',
)
image(
    'diff-id-with-a-path',
    'a diff_id names a directory of the store',
    [Layer(TAR, diff_id='sha256:../../escaped')],
    refused='does not have 64 digits',
)
image(
    'diff-ids-too-many',
    'two for one layer',
    config={'rootfs': {'type': 'layers', 'diff_ids': [digest(TAR)] * 2}},
    refused='has 2 diff_ids for 1 layer',
)
image(
    'diff-ids-none',
    'and none',
    config={'rootfs': {'type': 'layers', 'diff_ids': []}},
    refused='has 0 diff_ids for 1 layer',
)

# ---- JSON ----

image(
    'json-deep',
    'nested without end',
    index=lambda i: b'[' * 200000,
    refused='nested deeper than 64 levels',
    seconds=20,
)
image(
    'json-deep-objects',
    'in objects',
    index=lambda i: b'{"a":' * 300000,
    refused='nested deeper than 64 levels',
    seconds=20,
)
image('json-empty', 'no byte', index=lambda i: b'', refused='is not valid JSON', on='index.json')
image(
    'json-text-behind',
    'something after the value',
    index=lambda i: text(i) + b'{}',
    refused='is not valid JSON',
    on='index.json',
)
image(
    'json-not-utf-8',
    'bytes that are no text',
    index=lambda i: text(i).replace(b'"schemaVersion"', b'"a":"\xff","schemaVersion"'),
    refused='is not valid JSON',
)
image(
    'json-large',
    'more than 4 MiB',
    index=lambda i: b' ' * (5 << 20) + text(i),
    refused='index.json',
    seconds=20,
)
image(
    'json-long-number',
    'a number of 100,000 digits',
    index=lambda i: text(i)[:-1] + b',"x":' + b'9' * 100000 + b'}',
    refused='is not valid JSON',
    seconds=20,
)
image(
    'json-key-twice',
    'tools do not agree on which counts',
    manifest=lambda m: text(m)[:-1] + b',"layers":[]}',
    refused='duplicate object key',
    on='layers',
)
image(
    'json-control-bytes',
    'a message shows them escaped',
    [Layer(TAR, kind='\x1b[31mred\u009b')],
    refused='unknown media type',
    on='\\x1b[31mred',
)
image('json-list', 'an index that is a list', index=lambda i: b'[1]', refused='index.json')
image(
    'json-wrong-types',
    'a text where an object belongs',
    manifest={'config': 'x'},
    refused='"config"',
)

# ---- what documents say of themselves ----

image(
    'index-and-manifest-at-once',
    'a document that is both shows two images',
    manifest={'manifests': []},
    refused='is an image manifest but has "manifests"',
)
image(
    'index-with-layers',
    'the other way round',
    index={'layers': []},
    refused='is an index but has "layers"',
)
image(
    'index-for-a-manifest',
    'the descriptor says manifest, the document is an index',
    manifest=lambda m: text({'schemaVersion': 2, 'manifests': []}),
    refused='manifest',
)
image(
    'media-types-differ',
    'the descriptor and the document do not agree',
    manifest={'mediaType': DOCKER + 'distribution.manifest.v2+json'},
    refused='its descriptor',
)
image('media-type-not-said', 'a manifest need not say it', manifest={'mediaType': None})
image(
    'media-type-of-a-layer-unknown',
    'what could it be',
    [Layer(TAR, kind='application/vnd.example.thing')],
    refused='unknown media type',
)
image(
    'media-type-encrypted',
    'a layer that cannot be read',
    [Layer(TAR, kind=OCI + 'layer.v1.tar+gzip+encrypted')],
    refused='encrypted',
)
image(
    'media-types-of-docker',
    'in an OCI layout',
    [Layer(TAR, kind=DOCKER + 'image.rootfs.diff.tar.gzip')],
    manifest=lambda m: {
        **m,
        'mediaType': DOCKER + 'distribution.manifest.v2+json',
        'config': {**m['config'], 'mediaType': DOCKER + 'container.image.v1+json'},
    },
    descriptor={'mediaType': DOCKER + 'distribution.manifest.v2+json'},
)


def docker_config(name, why, kind, oci=False, **more):
    """An image whose config has this media type (None: it has none), in docker's manifest or
    OCI's."""
    of = (OCI + 'manifest.v1+json') if oci else (DOCKER + 'distribution.manifest.v2+json')
    typed = lambda c: {k: v for k, v in {**c, 'mediaType': kind}.items() if v is not None}
    image(
        'config-of-type-' + name,
        why,
        [Layer(TAR, kind=DOCKER + 'image.rootfs.diff.tar.gzip')],
        manifest=lambda m: {**m, 'mediaType': of, 'config': typed(m['config'])},
        descriptor={'mediaType': of},
        **more
    )


OLD = 'as registries of 2016 stored it'
docker_config('octets', OLD, 'application/octet-stream')
docker_config('json', OLD, 'application/json')
docker_config('html', OLD, 'text/html')
docker_config('nothing', OLD, '')
docker_config('absent', OLD, None)
ARTIFACT, CHART = 'is an artifact of type', 'application/vnd.cncf.helm.config.v1+json'
docker_config('chart', 'no image', CHART, refused=ARTIFACT, on=CHART)
docker_config(
    'chart-of-oci', 'no image', CHART, oci=True, refused=ARTIFACT, on='the tool that made'
)
docker_config(
    'octets-of-oci', 'OCI has no old images', 'application/octet-stream', True, refused=ARTIFACT
)
image(
    'artifact-by-its-own-word',
    'the manifest says what it is',
    manifest={
        'artifactType': 'application/vnd.example.sbom',
        'config': {'mediaType': OCI + 'empty.v1+json', 'digest': digest(b'{}'), 'size': 2},
    },
    refused=ARTIFACT,
    on='application/vnd.example.sbom',
)
OLDEST = DOCKER + 'distribution.manifest.v1+prettyjws'
image(
    'manifest-of-schema-1',
    'whole, but not supported',
    descriptor={'mediaType': OLDEST},
    refused='names no image',
    on='docker before version 1.10 made it',
)
image(
    'layer-foreign',
    'where it can be fetched is said',
    [
        Layer(
            TAR,
            missing=True,
            kind=DOCKER + 'image.rootfs.foreign.diff.tar.gzip',
        )
    ],
    manifest=lambda m: {
        **m,
        'layers': [{**m['layers'][0], 'urls': ['https://example.org/layer']}],
    },
    refused='the blob is missing',
    on='fetch it from https://example.org/layer, and store it as blobs/sha256/',
)
image('media-type-lies-of-gzip', 'content tells, not the name', [Layer(TAR, TAR)])
image('media-type-lies-of-none', 'the other way round', [Layer(TAR, kind=OCI + 'layer.v1.tar')])
image(
    'foreign-layer-that-is-there',
    'is used',
    [Layer(TAR, kind=OCI + 'layer.nondistributable.v1.tar+gzip')],
)
image(
    'foreign-layer-that-is-not',
    'is never fetched',
    [
        Layer(
            TAR,
            kind=OCI + 'layer.nondistributable.v1.tar+gzip',
            missing=True,
            urls=['file:///etc/passwd'],
        )
    ],
    refused='not distributed with the image',
)
image('schema-1', 'an old kind', manifest={'schemaVersion': 1}, refused='schemaVersion is 1')
image(
    'layout-9',
    'a new kind of layout',
    layout={'imageLayoutVersion': '9.0.0'},
    refused="imageLayoutVersion is '9.0.0'",
)
image(
    'layout-not-said',
    'no file tells that it is a layout',
    refused='oci-layout',
    spoil=lambda i: i.files.pop('oci-layout'),
)
image('config-without-rootfs', 'no diff_ids', config={'rootfs': None}, refused='"rootfs"')
image(
    'rootfs-of-another-type',
    'of a kind that is not layers',
    config={'rootfs': {'type': 'cake', 'diff_ids': [digest(TAR)]}},
    refused="rootfs.type is 'cake'",
)
image('no-layers', 'there is nothing to mount', [], refused='the image has no layers')
image('no-images', 'an index without images', index={'manifests': []}, refused='names no image')
image('no-manifests', 'an index without the list', index={'manifests': None}, refused='"manifests"')

# ---- which image ----

case('nested-index', 'an index in an index', Image([TAR]).indexed(), tree=TREE)
case(
    'platforms',
    "of two the machine's own",
    Image([TAR]).indexed(
        Image([archive(file('foreign'))]), platforms=['linux/' + ARCH, 'linux/' + OTHER]
    ),
    tree=TREE,
)
case(
    'platform-chosen',
    'or the one that is asked for',
    Image([archive(file('mine'))]).indexed(
        Image([TAR], config={'architecture': OTHER}), platforms=['linux/' + ARCH, 'linux/' + OTHER]
    ),
    tree=TREE,
    options=['--platform', 'linux/' + OTHER],
)
case(
    'platform-missing',
    'of which there is none',
    Image([TAR]).indexed(platforms=['plan9/mips']),
    refused='has no image for linux',
    on='plan9/mips',
)
case(
    'platform-lies',
    'the config is of another one',
    Image([TAR], config={'architecture': 'vax'}).indexed(platforms=['linux/' + ARCH]),
    safe=True,
)
case(
    'images-to-choose-from',
    'without a reference',
    Image([TAR]).indexed(Image([archive(file('b'))]), refs=['one', 'two']),
    refused='names more than one image',
    on='one, two',
)


# ---- content that is embedded in its descriptor ----


def embedded(name, why, change=bytes, keep=False, **outcome):
    """The config as data in the manifest, and (keep) as a blob too."""

    def into(m):
        at = m['config']['digest'].replace(':', '/')
        return {**m, 'config': {**m['config'], 'data': coded(BLOBS[at], change)}}

    first = Image([TAR])
    BLOBS['/'.join(first.blob_name(first.config).split('/')[1:])] = first.config
    image = Image([TAR], manifest=into)
    if not keep:
        del image.files[image.blob_name(image.config)]
    case('embedded-config' + name, why, image, **outcome)


def coded(data, change):
    return base64.b64encode(change(data)).decode() if callable(change) else change


BLOBS = {}
embedded('', 'and nowhere else', tree=TREE)
embedded('-twice', 'and as a blob', keep=True, tree=TREE)
embedded(
    '-lies',
    'not what the digest says',
    lambda b: b.replace(b'linux', b'linuX'),
    keep=True,
    refused='the embedded data is not what its digest and size say',
)
embedded('-no-base64', 'other bytes', '{}', keep=True, refused='the embedded data is not base64')


# ---- skopeo's dir: ----


def skopeo(name, why, image, spoil=None, **outcome):
    files = {k.rpartition('/')[2]: v for k, v in image.files.items() if k.startswith('blobs/')}
    files['manifest.json'] = image.manifest
    files['version'] = b'Directory Transport Version: 1.1\n'
    if spoil:
        spoil(files)
    image.files = files
    case('dir-' + name, why, {'dir:': image}, **outcome)


def hexed(data):
    return digest(data)[7:]


skopeo('plain', 'what skopeo copy writes', Image([TAR]), tree=TREE)
skopeo('layers', 'two of them', Image([TAR, archive(file('g'))]), tree={**TREE, 'g': F()})
skopeo(
    'layer-damaged',
    'a digest is a promise',
    Image([TAR]),
    lambda f: f.update({hexed(BLOB): BLOB[:-1] + b'x'}),
    refused='layer 1 of 1',
)
LOST = Image([TAR])
skopeo(
    'config-damaged',
    'so is this',
    LOST,
    lambda f: f.update({hexed(LOST.config): LOST.config.replace(b'linux', b'linuX')}),
    refused='not what its digest says',
)
skopeo(
    'layer-missing',
    'its blob is not there',
    Image([TAR]),
    lambda f: f.pop(hexed(BLOB)),
    refused='the blob is missing',
)
skopeo(
    'platforms',
    'skopeo copy --all',
    Image([TAR], manifest={'manifests': []}),
    refused='several platforms',
)

# ---- several images, and what stands beside an image ----

CONTAINERD, KIND = 'io.containerd.image.name', 'dev.cosignproject.cosign/'
A, B = Image([TAR]), Image([archive(file('b'))])
NAMES = ['docker.io/library/web:latest', 'docker.io/library/db:latest']


def item(of, ref=None, name=None, **more):
    notes = {REF: ref, CONTAINERD: name, **more.pop('notes', {})}
    notes = {k: v for k, v in notes.items() if v is not None}
    return {**of.descriptor, **({'annotations': notes} if notes else {}), **more}


def chosen(name, why, items, ref='', refused=None, on='', **more):
    """A layout with these items in index.json, of which ref chooses A."""
    both = Image([TAR], index={'manifests': items})
    both.files = {**B.files, **both.files}
    outcome = {'tree': TREE} if refused is None else {'refused': refused, 'on': on}
    case(name, why, {'oci:': both}, ref=ref, **outcome, **more)


BESIDE = [
    ('attestation', {'notes': {'vnd.docker.reference.type': 'attestation-manifest'}}),
    ('unknown', {'platform': {'os': 'unknown', 'architecture': 'unknown'}}),
    ('artifact', {'artifactType': 'application/vnd.example.sbom'}),
    ('signature', {'notes': {'kind': KIND + 'sigs'}}),
]
for kind, more in BESIDE:
    chosen(
        'choice-beside-' + kind,
        'what belongs to an image is no choice',
        [item(B, **more), item(A)],
    )
SUBJECT = {'subject': {'mediaType': OCI + 'manifest.v1+json', **A.blob(A.manifest)}}
for kind, more in (
    ('referrer', SUBJECT),
    ('chart', {'config': {'mediaType': CHART, 'digest': digest(b'{}'), 'size': 2}}),
):
    other = Image([archive(file('b'))], manifest=more)
    B.files.update(other.files)
    chosen('choice-beside-' + kind, 'as its manifest says', [item(other), item(A)])
chosen(
    'choice-platforms',
    'nor is it a platform',
    [item(A, platform={'os': 'plan9', 'architecture': 'mips'}), item(B, **BESIDE[1][1])],
    refused='has no image for linux',
    on='it has images for: plan9/mips\n',
)
chosen('choice-only-beside', 'no image at all', [item(B, **BESIDE[0][1])], refused='names no image')
chosen(
    'choice-one-ref',
    'told apart by the full names',
    [item(A, 'latest', NAMES[0]), item(B, 'latest', NAMES[1])],
    refused='names more than one image',
    on='it has these: %s, %s\n' % tuple(NAMES),
)
chosen(
    'choice-one-name',
    'told apart by the digests alone',
    [item(A, 'x'), item(B, 'x')],
    refused='names more than one image',
    on=A.descriptor['digest'] + ', ' + B.descriptor['digest'],
)
for form in (NAMES[0], 'library/web:latest', 'web:latest', 'web', 'latest'):
    chosen(
        'choice-by-' + form.replace('/', '-').replace(':', '-'),
        'of several with this reference, the first',
        [item(A, 'latest', NAMES[0]), item(B, 'latest', NAMES[1])],
        ref=form,
    )
chosen(
    'choice-loose',
    'two names end so',
    [item(A, 'a', 'x/web:1'), item(B, 'b', 'y/web:1')],
    ref='web:1',
    refused='names more than one image',
    on='it has these: a, b',
)
case(
    'choice-first-of-an-index',
    'which has two for this platform',
    Image([TAR]).indexed(Image([archive(file('b'))]), platforms=['linux/' + ARCH] * 2),
    tree=TREE,
)


def index_loop(i):
    """An index that names itself: only with a wrong digest."""
    i.files['index.json'] = text(
        {
            'schemaVersion': 2,
            'manifests': [
                {
                    'mediaType': OCI + 'index.v1+json',
                    **i.blob(
                        text(
                            {
                                'schemaVersion': 2,
                                'manifests': [
                                    {
                                        'mediaType': OCI + 'index.v1+json',
                                        'digest': digest(b'itself'),
                                        'size': 6,
                                    }
                                ],
                            }
                        )
                    ),
                }
            ],
        }
    )


def deep(i, depth):
    item = i.descriptor
    for _ in range(depth):
        item = {
            'mediaType': OCI + 'index.v1+json',
            **i.blob(text({'schemaVersion': 2, 'manifests': [item]})),
        }
    i.files['index.json'] = text({'schemaVersion': 2, 'manifests': [item]})


image(
    'index-names-what-is-not-there', 'a digest of nothing', spoil=index_loop, refused='blobs/sha256'
)
image('index-depth-3', 'some indexes', spoil=lambda i: deep(i, 3))
image(
    'index-depth-100',
    'too many',
    spoil=lambda i: deep(i, 100),
    refused='indexes are nested too deeply',
)

# ---- what is no regular file ----


def special(name, make):
    def spoil(i):
        blobs = {'blob': i.layers[0].blob, 'manifest': i.manifest}
        i.files[i.blob_name(blobs[name]) if name in blobs else name] = make

    return spoil


def zeros(path):
    os.mknod(path, 0o666 | stat.S_IFCHR, os.makedev(1, 5))
    os.chmod(path, 0o666)


for what in 'blob', 'manifest', 'index.json', 'oci-layout':
    image(
        'fifo-as-' + what,
        'opening it would wait for ever',
        spoil=special(what, os.mkfifo),
        refused='is not a regular file',
        seconds=10,
    )
    image(
        'link-as-' + what,
        'a link out of the layout',
        spoil=special(what, lambda p: os.symlink(CANARY + '/file', p)),
        refused='Too many levels of symbolic links',
        on='/',
        seconds=10,
    )
    image(
        'device-as-' + what,
        'a device without end',
        spoil=special(what, zeros),
        refused='is not a regular file',
        seconds=10,
    )
    image(
        'directory-as-' + what,
        'a directory',
        spoil=special(what, os.mkdir),
        refused='is not a regular file',
        seconds=10,
    )

# ---- layers ----

SAME = archive(folder('d'), file('d/f', 'same'))
case('layer-twice', 'in a row', [TAR, TAR], tree=TREE)
case(
    'layer-thrice',
    'with a whiteout between',
    [SAME, archive(folder('d'), file('d/.wh.f')), SAME],
    tree={'d': D(), 'd/f': F('same')},
)
case(
    'layer-empty',
    'between two others',
    [archive(file('a', '1')), archive(), archive(file('b', '2'))],
    tree={'a': F('1'), 'b': F('2')},
)
case(
    'layer-empty-alone',
    'nothing else: in an image that is meant',
    [archive()],
    tree={},
    plain_refused='has no entry',
)
case(
    'layer-of-no-bytes',
    'not even the end of an archive',
    [Layer(b'')],
    tree={},
    modes='overlay repeat flat rootless crash san',
    plain_refused='has no entry',
)
case(
    'layers-of-130',
    'more than a stack of mounts had once',
    [archive(file('f%03d' % i, str(i)), file('last', str(i))) for i in range(130)],
    tree={**{'f%03d' % i: F(str(i)) for i in range(130)}, 'last': F('129')},
    seconds=60,
)
REFERENCE = {'annotations': {REF: 'latest'}}
image('reference-by-annotation', 'of the only image', descriptor=REFERENCE)
