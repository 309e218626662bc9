"""A Ray cluster as this project uses it: the connection, the code and the data that nodes get.

Only this room and the executor of a search import Ray, and only when it is asked for.
"""
