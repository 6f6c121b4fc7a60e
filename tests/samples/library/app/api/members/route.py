"""The people who borrow books."""

from datetime import UTC, datetime
from uuid import uuid4

from flask_routehandlers import Body, Created, Query

from app.members import LOANS, MEMBERS, Member, Name, NewMember


def GET(name: Query[Name | None] = None) -> list[Member]:
    """Find members."""
    return [member for member in MEMBERS.values() if name in (None, member.name)]


def POST(body: Body[NewMember]) -> Created[Member]:
    """Register a member."""
    member = Member(uuid4(), body.name, body.role, body.born, datetime.now(UTC))
    MEMBERS[member.id] = member
    LOANS[member.id] = []
    return member, 201
