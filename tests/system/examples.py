#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""examples.py FILE EXCEPTIONS RUN...: run the examples of README.md or a manual page, in order.

RUN... followed by a user's name and a command line runs that line in the world of the examples.

In README the blocks are marked: console (commands with prompts, and what they print), sh (commands
of root's), fstab and views (lines that are appended to /etc/fstab and to /etc/shiftbox/views) and
text (not an example). In a page, a display is an example if its first line has a prompt. A prompt
is "# " for root, "$ " for alice, "NAME$ " for that user, and "inside# " for what is typed into the
shell that the command above has started.

EXCEPTIONS has lines "FILE | TEXT | REASON | COMMAND", which a tab continues: the example TEXT, or
the display whose first line is TEXT, is not run, for that reason; COMMAND, if there is one, is run
in its place. "..." at the end of TEXT stands for the rest. A line that fits nothing is an error, as
is a display that is neither an example nor an exception.

A command has to exit with 0 (shift-check with 3, when it is shown to find something), and to print
what is shown below it, if anything is. There, "..." stands for any text, a line "..." for any
lines, and sizes, times, dates and numbers of entries may differ.
"""
import re
import subprocess
import sys

TABLES = {'fstab': '/etc/fstab', 'views': '/etc/shiftbox/views'}
PROMPT = re.compile(r'^(?:([a-z]*)([#$])) (.*)$')


class Example:
    """A command of a user's, what is typed into it, and what it prints."""

    def __init__(self, line, user, command):
        self.line, self.user, self.command = line, user, command
        self.typed, self.printed = [], []
        self.shows_output = False  # with its command the block shows what that prints, if anything

    def join(self):
        return '\n'.join(self.printed)


class Problem(Exception):
    pass


class Exceptions:
    def __init__(self, path, document):
        self.left = []
        text = open(path, encoding='utf-8').read().replace('\n\t', ' ')
        for line in text.split('\n'):
            if line.startswith('#') or not line.strip():
                continue
            fields = [field.strip() for field in line.split(' | ', 3)]
            if len(fields) < 3 or not all(fields):
                raise Problem(f'{path}: not FILE | TEXT | REASON: {line}')
            if fields[0] == document:
                self.left.append(fields[1:])
        self.used = []

    def find(self, text):
        """The (REASON, COMMAND) for a text, or None."""
        for fields in self.left:
            start = fields[0].removesuffix('...')
            if text == fields[0] or (start != fields[0] and text.startswith(start)):
                if fields not in self.used:
                    self.used.append(fields)
                return fields[1], fields[2] if len(fields) > 2 else None
        return None

    def check(self):
        unused = [fields[0] for fields in self.left if fields not in self.used]
        if unused:
            raise Problem(f'exceptions without an example: {unused}')


def readme_blocks(text):
    """(line number, mark, lines) of each block."""
    mark, lines, start = None, [], 0
    for number, line in enumerate(text.split('\n'), 1):
        if line.startswith('```'):
            if mark is None:
                mark, lines, start = line[3:], [], number
            else:
                yield start, mark, lines
                mark = None
        elif mark is not None:
            lines.append(line)
        elif line.startswith('    '):
            raise Problem(f'line {number}: an indented block: mark it with ``` and its kind')


def roff(text):
    """The text that a line of a display shows."""
    for escape, shown in ((r'\e', '\\'), (r'\-', '-'), (r'\&', ''), (r'\(aq', "'")):
        text = text.replace(escape, shown)
    return text


def page_blocks(text):
    """(line number, lines) of each display."""
    lines, start = None, 0
    for number, line in enumerate(text.split('\n'), 1):
        if line.startswith('.Bd '):
            lines, start = [], number
        elif line.startswith('.Ed'):
            yield start, lines
            lines = None
        elif line.startswith('.Dl '):
            yield number, [roff(line[4:])]
        elif lines is not None:
            lines.append(roff(line))


def joined(lines):
    """(number, line) with continuation lines, and the lines of a loop, joined."""
    held, first = '', 0
    for number, line in enumerate(lines, 1):
        first = first if held else number
        if line.endswith('\\'):
            held += line[:-1].rstrip() + ' '
        elif line.endswith('; do') or (held.endswith('\n') and line != 'done'):
            held += line + '\n'
        else:
            yield first, held + (line.lstrip() if held else line)
            held = ''


def with_prompts(start, lines):
    examples = []
    for number, line in joined(lines):
        match = PROMPT.match(line)
        if match and match[1] == 'inside':
            if not examples:
                raise Problem(f'line {start + number}: nothing has been started')
            examples[-1].typed.append(strip_comment(match[3]))
        elif match and (match[2] == '#') == (match[1] == ''):
            user = match[1] or 'root'
            examples.append(Example(start + number, user, strip_comment(match[3])))
        elif line.startswith('$ '):
            examples.append(Example(start + number, 'alice', strip_comment(line[2:])))
        elif examples:
            examples[-1].printed.append(line)
        else:
            raise Problem(f'line {start + number}: output without a command: {line}')
    for example in examples:
        example.shows_output = True
    return examples


def strip_comment(command):
    return re.sub(r'\s+# .*$', '', command)


def readme_examples(text):
    for start, mark, lines in readme_blocks(text):
        if mark == 'text':
            continue
        if mark == 'console':
            yield from with_prompts(start, lines)
        elif mark == 'sh':
            for number, line in joined(lines):
                command = strip_comment(line)
                if command and not command.startswith('#'):
                    yield Example(start + number, 'root', command)
        elif mark in TABLES:
            yield Example(start, 'root', f"cat >>{TABLES[mark]} <<'END'\n" + '\n'.join(lines) +
                          '\nEND')
        else:
            raise Problem(f'line {start}: the block is not marked console, sh, text or '
                          f'{" or ".join(TABLES)}')


def page_examples(text, exceptions):
    for start, lines in page_blocks(text):
        first = next((line for line in lines if line.strip()), '')
        if PROMPT.match(first):
            yield from with_prompts(start, lines)
        elif not exceptions.find(first.strip()):
            raise Problem(f'line {start}: a display that is neither an example nor an '
                          f'exception: {first}')


DIFFERS = (
    (r'\b[\d,]+ (entries|entry)\b', 'N entries'),
    (r'\b[\d,]+ layers?\b', 'N layers'),
    (r'\b[\d.]+ ([kMGT]i?)?B\b', 'SIZE'),
    (r'\b[\d.]+ s\b', 'TIME'),
    (r'sha256[:-][0-9a-f.]+', 'DIGEST'),
    (r'^(\S{10}[.+]?) +\d+ +(\S+) +(\S+) +\d+ (\w{3} +\d+ +[\d:]+) ', r'\1 \2 \3 DATE '),
    (r'^total \d+$', 'total N'),
    (r'(apt|git|crun) [\d.]+( \(.*\))?$', r'\1 VERSION'),
    (r'^  mount +\d+ at', '  mount N at'),
)


def plain(line):
    line = re.sub(r'[ \t]+', ' ', line.rstrip()) if not line.startswith(' ') else line.rstrip()
    for pattern, text in DIFFERS:
        line = re.sub(pattern, text, line)
    return re.sub(r'[ \t]+', ' ', line).strip()


def matches(shown, printed):
    """Is printed what is shown?"""
    pattern = ''
    for line in shown:
        if line.strip() == '...':
            pattern += r'(?:.*\n)*?'
        else:
            pattern += '.*'.join(re.escape(part) for part in plain(line).split('...')) + r'\n'
    return re.fullmatch(pattern, ''.join(plain(line) + '\n' for line in printed))


def run(example, prefix, command):
    text = ''.join(line + '\n' for line in example.typed)
    result = subprocess.run(prefix + [example.user, command], input=text.encode(),
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    output = result.stdout.decode(errors='replace').rstrip('\n')
    printed = output.split('\n') if output else []
    found = result.returncode == 3 and 'shift-check' in command
    if result.returncode != 0 and not found:
        raise Problem(f'line {example.line}: exit status {result.returncode}: '
                      f'{example.user}: {command}\n{output}')
    if example.printed and not matches(example.printed, printed):
        raise Problem(f'line {example.line}: {command}\nit is shown to print:\n'
                      f'{example.join()}\nit prints:\n{output}')
    warned = [line for line in printed if 'warning:' in line]
    if warned and example.shows_output and not example.printed:
        raise Problem(f'line {example.line}: {command}\nno warning is shown, and it prints:\n'
                      f'{warned[0]}')
    if found and not any('finding' in line for line in example.printed):
        raise Problem(f'line {example.line}: {command}\nit is not shown to find something:\n'
                      f'{output}')


def main():
    path, exceptions_path, prefix = sys.argv[1], sys.argv[2], sys.argv[3:]
    document = path.rsplit('/', 1)[-1]
    text = open(path, encoding='utf-8').read()
    exceptions = Exceptions(exceptions_path, document)
    if document == 'README.md':
        examples = list(readme_examples(text))
    else:
        examples = list(page_examples(text, exceptions))
    done = 0
    for example in examples:
        print(f'# {document}:{example.line}: {example.user}: {example.command}', flush=True)
        spared = exceptions.find(example.command)
        if spared and spared[1]:
            instead = Example(example.line, example.user, spared[1])
            run(instead, prefix, spared[1])
        elif not spared:
            run(example, prefix, example.command)
            done += 1
    exceptions.check()
    print(f'{document}: {done} examples were run')


try:
    main()
except Problem as problem:
    sys.exit(f'{sys.argv[1]}: {problem}')
