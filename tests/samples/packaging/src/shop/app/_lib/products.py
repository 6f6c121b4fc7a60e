PRODUCTS = [{"id": 1, "name": "Pen"}, {"id": 2, "name": "Ink"}]
