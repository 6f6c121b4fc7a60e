PAGES = ["/posts"]
