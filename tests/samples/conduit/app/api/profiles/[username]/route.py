from app.models import User
from app.schemas import OneProfile, Profile


def GET(viewer: User | None, owner: User) -> OneProfile:
    """Get the profile of a user."""
    return OneProfile(profile=Profile.of(owner, viewer))
