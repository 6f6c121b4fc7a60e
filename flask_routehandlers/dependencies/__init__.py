"""Dependencies: functions of a ``dependencies.py`` that are arguments by their names.

Nothing of it runs for a route that asks for none.
"""
