# SPDX-License-Identifier: LGPL-2.1-or-later
"""A root of our own, with nothing of the machine that can be written: what is written outside of
its place is seen."""
import ctypes
import os
import resource
import signal
import stat
import subprocess
import time

import cases
import seen

libc = ctypes.CDLL(None, use_errno=True)
MS_RDONLY, MS_REMOUNT, MS_BIND, MS_REC, MS_PRIVATE, MNT_DETACH = 1, 32, 4096, 16384, 1 << 18, 2
CLONE_NEWNS, CLONE_NEWUSER = 0x20000, 0x10000000
PIVOT_ROOT = {'x86_64': 155, 'aarch64': 41}
USER, GRANT, GRANT_SIZE = 1000, 200000, 65536
CANARY = cases.CANARY
DEEP = '/scratch/deep/er'
AREA = DEEP + '/area'
INPUT = '/input'
PROGRAM = '/shiftbox'
ENVIRONMENT = {'PATH': '/usr/sbin:/usr/bin:/sbin:/bin', 'LC_ALL': 'C.UTF-8'}
ETC = {
    'passwd': 'root:x:0:0::/root:/bin/sh\nordinary:x:%d:%d::/home/ordinary:/bin/sh\n'
    % (USER, USER),
    'group': 'root:x:0:\nordinary:x:%d:\n' % USER,
    'subuid': 'ordinary:%d:%d\n' % (GRANT, GRANT_SIZE),
    'subgid': 'ordinary:%d:%d\n' % (GRANT, GRANT_SIZE),
}


def check(result, what):
    if result:
        e = ctypes.get_errno()
        raise OSError(e, '%s: %s' % (what, os.strerror(e)))


def mount(source, target, kind=None, flags=0, data=None):
    words = [None if x is None else os.fsencode(x) for x in (source, target, kind)]
    check(
        libc.mount(*words, ctypes.c_ulong(flags), None if data is None else os.fsencode(data)),
        'mount on %s' % target,
    )


def umount(target):
    check(libc.umount2(os.fsencode(target), MNT_DETACH), 'umount %s' % target)


def canaries():
    """What hostile entries aim at, on the same mount as the stores."""
    os.makedirs(CANARY + '/dir/sub')
    for name in ('file', 'file2', 'dir/inner', 'dir/sub/deep', 'layer.tar'):
        with open(CANARY + '/' + name, 'w') as f:
            f.write('canary')
    os.mkfifo(CANARY + '/fifo')
    os.makedirs(AREA)
    for top in ('/scratch', '/scratch/deep', DEEP):
        with open(top + '/canary-file', 'w') as f:
            f.write('canary')
    # As open as they can be: nothing but the program keeps an ordinary user out.
    for top in (AREA, CANARY, CANARY + '/dir'):
        os.chmod(top, 0o777)


def enter(filesystem, program, place):
    """Leave the machine's root for one in place, an empty directory. The caller's mount namespace
    must be private."""
    mount('corpus', place, 'tmpfs', 0, 'mode=755')
    for name in ('usr', 'bin', 'sbin', 'lib', 'lib32', 'lib64'):
        if os.path.islink('/' + name):
            os.symlink(os.readlink('/' + name), place + '/' + name)
        elif os.path.isdir('/' + name):
            os.mkdir(place + '/' + name)
            mount('/' + name, place + '/' + name, None, MS_BIND | MS_REC)
            mount(None, place + '/' + name, None, MS_REMOUNT | MS_BIND | MS_RDONLY)
    for name in (
        'proc',
        'dev',
        'tmp',
        'var',
        'var/tmp',
        'etc',
        'root',
        'home',
        'home/ordinary',
        'scratch',
        'input',
        'old',
        'merged',
    ):
        os.mkdir(place + '/' + name)
    for name, text in ETC.items():
        with open(place + '/etc/' + name, 'w') as f:
            f.write(text)
    open(place + PROGRAM, 'w').close()
    mount(program, place + PROGRAM, None, MS_BIND)
    mount('/proc', place + '/proc', None, MS_BIND | MS_REC)
    mount('/dev', place + '/dev', None, MS_BIND | MS_REC)
    if filesystem == 'tmpfs':
        mount('scratch', place + '/scratch', 'tmpfs', 0, 'mode=755,size=2g')
    else:
        image = place + '/image'
        with open(image, 'wb') as f:
            f.truncate(1 << 30)
        subprocess.run(
            ['mkfs.' + filesystem, '-q', image],
            check=True,
            stdout=subprocess.DEVNULL,
            env=ENVIRONMENT,
        )
        # Others look for a free loop device, too, and rw keeps mount(8) from taking one that turned
        # out read-only.
        for _ in range(10):
            if (
                subprocess.run(
                    ['mount', '-o', 'rw,loop', image, place + '/scratch'], stderr=subprocess.DEVNULL
                ).returncode
                == 0
            ):
                break
        else:
            raise OSError('no loop device')
        os.unlink(image)
    os.chdir(place)
    check(libc.syscall(PIVOT_ROOT[os.uname().machine], b'.', b'old'), 'pivot_root')
    os.chdir('/')
    umount('/old')
    for name in ('tmp', 'var/tmp'):
        os.chmod('/' + name, 0o1777)
    for path in ('/home/ordinary',):
        os.chown(path, USER, USER)
    canaries()


