def GET(year: int):
    return f"year\n{year}\n", {"Content-Type": "text/csv"}
