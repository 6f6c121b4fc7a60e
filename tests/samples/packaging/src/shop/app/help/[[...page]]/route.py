from pathlib import Path

HELP = Path(__file__).with_name("help.txt")


def GET(page: list[str]):
    return {"page": page, "text": HELP.read_text(encoding="utf-8")}
