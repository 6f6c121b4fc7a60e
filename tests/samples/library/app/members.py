from datetime import UTC, date, datetime
from typing import Annotated
from uuid import UUID

import msgspec

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=80)]


class Teacher(msgspec.Struct, tag="teacher"):
    subject: Name


class Student(msgspec.Struct, tag="student"):
    year: Annotated[int, msgspec.Meta(ge=1, le=13)]
    guardian: Name | None = None


class NewMember(msgspec.Struct, forbid_unknown_fields=True):
    name: Name
    role: Teacher | Student
    born: date | None = None


class Member(msgspec.Struct):
    id: UUID
    name: str
    role: Teacher | Student
    born: date | None
    joined: datetime


ADA = Member(
    UUID("12345678-1234-4234-8234-123456789abc"),
    "Ada",
    Teacher("mathematics"),
    None,
    datetime(2026, 1, 1, tzinfo=UTC),
)
MEMBERS = {ADA.id: ADA}
LOANS: dict[UUID, list[str]] = {ADA.id: ["9780141439518"]}
