"""How to reach an S3-compatible service."""

from pydantic import SecretStr

from gem_tasks.domain.base import Value


class S3Access(Value):
    """A deployment's settings of the service; None comes from the usual chain (environment, profile, role)."""

    endpoint_url: str | None = None
    region: str | None = None
    access_key_id: str | None = None
    secret_access_key: SecretStr | None = None
