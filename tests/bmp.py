# tests/bmp.py -- pictures of a screen, as SDL_SaveBMP writes them (24 bits, from the bottom up).
#
#   bmp.py count FILE R,G,B        prints how many points have this colour, and the middle of them
#   bmp.py png FILE.png FILE...    joins pictures side by side, and writes them in that format
import struct
import sys
import zlib


def read(name):
    """The rows of a picture, from the top down, three bytes for each point: red, green, blue."""
    with open(name, 'rb') as file:
        data = file.read()
    offset, = struct.unpack_from('<I', data, 10)
    width, height, _, bits = struct.unpack_from('<iiHH', data, 18)
    if data[:2] != b'BM' or bits != 24 or width <= 0 or height <= 0:
        sys.exit(name + ' is not a picture of 24 bits')
    pitch = (3 * width + 3) // 4 * 4
    rows = []
    for y in reversed(range(height)):
        row = bytearray(data[offset + y * pitch:offset + y * pitch + 3 * width])
        row[0::3], row[2::3] = row[2::3], row[0::3]
        rows.append(row)
    return rows


def count(rows, colour):
    wanted = bytes(colour)
    points = [(x, y) for y, row in enumerate(rows) for x in range(len(row) // 3)
              if row[3 * x:3 * x + 3] == wanted]
    size = len(points) or 1
    print(len(points), sum(x for x, _ in points) // size, sum(y for _, y in points) // size)


def chunk(kind, data):
    return struct.pack('>I', len(data)) + kind + data + struct.pack('>I', zlib.crc32(kind + data))


def write_png(name, pictures, gap=8):
    """All of one height."""
    space = b'\xff\xff\xff' * gap
    rows = [space.join(bytes(row) for row in rows) for rows in zip(*pictures)]
    header = struct.pack('>IIBBBBB', len(rows[0]) // 3, len(rows), 8, 2, 0, 0, 0)
    data = zlib.compress(b''.join(b'\0' + row for row in rows), 9)
    with open(name, 'wb') as file:
        file.write(b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', header) + chunk(b'IDAT', data) +
                   chunk(b'IEND', b''))


if sys.argv[1] == 'count':
    count(read(sys.argv[2]), [int(part) for part in sys.argv[3].split(',')])
else:
    write_png(sys.argv[2], [read(name) for name in sys.argv[3:]])
