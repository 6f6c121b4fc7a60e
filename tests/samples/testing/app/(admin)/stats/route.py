async def GET():
    return {"visits": 3}
