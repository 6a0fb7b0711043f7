"""How far the work has come and when it will end: a bar on a terminal, a line every ten seconds elsewhere."""

from collections.abc import Callable, Iterable, Iterator, Sized
from types import TracebackType
from typing import Self, TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from csat.contract.terminal import printable

T = TypeVar("T")
B = TypeVar("B", bound=Sized)
LINE_SECONDS = 10.0
_STEP = 500


class Watch:
    """Shows progress on a console; a context manager. `timer` is a stop watch in seconds."""

    def __init__(self, console: Console, timer: Callable[[], float]) -> None:
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        self._console = console
        self._bars = Progress(*columns, TimeRemainingColumn(), console=console, disable=not console.is_terminal)
        self._timer = timer

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bars.stop()

    def say(self, line: str) -> None:
        """Print a line above the bars."""
        self._console.print(printable(line), markup=False, highlight=False, soft_wrap=True)

    def items(self, name: str, total: int, items: Iterable[T]) -> Iterator[T]:
        """The items, shown as they are taken; `total` may be an estimate."""
        task = self._bars.add_task(name, total=total)
        began = noted = self._timer()
        count = 0
        for item in items:
            yield item
            count += 1
            if count % _STEP:
                continue
            self._bars.update(task, completed=count)
            now = self._timer()
            if not self._console.is_terminal and now - noted >= LINE_SECONDS:
                noted = now
                left = (now - began) * max(total - count, 0) / count
                self.say(f"{name}: {count:,} of {total:,}, about {left:.0f} s left")
        self._bars.update(task, completed=count, total=count)

    def batches(self, name: str, total: int | None, batches: Iterable[B]) -> Iterator[B]:
        """The batches, shown by their items; on a terminal only, because there may be no end."""
        task = self._bars.add_task(name, total=total)
        for batch in batches:
            yield batch
            self._bars.advance(task, len(batch))
