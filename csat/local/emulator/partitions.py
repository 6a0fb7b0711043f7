"""Partitions in local-bigquery 0.3.2: BigQuery reads and replaces one without a look at the rest; so does this.

DuckLake keeps the least and the greatest value of each piece of a file and passes over pieces that cannot hold what a
filter asks for. It helps where the rows of a date lie together and where a statement filters by the date. Used by
csat.local.emulator.serve, in the emulator's own environment.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import duckdb


def store_rows_of_a_partition_together() -> None:
    """CREATE TABLE … PARTITION BY … AS SELECT writes its rows in the order of the partitions."""
    from local_bigquery.sql.rules import ddl
    from sqlglot import exp

    split = ddl.split

    def split_sorted(tree: Any) -> Any:
        parts: list[Any] = split(tree)
        partition: Any = tree.find(exp.PartitionedByProperty) if isinstance(tree, exp.Create) else None
        for part in parts if partition else []:
            if isinstance(part.expression, exp.Query):
                by = exp.column(partition.name) if isinstance(partition.this, exp.Identifier) else partition.this.copy()
                rows = exp.select("*").from_(exp.Subquery(this=part.expression.unnest(), alias="__rows"))
                part.set("expression", rows.order_by(exp.Ordered(this=by)))
        return parts

    ddl.split = split_sorted


def replace_partitions_by_their_filter() -> None:
    """dbt's insert_overwrite is a MERGE … ON FALSE: delete by its condition, where the emulator compares row ids."""
    from local_bigquery.jobs import merge
    from local_bigquery.models import JobStatistics2
    from local_bigquery.sql.translate import translate
    from sqlglot import exp

    run_any = merge.run

    def run(cur: Any, tree: Any, context: Any) -> Any:
        clauses = tree.args["whens"].expressions
        if not _is_overwrite(tree, clauses):
            return run_any(cur, tree, context)
        condition, insert = clauses[0].args["condition"], clauses[1].args["then"]
        target = tree.this.copy()
        target.set("alias", None)
        # First, as in a MERGE: the source may read the target.
        source = exp.select("*").from_(tree.args["using"].copy()).ctas(merge.SOURCE)
        source.set("replace", True)
        source.set("properties", exp.Properties(expressions=[exp.TemporaryProperty()]))
        rows = exp.select(*insert.expression.expressions).from_(merge.SOURCE)
        statements = {
            "": source,
            "deletedRowCount": exp.delete(tree.this.copy()).where(condition.copy()),
            "insertedRowCount": exp.insert(rows, target, columns=[column.this for column in insert.this.expressions]),
        }
        counts = {"updatedRowCount": "0"}
        with _transaction(cur):
            for name, statement in statements.items():
                (count,) = cur.execute(*translate(statement, context)).fetchone()
                counts |= {name: str(count)} if name else {}
        cur.execute(f"DROP TABLE temp.{merge.SOURCE}")
        return JobStatistics2(numDmlAffectedRows=str(sum(map(int, counts.values()))), dmlStats=counts)

    merge.run = run


def _is_overwrite(tree: Any, clauses: Any) -> bool:
    """Whether the MERGE deletes rows of the target by a condition on them and inserts every row of the source."""
    from sqlglot import exp

    if not isinstance(tree.args["on"], exp.Boolean) or tree.args["on"].this or len(clauses) != 2:
        return False
    delete, insert = clauses
    return (
        bool(delete.args.get("source"))
        and isinstance(delete.args["then"], exp.Var)
        and delete.args["then"].name.upper() == "DELETE"
        and delete.args.get("condition") is not None
        and isinstance(insert.args["then"], exp.Insert)
        and isinstance(insert.args["then"].this, exp.Tuple)
        and insert.args.get("condition") is None
    )


@contextmanager
def _transaction(cur: Any) -> Iterator[None]:
    """All or nothing, also where no script has begun a transaction."""
    try:
        cur.execute("BEGIN")
    except duckdb.TransactionException:
        yield  # the script's own
        return
    try:
        yield
    except Exception:
        cur.execute("ROLLBACK")
        raise
    cur.execute("COMMIT")
