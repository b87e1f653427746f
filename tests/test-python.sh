#!/bin/sh
# tests/test-python.sh -- Python's socket module talks to tests/handle-peer over Unix sockets: bytes,
# messages, descriptors both ways, abstract names; either side listens.
#
# Skipped, loudly, only where python3 is missing or older than 3.9, the first version with send_fds.
set -u
builddir=$(cd "${builddir:-.}" && pwd) || exit 1
peer=$builddir/tests/handle-peer
work=$(mktemp -d "${TMPDIR:-/tmp}/pollux-python.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

if ! command -v python3 > /dev/null; then
    echo "################ SKIPPED: python3 is not installed, so nothing was tried with it"
    exit 77
fi
if ! python3 -c 'import socket; socket.send_fds, socket.recv_fds' 2> /dev/null; then
    echo "################ SKIPPED: $(python3 --version) is older than 3.9 and passes no descriptors"
    exit 77
fi
[ -x "$peer" ] || { echo "$peer was not built"; exit 1; }

cat > "$work/dialogue.py" << 'END'
import os, socket, struct, subprocess, sys, threading

peer, work = sys.argv[1:]
PATIENCE = 20  # seconds, for a slow build of the peer as well


class Dialogue:
    """A connection with a handle-peer of its own, which must end well."""

    def __init__(self, mode, place, peer_listens=True):
        name = '\0' + place[1:] if place[0] == '@' else place
        self.socket = socket.socket(socket.AF_UNIX)
        command = [peer, mode, 'listen' if peer_listens else 'connect', place]
        if peer_listens:
            self.process = subprocess.Popen(command, stdout=subprocess.PIPE)
            assert self.process.stdout.readline() == b'ready\n'
            self.socket.connect(name)
        else:
            listener = self.socket
            listener.bind(name)
            listener.listen(1)
            listener.settimeout(PATIENCE)
            self.process = subprocess.Popen(command, stdout=subprocess.PIPE)
            self.socket = listener.accept()[0]
            listener.close()
        self.socket.settimeout(PATIENCE)

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        self.socket.close()
        if kind is not None:
            self.process.kill()
        status = self.process.wait(PATIENCE)
        self.process.stdout.close()
        assert kind is not None or status == 0, f'handle-peer ended with {status}'

    def take(self, size):
        data = b''
        while len(data) < size:
            piece = self.socket.recv(size - len(data))
            assert piece, f'the end after {len(data)} of {size} bytes'
            data += piece
        return data

    def say(self, *messages):
        self.socket.sendall(b''.join(framed(text) for text in messages))

    def hear(self):
        return self.take(struct.unpack('>I', self.take(4))[0])

    def ask(self, text):
        self.say(text)
        return self.hear()


def framed(text):
    return struct.pack('>I', len(text)) + text


def file_of(text):
    """A descriptor of a file in which nothing but that text stands."""
    path = os.path.join(work, 'file')
    with open(path, 'wb') as file:
        file.write(text)
    descriptor = os.open(path, os.O_RDWR)
    os.unlink(path)
    return descriptor


def bytes_go_both_ways(place, peer_listens):
    data = os.urandom(1000003)
    with Dialogue('bytes', place, peer_listens) as it:
        writer = threading.Thread(target=it.socket.sendall, args=(data,))
        writer.start()
        assert it.take(len(data)) == data
        writer.join()


def messages_go_both_ways(place, peer_listens):
    with Dialogue('frames', place, peer_listens) as it:
        assert it.ask(b'echo hello, world') == b'hello, world'
        assert it.ask(b'echo ') == b''
        large = os.urandom(300000)
        assert it.ask(b'echo ' + large) == large
        it.say(b'echo one', b'echo two', b'echo three')  # in one piece
        assert [it.hear() for _ in range(3)] == [b'one', b'two', b'three']
        for byte in framed(b'echo byte by byte'):
            it.socket.sendall(bytes([byte]))
        assert it.hear() == b'byte by byte'


def descriptors_go_there(place, peer_listens):
    with Dialogue('frames', place, peer_listens) as it:
        file = file_of(b'in the file')
        socket.send_fds(it.socket, [framed(b'take')], [file])
        os.close(file)
        assert it.hear() == b'in the file'
        assert it.ask(b'take') == b''
        files = [file_of(b'%d,' % number) for number in range(253)]  # the most that one message carries
        for _ in range(3):
            assert socket.send_fds(it.socket, [framed(b'take')], files) == 8
            assert it.hear() == b''.join(b'%d,' % number for number in range(253))
        for file in files:
            os.close(file)
        read_end, write_end = os.pipe()
        socket.send_fds(it.socket, [framed(b'write through the pipe')], [write_end])
        os.close(write_end)
        assert it.hear() == b'written'
        with open(read_end, 'rb') as pipe:
            assert pipe.read() == b'through the pipe'  # up to the end: no other process holds it


def take_given(it, count):
    """The answer 'given' with the descriptors, which ride on its first bytes."""
    data, descriptors = b'', []
    while len(data) < 9:
        piece, some, flags, _ = socket.recv_fds(it.socket, 9 - len(data), 253)
        assert piece and not flags & socket.MSG_CTRUNC
        data += piece
        descriptors += some
    assert data == framed(b'given')
    assert len(descriptors) == count, f'{len(descriptors)} of {count} descriptors'
    return descriptors


def descriptors_come_here(place, peer_listens):
    path = os.path.join(work, 'given')
    with open(path, 'wb') as file:
        file.write(b'given by the peer')
    with Dialogue('frames', place, peer_listens) as it:
        for count in (1, 10, 253, 300, 900):
            it.say(b'give %d %s' % (count, path.encode()))
            for descriptor in take_given(it, count):
                assert os.read(descriptor, 100) == b'given by the peer'
                os.close(descriptor)
        it.say(b'give 5 %s' % path.encode())  # recv without descriptors still gets the bytes
        assert it.hear() == b'given'
        assert it.ask(b'echo still there') == b'still there'


failed = 0
for case in (bytes_go_both_ways, messages_go_both_ways, descriptors_go_there,
             descriptors_come_here):
    for kind, place in (('path', os.path.join(work, 's')), ('abstract', f'@pollux-{os.getpid()}')):
        for listener in ('peer', 'python'):
            name = f'{case.__name__} ({kind}, {listener} listens)'
            try:
                case(place, listener == 'peer')
                print(f'ok: {name}')
            except Exception as error:
                line = error.__traceback__.tb_next.tb_lineno
                print(f'FAILED: {name}: line {line}: {error!r}')
                failed = 1
            if os.path.exists(os.path.join(work, 's')):
                os.unlink(os.path.join(work, 's'))
sys.exit(failed)
END
python3 "$work/dialogue.py" "$peer" "$work"