def remove(path):
    """A tree of any depth and any modes."""
    try:
        st = os.lstat(path)
    except FileNotFoundError:
        return
    if not stat.S_ISDIR(st.st_mode):
        return os.unlink(path)
    subprocess.run(['rm', '-rf', path], check=True)


def outside():
    """The state of all that is not the program's place: to be the same before and after."""
    skip = {
        os.fsencode(x)
        for x in (
            AREA,
            '/proc',
            '/dev',
            '/merged',
            '/usr',
            '/bin',
            '/sbin',
            '/lib',
            '/lib32',
            '/lib64',
        )
    }
    return seen.snapshot('/', skip)


class Run:
    """The program has run: status (negative: the signal), out, err, seconds; status None: it had to
    be stopped."""

    def __init__(self, args, seconds, as_user=False, address_space=0, stdin=None, kill_after=None):
        def prepare():
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
            if address_space:
                resource.setrlimit(resource.RLIMIT_AS, (address_space, address_space))
            if as_user:
                os.setgroups([])
                os.setresgid(USER, USER, USER)
                os.setresuid(USER, USER, USER)

        home = '/home/ordinary' if as_user else '/root'
        started = time.monotonic()
        p = subprocess.Popen(
            [PROGRAM, *args],
            stdin=stdin or subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            preexec_fn=prepare,
            start_new_session=True,
            cwd=DEEP,
            umask=0o022,
            env={
                **ENVIRONMENT,
                'HOME': home,
                'USER': 'ordinary',
                'UBSAN_OPTIONS': 'print_stacktrace=1',
            },
        )
        self.killed = False
        try:
            self.out, self.err = p.communicate(
                timeout=seconds if kill_after is None else kill_after
            )
            self.status = p.returncode
        except subprocess.TimeoutExpired:
            try:
                os.killpg(p.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            self.out, self.err = p.communicate()
            self.status, self.killed = None, True
        self.seconds = time.monotonic() - started


def in_namespace(work):
    """What work() returns (a list of texts), as the ordinary user's namespace root sees the
    world."""
    to_parent, from_child = os.pipe(), os.pipe()
    child = os.fork()
    if child == 0:
        try:
            check(libc.unshare(CLONE_NEWUSER | CLONE_NEWNS), 'unshare')
            os.write(to_parent[1], b'x')
            os.read(from_child[0], 1)
            os.setresgid(0, 0, 0)
            os.setresuid(0, 0, 0)
            text = '\n'.join(work())
        except BaseException as e:
            text = 'in the namespace: %r' % e
        os.close(to_parent[0])
        with os.fdopen(to_parent[1], 'wb') as f:
            f.write(text.encode('utf-8', 'backslashreplace'))
        os._exit(0)
    os.close(to_parent[1])
    first = os.read(to_parent[0], 1)
    if first == b'x':
        for kind in 'uid', 'gid':
            with open('/proc/%d/%s_map' % (child, kind), 'w') as f:
                f.write('0 %d 1\n1 %d %d\n' % (USER, GRANT, GRANT_SIZE))
    os.write(from_child[1], b'x')
    with os.fdopen(to_parent[0], 'rb') as f:
        text = (b'' if first == b'x' else first) + f.read()
    os.close(from_child[0])
    os.close(from_child[1])
    os.waitpid(child, 0)
    return [line for line in text.decode().split('\n') if line]
