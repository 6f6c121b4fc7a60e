from .pages import PAGES


async def GET() -> str:
    return PAGES  # by mypy: return-value; by pyright: reportReturnType
