"""What every part agrees on: the event, the landing table, settings, errors and alert keys."""
