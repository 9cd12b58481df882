# SPDX-License-Identifier: LGPL-2.1-or-later
"""Archives around images. Members are looked up in the archive and nowhere else."""
import io
import os
import tarfile

import streams
from cases import CANARY, F, case
from documents import zeros
from images import ARCH, Image, Layer, digest, docker, text
from tarball import archive, char, entry, fifo, file, folder, link, long_name, pax_sparse, symlink

TAR = archive(file('f', 'f'))
TREE = {'f': F('f')}
ONE, TWO = archive(file('one', '1')), archive(file('two', '2'))
FIRST, SECOND = 'a' * 64 + '/layer.tar', 'b' * 64 + '/layer.tar'
OCI, DOCKER = 'oci-archive', 'docker-archive:'
TARGET = CANARY + '/layer.tar'


def oci(name, why, data, refused=None, on='', **more):
    outcome = {'tree': TREE} if refused is None else {'refused': refused, 'on': on}
    case(name, why, {OCI: data}, **outcome, **more)


def docked(name, why, data, refused=None, on='', tree=None, **more):
    outcome = {'tree': tree or TREE} if refused is None else {'refused': refused, 'on': on}
    case(name, why, {DOCKER: data}, **outcome, **more)


# ---- OCI ----

oci('archive', 'a layout in an archive', Image([TAR]).archive())
oci('archive-with-dots', 'members called ./', Image([TAR]).archive('./'))
oci(
    'archive-with-directories',
    'and directories',
    Image([TAR]).archive(first=[folder('blobs'), folder('blobs/sha256')]),
)
oci('archive-compressed', 'with gzip', streams.gz(Image([TAR]).archive()))
oci('archive-zstd', 'with zstd', streams.zstd(Image([TAR]).archive()))
oci('archive-xz', 'with xz', streams.xz(Image([TAR]).archive()))
oci(
    'archive-with-hostile-members',
    'which nobody asks for',
    Image([TAR]).archive(
        last=[
            file('../../escaped', 'x'),
            symlink('out', CANARY + '/dir'),
            file('out/escaped', 'x'),
            file(CANARY + '/file', 'x'),
            link('h', CANARY + '/file'),
            char('zero', 1, 5),
            fifo('p'),
        ]
    ),
)
oci('archive-cut', 'in a blob', Image([TAR]).archive()[:2600], refused='the archive is cut off')
case(
    'archive-cut-at-a-member',
    'between two members',
    {'oci-archive:': Image([TAR]).archive()[:2048]},
    refused='oci-layout',
)
oci(
    'archive-index-twice',
    'readers do not agree on which counts',
    Image([TAR]).archive(last=[file('index.json', '{}')]),
    refused='is in the archive more than once',
    on='index.json',
)
oci(
    'archive-index-with-holes',
    'a member with holes is not in the archive as it is',
    archive(
        file('oci-layout', '{"imageLayoutVersion":"1.0.0"}'),
        pax_sparse('0.1', 'index.json', 100, [(0, b'{}')]),
    ),
    refused='is not a regular file',
    on='index.json',
)
oci(
    'archive-index-is-a-fifo',
    'what is no file',
    archive(file('oci-layout', '{"imageLayoutVersion":"1.0.0"}'), fifo('index.json')),
    refused='is not a regular file',
)
oci(
    'archive-index-is-a-link',
    'to a file outside',
    archive(file('oci-layout', '{"imageLayoutVersion":"1.0.0"}'), symlink('index.json', TARGET)),
    refused='is a link that leaves the archive',
)
oci(
    'archive-with-long-names',
    "through GNU's headers",
    archive(*[long_name('L', n) + entry(n[:100], data=d) for n, d in Image([TAR]).files.items()]),
)
oci(
    'archive-uid-rubbish',
    'a header that can be read in two ways',
    Image([TAR]).archive(last=[file('x', uid=b'0x10\0')]),
    refused='has no valid user id',
)


# ---- docker ----

