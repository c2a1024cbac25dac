"""Language is told from letters that mean nothing, and letters shifted by one number are shifted back."""

from __future__ import annotations

import random
import string

import pytest

from rag.text.language import deciphered, is_language

ENGLISH = (
    "The tenant keeps the orchard and the beehives in good order and pays the rent each quarter. Whatever grows under the "
    "trees belongs to the tenant; what falls from them after the first frost belongs to the village school."
)
TEXTS = [
    ENGLISH,
    "Der Mieter hält den Obstgarten und die Bienenstöcke in gutem Zustand und zahlt die Pacht jedes Quartal im Voraus.",
    "Le locataire entretient le verger et les ruches, et paie le loyer chaque trimestre, avant le premier jour du mois.",
    "Жилец содержит сад и ульи в хорошем состоянии и платит за аренду каждый квартал, до первого числа месяца.",
    "Ο ενοικιαστής διατηρεί τον οπωρώνα και τις κυψέλες σε καλή κατάσταση και πληρώνει το ενοίκιο κάθε τρίμηνο.",
    "המשכיר מתחזק את המטע ואת הכוורות במצב טוב ומשלם את שכר הדירה בכל רבעון לפני הראשון בחודש הבא של השנה",
    "يحافظ المستأجر على البستان وخلايا النحل في حالة جيدة ويدفع الإيجار كل ثلاثة أشهر قبل اليوم الأول من الشهر",
    "承租人应当保持果园和蜂箱的良好状态，并在每个季度的第一天以前支付租金。树下生长的一切都属于承租人，不在此限的另有约定。" * 2,
    "Người thuê giữ vườn cây ăn quả và tổ ong trong tình trạng tốt và trả tiền thuê mỗi quý trước ngày đầu tiên của tháng.",
    "12.4 17.9 1,204.50 33 % 88.1 −4 0.00 3.14159 2026-01-04 7 × 9 = 63 " * 5,
    "for (int i = 0; i < rows.size(); ++i) { total += rows[i].price * rows[i].count; } return total; } // end of loop",
    "",
    "qeb",
]


@pytest.mark.parametrize("text", TEXTS)
def test_language_numbers_and_short_texts_are_believed(text: str) -> None:
    assert is_language(text)


@pytest.mark.parametrize("seed", range(10))
def test_exchanged_letters_are_no_language(seed: int) -> None:
    letters = list(string.ascii_lowercase)
    random.Random(seed).shuffle(letters)
    assert not is_language(ENGLISH.lower().translate(str.maketrans(string.ascii_lowercase, "".join(letters))))


@pytest.mark.parametrize(
    "text", ["\ue001\ue002\ue003 \ue004\ue005" * 20, "#$%&'()* +!$ %&)(*# $&%! #$@^ ~`{}[]<> @&*^%$" * 4, "蘙齾龘靐齉爩麤灪龖厵" * 6]
)
def test_signs_without_meaning_are_no_language(text: str) -> None:
    assert not is_language(text)


def test_a_page_with_much_gibberish_beside_language_is_no_language() -> None:
    turned = ENGLISH.lower().translate(str.maketrans(string.ascii_lowercase, "qwzxvkjhgfdspbmnlrtcyaeuio"))
    assert not is_language(ENGLISH * 4 + turned * 6)
    assert is_language(ENGLISH * 9 + turned)


def test_shifted_letters_are_shifted_back() -> None:
    turned = string.ascii_lowercase[-3:] + string.ascii_lowercase[:-3]
    cipher = ENGLISH.translate(str.maketrans(string.ascii_letters, turned + turned.upper()))
    assert cipher.startswith("Qeb qbkxkq") and not is_language(cipher)
    assert deciphered(cipher) == ENGLISH
    glyphs = "".join(chr(ord(character) - 29) for character in ENGLISH)
    assert deciphered(glyphs).replace("\x1d", "") == ENGLISH


def test_a_wrong_code_page_is_put_right() -> None:
    russian = "Жилец содержит сад и ульи в хорошем состоянии и платит за аренду каждый квартал"
    mistaken = russian.encode("cp1251").decode("cp1252", "replace")
    assert not is_language(mistaken) and deciphered(mistaken) == russian


def test_what_no_shift_explains_stays() -> None:
    letters = "qwzxvkjhgfdspbmnlrtcyaeuio"
    assert deciphered(ENGLISH.lower().translate(str.maketrans(string.ascii_lowercase, letters))) == ""
    assert deciphered("") == ""
