"""What the routes of access take and answer; each field says what it is."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from service.auth.accounts import LOGIN
from service.auth.passwords import LONGEST
from service.auth.roles import Role

Login = Annotated[
    str, Field(pattern=LOGIN, description="name of the account, small letters", examples=["nguyen.an"])
]
# Of a login that tries, anything is taken: what is no login is as wrong as one that nobody has.
Tried = Annotated[str, Field(max_length=128, description="name of the account", examples=["nguyen.an"])]
Password = Annotated[
    str, Field(max_length=4 * LONGEST, repr=False, description="at least 12 characters when new")
]
Language = Literal["vi", "en"]
Link = Annotated[
    str, Field(min_length=1, max_length=128, repr=False, description="what stands after # in the link")
]
PersonName = Annotated[str, Field(max_length=200, description="what people call them")]


class Form(BaseModel):
    """Whatever is not known is refused, and values are not quoted in errors."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    @model_validator(mode="after")
    def _can_be_kept(self) -> Self:
        if any(isinstance(value, str) and "\x00" in value for _, value in self):
            raise ValueError("a text here holds no zero byte")
        return self


class Credentials(Form):
    """A login."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"login": "nguyen.an", "password": "bốn từ không liên quan"}]}
    )
    login: Tried
    password: Password


class SessionState(Form):
    """Who one is logged in as, if at all."""

    login: str | None = Field(
        description="the account; null where nobody is logged in", examples=["nguyen.an"]
    )
    name: str = Field("", description="what people call them")
    role: Role | None = Field(None, description="what they may do", examples=["operator"])
    via: Literal["session", "token", "anonymous"] = Field(description="how they are known")
    language: Language = Field(description="of pages and messages")
    csrf: str = Field("", description="to be sent as X-CSRF-Token with POST, PUT, PATCH and DELETE")


class NewPassword(Form):
    """Another password for oneself."""

    old: Password = Field(description="the present one")
    new: Password = Field(description="the new one, at least 12 characters")


class NewInvitation(Form):
    """Whom to invite."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"login": "nguyen.an", "role": "operator"}]})
    login: Login
    role: Role | None = Field(None, description="of a new account; left out for a new password of an old one")


class InvitationLink(Form):
    """A link to hand over by a safe way; it is shown this once."""

    login: str = Field(description="the account", examples=["nguyen.an"])
    role: Role = Field(description="what it may do", examples=["operator"])
    link: str = Field(description="opens once", examples=["https://ngatu.example.vn/invitation#Zm9v..."])
    expires_at: datetime = Field(description="when it ends")


class InvitationState(Form):
    """An invitation that nobody used yet."""

    login: str = Field(description="the account", examples=["nguyen.an"])
    role: Role = Field(description="what it may do", examples=["operator"])
    created_at: datetime = Field(description="when it was made")
    created_by: str = Field(description="by whom")
    expires_at: datetime = Field(description="when it ends")


class LookedAt(Form):
    """The value of a link, to see what it is for."""

    token: Link


class InvitedTo(Form):
    """What a link is for."""

    login: str = Field(description="the account", examples=["nguyen.an"])
    role: Role = Field(description="what it may do", examples=["operator"])
    expires_at: datetime = Field(description="when it ends")
    shortest_password: int = Field(description="characters that a password needs", examples=[12])


class Acceptance(Form):
    """The use of a link."""

    token: Link
    password: Password
    name: PersonName | None = None
    language: Language = Field("vi", description="of pages and messages")


class AccountState(Form):
    """An account, without anything secret."""

    login: str = Field(description="its name", examples=["nguyen.an"])
    name: str = Field(description="what people call them", examples=["Nguyễn An"])
    role: Role = Field(description="what it may do", examples=["operator"])
    language: str = Field(description="of pages and messages", examples=["vi"])
    created_at: datetime = Field(description="when it was made")
    disabled_at: datetime | None = Field(description="since when nobody may use it; null where it is in use")
    locked_until: datetime | None = Field(description="wrong guesses keep strangers out until then")
    failures: int = Field(description="wrong guesses since the last login")


class AccountChange(Form):
    """What is to change of an account; what is left out stays."""

    name: PersonName | None = None
    role: Role | None = Field(None, description="what it may do")
    language: Language | None = Field(None, description="of pages and messages")
    disabled: bool | None = Field(None, description="true ends its sessions, tokens and links")


class NewToken(Form):
    """A token for a program."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"name": "city data hub", "scope": "viewer", "days": 90}]}
    )
    name: str = Field(min_length=1, max_length=200, description="what it is for")
    scope: Role = Field("viewer", description="the most it may do; never more than its account")
    days: int = Field(90, ge=1, le=366, description="how long it holds")


class TokenState(Form):
    """A token, without its value."""

    id: int = Field(description="its number", examples=[3])
    name: str = Field(description="what it is for", examples=["city data hub"])
    login: str = Field(description="whose it is", examples=["nguyen.an"])
    scope: Role = Field(description="the most it may do", examples=["viewer"])
    created_at: datetime = Field(description="when it was made")
    expires_at: datetime = Field(description="when it ends")
    used_at: datetime | None = Field(description="when it was last used, to the minute")
    revoked_at: datetime | None = Field(description="when it was withdrawn")


class TokenValue(TokenState):
    """A token that was just made."""

    token: str = Field(description="its value, shown this once; send it as Authorization: Bearer ...")


class SecretValue(Form):
    """A secret that addresses name as ``${name}``."""

    value: str = Field(min_length=1, max_length=1000, repr=False, description="never shown again")


class SecretState(Form):
    """A secret's name; its value is never shown."""

    name: str = Field(description="addresses hold it as ${name}", examples=["cam_hoa_ban_cam1_0c1b0c"])
    changed_at: datetime = Field(description="when it was last set")


class Deed(Form):
    """A line of the audit."""

    id: int = Field(description="grows with each line", examples=[17])
    time: datetime = Field(description="when")
    actor: str = Field(description="who: a login, or what did it by itself", examples=["nguyen.an"])
    action: str = Field(description="what kind of deed", examples=["account.change"])
    what: str = Field(description="to what", examples=["account tran.binh"])
    detail: dict[str, Any] = Field(description="before and after, secrets masked")


class Deeds(Form):
    """Lines of the audit, the newest first."""

    items: list[Deed] = Field(description="at most as many as asked for")
    next: str | None = Field(description="to be given as cursor for the lines before; null at the end")


def picked(row: Any, form: type[Form], *but: str) -> dict[str, Any]:
    """The fields of a form that a row has under the same names."""
    names: Sequence[str] = [name for name in form.model_fields if name not in but]
    return {name: getattr(row, name) for name in names}
