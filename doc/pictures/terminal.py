#!/usr/bin/env python3
# doc/pictures/terminal.py -- draws what a program shows in a terminal as a picture (SVG).
#
#   terminal.py SECONDS PROGRAM [ARGUMENT...] > picture.svg
#
# Runs the program in a terminal of 80 columns and 23 rows, and draws the screen after SECONDS.
# It knows what examples/arena writes: texts, colours, "cursor home" and "clear to the end of the line".
# doc/pictures/arena.svg is that of `terminal.py 7 build/examples/arena/arena`.
import fcntl
import os
import pty
import re
import select
import struct
import sys
import termios
import time
from xml.sax.saxutils import escape

COLUMNS, ROWS = 80, 23
WIDTH, HEIGHT, EDGE = 8.4, 16, 16  # of a cell, and around all of them
BACK, TEXT = '#12141f', '#d7dbe8'


def record(seconds, command):
    """What the program has written until then."""
    process, screen = pty.fork()
    if process == 0:
        os.environ.update(TERM='xterm-256color', LC_ALL='C.UTF-8')
        time.sleep(0.2)  # until the terminal has its size
        os.execv(command[0], command)
    fcntl.ioctl(screen, termios.TIOCSWINSZ, struct.pack('HHHH', ROWS, COLUMNS, 0, 0))
    written, end = b'', time.monotonic() + seconds
    while time.monotonic() < end:
        if select.select([screen], [], [], 0.1)[0]:
            try:
                written += os.read(screen, 65536)
            except OSError:
                break
    os.close(screen)  # it gets SIGHUP
    os.waitpid(process, 0)
    return written.decode('utf-8', 'replace')


def colour_of(number):
    """One of the 256 colours of xterm."""
    if number < 16:
        return {11: '#ffe066'}.get(number, TEXT)
    if number >= 232:
        return '#%02x%02x%02x' % ((8 + 10 * (number - 232),) * 3)
    steps = (0, 95, 135, 175, 215, 255)
    number -= 16
    return '#%02x%02x%02x' % (steps[number // 36], steps[number // 6 % 6], steps[number % 6])


def style_of(style, codes):
    """The style, a colour, bold and faint, after the codes of an escape sequence."""
    colour, bold, faint = style
    codes = [int(code or 0) for code in codes.split(';')]
    while codes:
        code = codes.pop(0)
        if code == 0:
            colour, bold, faint = TEXT, False, False
        elif code == 1:
            bold = True
        elif code == 2:
            faint = True
        elif code == 38:
            colour = colour_of(codes[1])
            codes = codes[2:]
        elif 90 <= code <= 97:
            colour = colour_of(code - 90 + 8)
    return colour, bold, faint


def cells_of(written):
    """The last whole picture: a letter and its style for each cell that is not blank."""
    picture = written.split('\033[H')[-2]
    cells, x, y, style = {}, 0, 0, (TEXT, False, False)
    for codes, what, letter in re.findall(r'\033\[([?\d;]*)([A-Za-z])|([^\033])', picture):
        if what == 'm':
            style = style_of(style, codes)
        elif letter == '\n':
            x, y = 0, y + 1
        elif letter and letter != '\r':
            if letter != ' ':
                cells[x, y] = letter, style
            x += 1
    return cells


def runs_of(cells):
    """Cells beside each other with one style, as one text: (x, y, text, style)."""
    runs = []
    for (x, y), (letter, style) in sorted(cells.items(), key=lambda cell: cell[0][::-1]):
        if runs and runs[-1][1] == y and runs[-1][0] + len(runs[-1][2]) == x and runs[-1][3] == style:
            runs[-1] = runs[-1][:2] + (runs[-1][2] + letter, style)
        else:
            runs.append((x, y, letter, style))
    return runs


def draw(cells):
    width, height = COLUMNS * WIDTH + 2 * EDGE, ROWS * HEIGHT + 2 * EDGE
    yield ('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d">'
           % (width, height, width, height))
    yield '<rect width="100%%" height="100%%" rx="8" fill="%s"/>' % BACK
    yield ('<g font-family="DejaVu Sans Mono, Menlo, Consolas, monospace" font-size="14" fill="%s">'
           % TEXT)
    for x, y, text, (colour, bold, faint) in runs_of(cells):
        look = ('' if colour == TEXT else ' fill="%s"' % colour) + \
            (' font-weight="bold"' if bold else '') + (' opacity=".7"' if faint else '')
        yield '<text x="%.1f" y="%d" textLength="%.1f"%s>%s</text>' % (
            EDGE + x * WIDTH, EDGE + y * HEIGHT + 13, len(text) * WIDTH, look, escape(text))
    yield '</g></svg>'


if len(sys.argv) < 3:
    sys.exit('usage: terminal.py SECONDS PROGRAM [ARGUMENT...]')
print('\n'.join(draw(cells_of(record(float(sys.argv[1]), sys.argv[2:])))))
