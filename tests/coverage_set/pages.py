"""Web pages, drawings, books and mail, as browsers, Google Docs, Outlook and Thunderbird write them.

Knows no reader.
"""

from __future__ import annotations

import base64
import io
import quopri
import zipfile

from tests.coverage_set.sample import Sample
from tests.unit.loaders.office.test_office import zipped

_ARTICLE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>Ferry service resumes – Coast Daily</title>
<style>body { font: 16px serif }</style><script>var tracking = "unseen words";</script></head>
<body><header><a href="/">Coast Daily</a><nav>
<ul><li><a href="/news">News</a></li><li><a href="/sea">Sea</a></li></ul></nav></header>
<main><h1>Ferry service <em>resumes</em></h1><p class="by">By Ida Holm, 3&nbsp;May</p>
<p>The ferry between Svolv&aelig;r and Skutvik runs again<sup>1</sup>.<br>Tickets cost 120&#160;kr &amp; up.</p>
<figure><img src="ferry.jpg" alt="The white ferry at the quay"><figcaption>Back after a month.</figcaption></figure>
<table><caption>Departures</caption><thead><tr><th rowspan="2">Day</th><th colspan="2">From</th></tr>
<tr><th>Svolv&aelig;r</th><th>Skutvik</th></tr></thead><tbody><tr><td>Monday</td><td>08:15</td><td>11:40</td></tr>
<tr><td>Sunday</td><td colspan="2">no ferry</td></tr></tbody></table>
<dl><dt>Bicycle</dt><dd>free</dd><dt>Car</dt><dd>380 kr</dd></dl>
<form><label>Your mail <input type="email" placeholder="name@example.org"></label>
<select><option>Daily</option><option>Weekly</option></select><button>Subscribe</button></form>
<details><summary>More</summary><p>Dogs stay on deck.</p></details>
<pre>QR  code
  A7</pre></main>
