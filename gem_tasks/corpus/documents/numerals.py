"""Numbers as lists write them: 3, 03, c, C, iii, III."""

_ROMAN = ((1000, "m"), (900, "cm"), (500, "d"), (400, "cd"), (100, "c"), (90, "xc"), (50, "l"), (40, "xl"), (10, "x"),
          (9, "ix"), (5, "v"), (4, "iv"), (1, "i"))  # fmt: skip
_MOST_ROMAN = 4999
_MOST_LETTERS = 26 * 20


def numeral(number: int, form: str) -> str:
    """The number in a form of OOXML, such as `lowerLetter`; in digits if the form is unknown.

    Letters are repeated after z, as Word does: aa, bb.
    """
    lower = form.lower()
    if lower == "none":
        return ""
    if "roman" in lower and 0 < number <= _MOST_ROMAN:
        return _cased(_roman(number), form)
    if lower in ("lowerletter", "upperletter") and 0 < number <= _MOST_LETTERS:
        return _cased(chr(ord("a") + (number - 1) % 26) * ((number - 1) // 26 + 1), form)
    return f"{number:02d}" if lower == "decimalzero" else str(number)


def _cased(text: str, form: str) -> str:
    return text.upper() if form.startswith("upper") else text


def _roman(number: int) -> str:
    text = ""
    for value, letters in _ROMAN:
        text += letters * (number // value)
        number %= value
    return text
