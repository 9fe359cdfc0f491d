"""An endpoint that refuses requests, all or those about one document."""

from aiohttp import web

BAD = "parcel locker"
"""Words of one document."""
WORDS = "Unsupported parameter: 'temperature'"


def refusing(status, message=WORDS, code=None):
    """What answers every request so; or only those that hold `words`."""

    def response(words=""):
        def refuse(body):
            error = {"error": {"message": message, "code": code}}
            return web.json_response(error, status=status) if words.lower() in body.lower() else None

        return refuse

    return response
