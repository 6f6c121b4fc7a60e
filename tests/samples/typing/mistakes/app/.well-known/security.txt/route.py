from . import contact


def GET() -> str:
    address: str = contact.ADRESS  # by mypy: attr-defined; by pyright: reportAttributeAccessIssue
    return address