docked('docker', 'what docker save writes', docker([TAR]))
docked('docker-two-layers', 'base first', docker([ONE, TWO]), tree={'one': F('1'), 'two': F('2')})
docked('docker-compressed', 'with gzip', streams.gz(docker([TAR])))
docked(
    'docker-layer-outside',
    'a layer that is a file of the machine',
    docker([TAR], manifest={'Layers': ['../' * 9 + TARGET[1:]]}),
    refused='has a component ".."',
)
docked(
    'docker-layer-absolute',
    'by an absolute name',
    docker([TAR], manifest={'Layers': [TARGET]}),
    refused='the archive has no such member',
    on=TARGET,
)
docked(
    'docker-layer-linked',
    'a layer that is there already',
    docker([ONE, ONE], names=[FIRST, SECOND], links={SECOND: '../' + FIRST}),
    tree={'one': F('1')},
)
docked(
    'docker-layer-linked-outside',
    'the same link, out of the archive',
    docker([ONE, TWO], names=[FIRST, SECOND], links={SECOND: TARGET}),
    refused='is a link that leaves the archive',
    on=SECOND,
)
docked(
    'docker-layer-linked-up',
    'by a relative target',
    docker([ONE, TWO], names=[FIRST, SECOND], links={SECOND: '../../..' + TARGET}),
    refused='is a link that leaves the archive',
    on=SECOND,
)
docked(
    'docker-layer-linked-in-a-circle',
    'to one another',
    docker([ONE, TWO], names=[FIRST, SECOND], links={FIRST: '../' + SECOND, SECOND: '../' + FIRST}),
    refused='links point to each other',
    seconds=10,
)
docked(
    'docker-layer-linked-to-nothing',
    'a member that is not there',
    docker([ONE, TWO], names=[FIRST, SECOND], links={SECOND: 'nowhere'}),
    refused='which the archive does not have',
)
docked(
    'docker-layer-hard-linked',
    'some tools write these',
    docker([ONE], names=[FIRST], manifest={'Layers': ['x.tar']}, extra=[link('x.tar', FIRST)]),
    tree={'one': F('1')},
)
docked(
    'docker-without-manifest',
    'nothing says what is what',
    docker([TAR], without=['manifest.json']),
    refused='manifest.json',
)
docked(
    'docker-diff-ids-differ',
    'not what the config says',
    docker([Layer(TAR, diff_id='sha256:' + 'd' * 64)]),
    refused='the diff_id (the digest of the uncompressed layer) is wrong',
)
EDITED = text(
    {
        'os': 'linux',
        'architecture': ARCH,
        'config': {'Entrypoint': ['/edited']},
        'rootfs': {'type': 'layers', 'diff_ids': [digest(TAR)]},
    }
)
for name, path, outcome in (
    ('', 'c' * 64 + '.json', {'tree': TREE, 'warns': 'it was edited'}),
    ('-sha256', 'sha256:' + 'c' * 64, {'tree': TREE, 'warns': 'it was edited'}),
    ('-blob', 'blobs/sha256/' + 'c' * 64, {'refused': 'the config does not match', 'on': 'c' * 64}),
):
    case(
        'docker-config-edited' + name,
        'only the name of a blob is a promise',
        {DOCKER: docker([TAR], manifest={'Config': path}, extra=[file(path, EDITED)])},
        **outcome
    )
docked(
    'docker-config-missing',
    'not in the archive',
    docker([TAR], manifest={'Config': 'etc/passwd'}),
    refused='the archive has no such member',
)
docked(
    'docker-layers-no-list', 'a text', docker([TAR], manifest={'Layers': 'x'}), refused='"Layers"'
)
docked(
    'docker-empty-list', 'no image', archive(file('manifest.json', '[]')), refused='names no image'
)
docked(
    'docker-json-deep',
    'nested without end',
    archive(file('manifest.json', '[' * 100000)),
    refused='nested deeper than 64 levels',
)
docked(
    'docker-layer-name-with-control-bytes',
    'a message shows them escaped',
    docker([TAR], manifest={'Layers': ['\x1b[2J']}),
    refused='the archive has no such member',
    on='\\x1b[2J',
)
docked(
    'docker-layer-is-a-directory',
    'not a file',
    docker([TAR], manifest={'Layers': ['d']}, extra=[folder('d')]),
    refused='the archive has no such member',
)


def two_of_docker(first, second):
    """What docker save writes of two images with these tags: f is in the first, two in the
    second."""
    more = text({'rootfs': {'type': 'layers', 'diff_ids': [digest(TWO)]}})
    return docker(
        [TAR],
        tags=first,
        images=[{'Config': 'two.json', 'RepoTags': second, 'Layers': ['two.tar']}],
        extra=[file('two.json', more), file('two.tar', TWO)],
    )


MANY = 'more than one image'
for name, tags, ref, outcome in (
    ('twice', (['a:1'], ['a:1']), '', {'refused': MANY, 'on': 'it has these: a:1, @1'}),
    ('loose', (['x/a:1'], ['y/a:1']), 'a:1', {'refused': MANY, 'on': 'x/a:1, y/a:1'}),
    ('exact', (['a:1'], ['y/a:1']), 'a:1', {'tree': TREE}),
    ('exact-behind', (['y/a:1'], ['a:1']), 'a:1', {'tree': {'two': F('2')}}),
    ('first', (['a:1'], ['a:1']), 'a:1', {'tree': TREE}),
    ('number', (['a:1'], ['a:1']), '@1', {'tree': {'two': F('2')}}),
):
    case(
        'docker-choice-' + name, 'of two images', {DOCKER: two_of_docker(*tags)}, ref=ref, **outcome
    )

# ---- by what they are ----

