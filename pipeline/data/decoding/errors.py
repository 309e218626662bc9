"""How decoding fails."""


class DecodeError(ValueError):
    """The bytes are no readable image."""


def in_one_line(error: BaseException | str) -> str:
    """What an error says, or its name where it says nothing."""
    return " ".join(str(error).split()) or type(error).__name__
