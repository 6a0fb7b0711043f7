"""Common alternatives to this stream. Each lands the topic in the landing table until it has N rows, and exits.

`python -m tools.bench.baselines.<name> N`; settings come from the environment. Each landing prints `landed <rows>`.
"""
