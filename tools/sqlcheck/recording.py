"""The statements that dbt would send to BigQuery, in order; tools.sqlcheck.record writes them."""

from pydantic import BaseModel, ConfigDict


class Statement(BaseModel):
    """A script that a model or a test sends; with a contract, a query whose columns dbt compares with it."""

    model_config = ConfigDict(frozen=True)

    origin: str
    sql: str
    contract: str | None = None


class Recording(BaseModel):
    """All statements, and the tables that exist before: full name and the name of the schema file."""

    model_config = ConfigDict(frozen=True)

    project: str
    sources: dict[str, str] = {}
    statements: tuple[Statement, ...]
