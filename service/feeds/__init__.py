"""Feeds: what others read of ngatu, or are told by it, each in the standard that it speaks.

A feed is one file and one line of registration. One that others ask is a router in ``service/api/routes`` and
its line there. One that tells others is a class with ``collect`` and ``deliver`` (``service.feeds.receiver``)
and its line in ``service.feeds.registry``; a :class:`service.feeds.sender.Sender` does the rest: a thread and
a queue on disk for each receiver, retries, and what came late or was revised is told again.
"""
