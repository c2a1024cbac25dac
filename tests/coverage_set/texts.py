"""Plain texts, Markdown, code, notebooks, tables and subtitles, as editors and exports write them.

Knows no reader.
"""

from __future__ import annotations

import json

from tests.coverage_set.sample import Sample

_MARKDOWN = """\
---
title: Tide gauge handbook
author: Mara Lind
---

Tide gauge handbook
===================

[![build](https://img.example.org/build.svg "Build passing")](https://example.org/ci)

The gauge reports **every six minutes**; see the [calibration
notes][cal] or <https://example.org/gauge>.[^1]

## Parts

1. float & wire
   - brass float
   - steel wire, *2 mm*
2. ~~paper drum~~ memory card

| Part | Price | In stock |
|:-----|------:|:--------:|
| float | 40 € | yes |
| wire \\| rope | 7 € | no |

> Never oil the pulley.

```sh
gauge --dump /dev/ttyS0   # reads the card
```

- [x] mount
- [ ] level

<details><summary>Older models</summary>

The 1962 model needs ink.

</details>

[^1]: Since firmware 4.
[cal]: docs/calibration.md "Calibration"
"""

_NOTEBOOK = {
    "nbformat": 4,
    "nbformat_minor": 5,
    "metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
    "cells": [
        {"cell_type": "markdown", "id": "a1", "metadata": {}, "source": ["# Salinity\n", "\n", "Samples of *March*."]},
        {
            "cell_type": "code",
            "id": "a2",
            "metadata": {},
            "execution_count": 1,
            "source": ["mean = sum(samples) / len(samples)\n", "print('mean salinity', round(mean, 1))"],
            "outputs": [{"output_type": "stream", "name": "stdout", "text": ["mean salinity 34.7\n"]}],
        },
        {
            "cell_type": "code",
            "id": "a3",
            "metadata": {},
            "execution_count": 2,
            "source": "table.head(2)",
            "outputs": [
                {
                    "output_type": "execute_result",
                    "execution_count": 2,
                    "metadata": {},
                    "data": {
                        "text/plain": ["   station  depth\n", "0  Kiel        12\n", "1  Bergen      80"],
                        "text/html": ["<table><tr><th>station</th><th>depth</th></tr></table>"],
                    },
                }
            ],
        },
        {"cell_type": "raw", "id": "a4", "metadata": {}, "source": "end of the survey"},
    ],
}

_CODE = '''\
#!/usr/bin/env python3
"""Opens the lock gates."""

LEVEL = 2.35  # metres above datum


class Gate:
    def open(self, speed: float) -> None:
        """Slowly: the wave must stay below 20 cm."""
        raise NotImplementedError(f"gate cannot open at {speed}")
'''

SAMPLES = [
    Sample(
        "notepad.txt",  # Windows Notepad: a byte order mark and CRLF
        lambda: (
            "\ufeffMooring rules\r\n\r\nTie the bow line first – then the spring.\r\nMax. stay: 24 h, €12 per night.\r\n".encode()
        ),
        "Mooring rules Tie the bow line first then the spring Max stay 24 h €12 per night",
    ),
    Sample(
        "cyrillic.txt",  # an old editor's code page
        lambda: "Расписание паромов\n\nПервый паром отходит в шесть часов утра.\nПо воскресеньям движения нет.\n".encode(
            "cp1251"
        ),
        "Расписание паромов Первый паром отходит в шесть часов утра По воскресеньям движения нет",
    ),
    Sample(
        "unicode.txt",  # "Unicode" of Windows programs
        lambda: "\ufeff港湾日誌\r\n本日、貨物船が三隻入港した。\r\n".encode("utf-16-le"),
        "港湾日誌 本日 貨物船が三隻入港した",
    ),
    Sample(
        "handbook.md",
        _MARKDOWN.encode,
        "Tide gauge handbook Mara Lind Tide gauge handbook build The gauge reports every six minutes see the calibration notes or"
        " https example org gauge"
        " Parts float wire brass float steel wire 2 mm paper drum memory card Part Price In stock float 40 € yes wire rope 7 € no"
        " Never oil the pulley gauge dump dev ttyS0 reads the card mount level Older models The 1962 model needs ink",
        ("Since firmware 4",),
    ),
    Sample(
        "survey.ipynb",
        lambda: json.dumps(_NOTEBOOK, indent=1).encode(),
        "Salinity Samples of March mean sum samples len samples print mean salinity round mean 1 mean salinity 34 7 table head 2"
        " station depth 0 Kiel 12 1 Bergen 80 end of the survey",
    ),
    Sample(
        "gate.py",
        _CODE.encode,
        "usr bin env python3 Opens the lock gates LEVEL 2 35 metres above datum class Gate def open self speed"
        " float None Slowly the"
        " wave must stay below 20 cm raise NotImplementedError f gate cannot open at speed",
    ),
    Sample(
        "excel.csv",  # a German Excel: semicolons, the ANSI code page, quoted line breaks
        lambda: 'Kunde;Betrag;Notiz\r\nMüller;1.234,50;"zahlt\r\nspät"\r\nŽofie;17,00;"sagt ""bald"""\r\n'.encode("cp1252"),
        "Kunde Betrag Notiz Müller 1 234 50 zahlt spät Žofie 17 00 sagt bald",
    ),
    Sample(
        "export.tsv",
        lambda: b"berth\tship\tdraught\n7\tSkua\t4.1\n9\tGannet\t5.6\n",
        "berth ship draught 7 Skua 4 1 9 Gannet 5 6",
    ),
    Sample(
        "buoy.json",  # json.dumps escapes what is not ASCII
        lambda: json.dumps(
            {"name": "Bøje 4", "light": {"colour": "grün", "period": 3.5}, "notes": ["bell", "re-painted\n2021"]}
        ).encode(),
        "name Bøje 4 light colour grün period 3 5 notes bell re painted 2021",
    ),
    Sample(
        "film.srt",
        lambda: (
            b"1\r\n00:00:01,000 --> 00:00:03,500\r\n<i>The harbour</i> is closed.\r\n\r\n"
            b"2\r\n00:00:04,000 --> 00:00:06,000\r\n- Since when?\r\n- Since the storm.\r\n"
        ),
        "The harbour is closed Since when Since the storm",
    ),
]