case(
    'layers-of-several-kinds',
    'plain ones, each packed otherwise',
    {
        'plain': [
            streams.gz(ONE),
            streams.zstd(TWO),
            streams.xz(archive(file('three'))),
            streams.bz(archive(file('four'))),
            streams.lz4(archive(file('five'))),
            archive(file('six')),
        ]
    },
    tree={'one': F('1'), 'two': F('2'), **{n: F() for n in ('three', 'four', 'five', 'six')}},
)
case('standard-input', 'a layer from a pipe or a file', {'stdin': streams.gz(TAR)}, tree=TREE)
case(
    'standard-input-cut',
    'that ends too soon',
    {'stdin': streams.gz(TAR)[:-4]},
    refused='the gzip stream is cut short',
)
DOCKED, LAYOUT = docker([TAR]), Image([TAR]).archive()
README = archive(file('README', 'x'))[:1024]
for name, why, data, refused in (
    ('docker', 'what docker save writes', DOCKED, 'is the archive of an image (docker save)'),
    ('oci', 'an OCI archive', LAYOUT, 'is the archive of an image (an OCI layout)'),
    ('oci-compressed', 'the same with gzip', streams.gz(LAYOUT), '(an OCI layout)'),
    ('touched', 'another file comes first', README + DOCKED, '(docker save)'),
    ('part', 'cut between two members', LAYOUT[:2048], 'is a part of the archive of an image'),
):
    case('piped-' + name, why, {'pipe': data}, refused=refused, on='layer:-')
case(
    'piped-web-application',
    'a layer with a manifest.json',
    {'pipe': archive(file('manifest.json', '{"name":"app"}'), file('x'))},
    tree={'manifest.json': F('{"name":"app"}'), 'x': F()},
)
case(
    'piped-nothing',
    'the program that should have written it failed',
    {'pipe': b''},
    refused='has no entry',
    on='layer 1 of 1 (-)',
)
case(
    'piped-nothing-compressed',
    'and another one packed it',
    {'pipe': streams.gz(b'')},
    refused='has no entry',
)
for name, data in (
    ('docker', README + DOCKED),
    ('oci', README + LAYOUT),
    ('oci-compressed', streams.gz(README + LAYOUT)),
):
    case('found-touched-' + name, 'by its path', {'plain': [data]}, tree=TREE)
case(
    'found-web-application',
    'its first file is called as in images',
    {'plain': [archive(file('manifest.json', '{}'), file('x'))]},
    tree={'manifest.json': F('{}'), 'x': F()},
)
case(
    'declared-layer',
    'that looks like an image',
    {'layer:': archive(file('oci-layout', '{}'), file('index.json', '{}'))},
    tree={'oci-layout': F('{}'), 'index.json': F('{}')},
)
case('declared-layer-empty', 'is still nothing', {'layer:': archive()}, refused='has no entry')
case(
    'old-docker-archive',
    'of docker before 1.10',
    {
        'plain': [
            archive(
                *[file('a' * 64 + '/' + n, 'x') for n in ('VERSION', 'json', 'layer.tar')],
                file('repositories', '{}')
            )
        ]
    },
    refused='its format is not supported',
    on='docker load',
)
case(
    'archive-of-a-directory',
    'with an image in it',
    {'plain': [Image([TAR]).archive('image/')]},
    refused='is an archive of a directory with an image in it',
)


def extracted(path):
    """What docker save wrote, as tar extracts it."""
    os.mkdir(path)
    with tarfile.open(fileobj=io.BytesIO(DOCKED)) as t:
        t.extractall(path)


case(
    'extracted-archive',
    'is not a directory of files',
    {'plain': [extracted]},
    refused='docker save',
    on='docker-archive:-',
)
case(
    'fifo-as-layer',
    'that nobody writes to',
    {'plain': [os.mkfifo]},
    refused='is a FIFO, not a regular file',
    on='/input/x/0.tar',
    seconds=10,
)
case(
    'fifo-as-archive',
    'that nobody writes to',
    {'docker-archive:': os.mkfifo},
    refused='is a FIFO, not a regular file',
    on='/',
    seconds=10,
)
case(
    'device-as-layer',
    'a device without end',
    {'plain': [zeros]},
    refused='is a character device, not a regular file',
    on='/input/x/0.tar',
    seconds=10,
)
case(
    'directory-as-layer',
    'no archive at all',
    {'plain': [os.mkdir]},
    refused='oci-layout',
    on='/input/x/0.tar',
)
case(
    'nothing-as-layer',
    'a path that is not there',
    {'plain': [lambda p: None]},
    refused='No such file or directory',
    on='/input/x/0.tar',
)
case(
    'text-as-manifest',
    'a name, not a text',
    {DOCKER: archive(file('manifest.json', text({'a': 1})))},
    refused='manifest.json',
)
