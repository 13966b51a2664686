"""The language of an answer's sentences: English, and Vietnamese for who asks for it."""

from typing import Literal, get_args

from fastapi import Request

from service.sentences import in_vietnamese

Language = Literal["vi", "en"]
LANGUAGES: tuple[Language, ...] = get_args(Language)


def language_of(request: Request, otherwise: Language = "en") -> Language:
    """The language that a request asks for, by ``?language=``, else by the header Accept-Language."""
    for language in LANGUAGES:
        if request.query_params.get("language") == language:
            return language
    wanted = request.headers.get("accept-language", "").lower()
    vi, en = wanted.find("vi"), wanted.find("en")
    if vi < 0 and en < 0:
        return otherwise
    return "en" if vi < 0 or 0 <= en < vi else "vi"


def told(request: Request, sentence: str) -> str:
    """A sentence of ours, written in English, in the language that a request asks for."""
    return in_vietnamese(sentence) if language_of(request) == "vi" else sentence
