from app.models import User
from app.schemas import OneProfile, Profile


def POST(user: User, owner: User) -> OneProfile:
    """Follow a user."""
    owner.followers.add(user)
    return OneProfile(profile=Profile.of(owner, user))


def DELETE(user: User, owner: User) -> OneProfile:
    """Unfollow a user."""
    owner.followers.discard(user)
    return OneProfile(profile=Profile.of(owner, user))
