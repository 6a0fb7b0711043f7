"""What people write instead of this stream. Each lands the topic in the landing table until it has N rows, and ends.

`python -m bench.contenders.<name> N`; settings by the environment. After each landing a line `landed <rows>`.
"""
