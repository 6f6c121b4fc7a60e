POSTS = {1: {"id": 1, "title": "One"}}