<footer>&copy; 2024 Coast Daily</footer><noscript>Turn on scripts</noscript></body></html>"""

_GOOGLE = (
    '<html><head><meta content="text/html; charset=UTF-8" http-equiv="content-type"><style type="text/css">'
    "ol{margin:0;padding:0}.c0{color:#000000}</style></head>"
    '<body class="c4 doc-content"><p class="c1 title" id="h.a1"><span class="c0">Minutes of the harbour council</span></p>'
    '<p class="c1"><span class="c2">Present: </span><span class="c0">O&#39;Neil, Ast</span><span class="c3">a</span></p>'
    '<ul class="c5 lst-kix_a-0 start"><li class="c1 li-bullet-0"><span>Budget</span></li></ul>'
    '<ul class="c5 lst-kix_a-1 start"><li class="c1 li-bullet-0"><span>dredging: 90&nbsp;000</span></li></ul>'
    '<p class="c1"><span>Accepted</span><sup><a href="#cmnt1" id="cmnt_ref1">[a]</a></sup><span>&nbsp;by all.</span></p>'
    '<div class="c6"><p class="c1"><a href="#cmnt_ref1" id="cmnt1">[a]</a><span>Was it?</span></p></div></body></html>'
)

_WORD = """<html xmlns:v="urn:schemas-microsoft-com:vml" xmlns:o="urn:schemas-microsoft-com:office:office">
<head><meta http-equiv=Content-Type content="text/html; charset=windows-1252"><title>Dienstplan</title>
<!--[if gte mso 9]><xml><o:DocumentProperties><o:Author>nobody</o:Author></o:DocumentProperties></xml><![endif]--></head>
<body lang=DE><div class=WordSection1><p class=MsoTitle>Dienst­plan Möwe<o:p></o:p></p>
<p class=MsoListParagraph style='mso-list:l0 level1 lfo1'><![if !supportLists]><span style='mso-list:Ignore'>1.<span
style='font:7.0pt "Times New Roman"'>&nbsp;&nbsp;&nbsp; </span></span><![endif]>Brücke: Fr.&nbsp;Öz</p>
<table class=MsoTableGrid><tr><td><p class=MsoNormal>Früh</p></td><td><p class=MsoNormal>614 Uhr</p></td></tr></table>
<p class=MsoNormal>Zulage 12&nbsp; je Stunde<a href="#_ftn1"><span class=MsoFootnoteReference>[1]</span></a></p></div>
<div id=ftn1><p class=MsoFootnoteText>[1] nur nachts</p></div></body></html>"""

_ARABIC = (
    '<html dir="rtl" lang="ar"><head><meta charset="utf-8"><title>ميناء</title></head><body><h2>حركة السفن</h2>'
    "<p>وصلت <b>ثلاث</b> سفن إلى الميناء اليوم.</p></body></html>"
)

_DRAWING = (
    '<?xml version="1.0" encoding="UTF-8"?><svg xmlns="http://www.w3.org/2000/svg" width="300" height="200">'
    "<title>Lock plan</title>"
    '<defs><style>.a{fill:#fff}</style></defs><rect class="a" width="300" height="200"/>'
    '<text x="10" y="20"><tspan x="10" dy="0">Upper gate</tspan><tspan x="10" dy="14">opens inwards</tspan></text>'
    '<g><text x="10" y="90">Chamber</text></g><desc>Section through the lock</desc></svg>'
)

_OPF = (
    '<package xmlns="http://www.idpf.org/2007/opf" version="3.0"><metadata xmlns:dc="http://purl.org/dc/elements/1.1/">'
    "<dc:title>The Lightkeeper</dc:title><dc:creator>Runa Berg</dc:creator><dc:language>en</dc:language></metadata><manifest>"
    '<item id="nav" href="nav.xhtml" media-type="application/xhtml+xml" properties="nav"/>'
    '<item id="c1" href="text/one.xhtml" media-type="application/xhtml+xml"/>'
    '<item id="c2" href="text/two.xhtml" media-type="application/xhtml+xml"/></manifest>'
    '<spine><itemref idref="c1"/><itemref idref="c2"/></spine></package>'
)


def _chapter(body: str) -> str:
    head = '<?xml version="1.0" encoding="utf-8"?><!DOCTYPE html><html xmlns="http://www.w3.org/1999/xhtml"'
    return f'{head} xmlns:epub="http://www.idpf.org/2007/ops"><head><title>x</title></head><body>{body}</body></html>'


def _book() -> bytes:
    container = '<rootfiles><rootfile full-path="OEBPS/content.opf" media-type="application/oebps-package+xml"/></rootfiles>'
    first = (
        '<h1>Chapter 1<br/>The lamp</h1><p class="first"><span class="cap">T</span>he lamp went out at mid&#173;night.'
        '<a epub:type="noteref" href="#n1">1</a></p><aside epub:type="footnote" id="n1"><p>Old time.</p></aside>'
    )
    chapters = zipped(
        {
            "META-INF/container.xml": '<container version="1.0" xmlns="urn:oasis:names:tc:opendocument:xmlns:container">'
            f"{container}</container>",
            "OEBPS/content.opf": _OPF,
            "OEBPS/nav.xhtml": _chapter('<nav epub:type="toc"><ol><li><a href="text/one.xhtml">The lamp</a></li></ol></nav>'),
            "OEBPS/text/one.xhtml": _chapter(first),
            "OEBPS/text/two.xhtml": _chapter("<h1>Chapter 2</h1><blockquote><p>Who goes there?</p></blockquote><p>Nobody.</p>"),
        }
    )
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as book, zipfile.ZipFile(io.BytesIO(chapters)) as packed:
        book.writestr("mimetype", "application/epub+zip")  # first, and not compressed
        for name in packed.namelist():
            book.writestr(name, packed.read(name), zipfile.ZIP_DEFLATED)
    return stream.getvalue()


_OUTLOOK_HTML = (
    '<html xmlns:o="urn:schemas-microsoft-com:office:office"><head><meta http-equiv="Content-Type"'
    ' content="text/html; charset=utf-8">'
    "<!--[if gte mso 9]><xml><o:x>settings</o:x></xml><![endif]--><style>p.MsoNormal{margin:0}</style></head>"
    '<body lang="DE"><p class="MsoNormal">Grüße aus Büsum!<o:p></o:p></p><p class="MsoNormal">Der Kran wird'
    " am 4.&nbsp;Juni geprüft.</p>"
    '<table><tr><td>Kran 2</td><td>8:00 Uhr</td></tr></table><p class="MsoNormal">Gesendet von Outlook</p></body></html>'
)


def _outlook() -> bytes:
    plain = "Grüße aus Büsum!\r\n\r\nDer Kran wird am 4. Juni geprüft.\r\n\r\nKran 2\r\n8:00 Uhr\r\n\r\nGesendet von Outlook\r\n"
    return (
        b"From: =?utf-8?B?SsO8cmdlbiBXZWnDnw==?= <jw@example.org>\r\nTo: Hafenamt <amt@example.org>\r\n"
        b"Subject: =?iso-8859-1?Q?Pr=FCfung_des_Krans?=\r\nDate: Mon, 3 Jun 2024 09:12:00 +0200\r\nMIME-Version: 1.0\r\n"
        b'Content-Type: multipart/alternative; boundary="_000_"\r\n\r\n--_000_\r\n'
        b'Content-Type: text/plain; charset="utf-8"\r\nContent-Transfer-Encoding: base64\r\n\r\n'
        + base64.encodebytes(plain.encode()).replace(b"\n", b"\r\n")
        + b'--_000_\r\nContent-Type: text/html; charset="utf-8"\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n'
        + quopri.encodestring(_OUTLOOK_HTML.encode()).replace(b"\n", b"\r\n")
        + b"\r\n--_000_--\r\n"
    )


_THUNDERBIRD = (
    "Message-ID: <1@example.org>\nDate: Tue, 4 Jun 2024 10:00:00 +0000\nFrom: Ann Dale <ann@example.org>\nTo: bo@example.org\n"
    "Subject: Re: Tow rope\nContent-Type: text/plain; charset=UTF-8; format=flowed\nContent-Transfer-Encoding: 8bit\n\n"
    "On 3/6/24 Bo wrote:\n> Is the rope paid?\n\nYes, 85 £ in cash, and the \nchandler has the café receipt.\n\n-- \nAnn\n"
)

SAMPLES = [
    Sample(
        "article.html",
        _ARTICLE.encode,
        "Ferry service resumes Coast Daily Coast Daily News Sea Ferry service resumes By Ida Holm 3 May The ferry"
        " between Svolvær and"
        " Skutvik runs again 1 Tickets cost 120 kr up The white ferry at the quay Back after a month Departures Day From Svolvær"
        " Skutvik Monday 08 15 11 40 Sunday no ferry Bicycle free Car 380 kr Your mail name example org Daily"
        " Weekly Subscribe More"
        " Dogs stay on deck QR code A7 2024 Coast Daily",
    ),
    Sample(
        "google-docs.html",
        _GOOGLE.encode,
        "Minutes of the harbour council Present O'Neil Asta Budget dredging 90 000 Accepted a by all a Was it",
    ),
    Sample(
        "word.htm",
        lambda: _WORD.encode("latin-1"),
        "Dienstplan Dienstplan Möwe 1 Brücke Fr ÖzŸ Früh 6 14 Uhr Zulage 12 € je Stunde 1 1 nur nachts",
    ),
    Sample("arabic.html", _ARABIC.encode, "ميناء حركة السفن وصلت ثلاث سفن إلى الميناء اليوم"),
    Sample("lock.svg", _DRAWING.encode, "Upper gate opens inwards Chamber", ("Lock plan", "Section through the lock")),
    Sample(
        "lightkeeper.epub",
        _book,
        "The Lightkeeper Runa Berg Chapter 1 The lamp The lamp went out at midnight 1 Old time Chapter 2 Who goes there Nobody",
    ),
    Sample(  # every program shows sender, receiver and subject in another order
        "outlook.eml",
        _outlook,
        "Grüße aus Büsum Der Kran wird am 4 Juni geprüft Kran 2 8 00 Uhr Gesendet von Outlook",
        ("Jürgen Weiß", "Hafenamt", "Prüfung des Krans"),
    ),
    Sample(
        "thunderbird.eml",
        _THUNDERBIRD.encode,
        "On 3 6 24 Bo wrote Is the rope paid Yes 85 £ in cash and the chandler has the café receipt Ann",
        ("Ann Dale", "bo example org", "Re Tow rope"),
    ),
]
