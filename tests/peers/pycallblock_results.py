"""Looks at what pycallblock has left behind after pycallblock.sh has run its modes."""

import math
import pathlib
import sqlite3
import sys
import wave


def write_tone(path):
    """Two seconds of 440 Hz, without the byte 0x10, which pycallblock does not shield."""
    with wave.open(path, "wb") as out:
        out.setparams((1, 1, 8000, 0, "NONE", ""))
        turn = 2 * math.pi * 440 / 8000
        out.writeframes(bytes(round(128 + 60 * math.sin(turn * i)) for i in range(16000)))


def recorded(home):
    """The samples of the only recording, or None."""
    files = list((home / "pycallblock" / "rec").iterdir())
    if len(files) != 1:
        return None
    with wave.open(str(files[0])) as file:
        return file.readframes(file.getnframes())


def faults(home):
    """What is wrong with one mode's run, in words."""
    mode = home.name.split("-")[0]
    journal = (home / "journal").read_text()
    if (home / "status").read_text().strip() != "0":
        yield "pycallblock failed"
    if "violation" in journal:
        yield "it did what no manual allows"
    with sqlite3.connect(home / "pycallblock" / "pycallblock.db") as database:
        calls = database.execute("select number, name, blocked from call_log order by timestamp")
        expected = [("2125550147", "V4231749020000150", 1), ("5055034455", "SMITH JOHN", 0)]
        found = [(number, name, int(blocked)) for number, name, blocked in calls]
        if found != expected:
            yield f"the call log is {found}"
    wanted = {
        "hangup": ["off-hook", "on-hook"],
        "fax": ["fax answer tone", "on-hook"],
        "message": ["voice VTX begins", "voice ends", "on-hook"],
        "record": ["voice VRX begins", "code <DLE>#", "voice ends", "on-hook"],
        "transmit": ["voice VTX begins", "code <DLE>#", "voice ends", "on-hook"],
        "duplex": ["voice VTR begins", "code <DLE>#", "voice ends", "on-hook"],
    }
    for happening in wanted[mode]:
        if happening not in journal:
            yield f"never happened: {happening}"
    if mode in ("record", "duplex"):
        samples = recorded(home)
        if samples is None:
            yield "there is not one recording"
        elif len(samples) < 8 * 8000 or max(samples) < 180:
            yield "the caller is not in the recording"


def check(work):
    good = True
    for home in sorted(path.parent for path in work.glob("*/status")):
        wrong = list(faults(home))
        print(f"pycallblock {home.name}: {'; '.join(wrong) or 'ok'}")
        if wrong:
            good = False
            print((home / "log").read_text())
            print((home / "journal").read_text())
    return 0 if good else 1


if __name__ == "__main__":
    order, path = sys.argv[1:]
    if order == "tone":
        write_tone(path)
    else:
        sys.exit(check(pathlib.Path(path)))
