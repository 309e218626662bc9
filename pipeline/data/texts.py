"""Text files as people have them: in whatever encoding."""

from pipeline.data.place import Place
from pipeline.errors import UserError, shown

UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
# What a file that is no UTF-8 is most often in, where its bytes leave a choice.
USUAL_ENCODINGS = ("cp1252", "latin-1")


def readings(path: Place) -> list[str]:
    """What a text file may say, the likeliest first: one text where its encoding is certain.

    UTF-8 with or without a byte-order mark, UTF-16 with one, or what its bytes look like. Raises UserError if the file
    cannot be read, or is no text.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UserError(f"{shown(str(path))} cannot be read: {error.strerror}") from error
    try:
        if content.startswith(UTF16_MARKS):
            return [content.decode("utf-16")]
        text = content.decode("utf-8-sig")
        if "\0" not in text:
            return [text]
    except UnicodeDecodeError:
        pass
    return _guessed(content, path)


def _guessed(content: bytes, path: Place) -> list[str]:
    import charset_normalizer

    encodings = [match.encoding for match in charset_normalizer.from_bytes(content)]
    texts = []
    for encoding in (*encodings, *USUAL_ENCODINGS):
        try:
            text = content.decode(encoding)
        except (UnicodeDecodeError, LookupError):
            continue
        if "\0" not in text and text not in texts:
            texts.append(text)
    if not texts:
        raise UserError(f"{shown(str(path))} is no text file; UTF-8 is expected")
    return texts
