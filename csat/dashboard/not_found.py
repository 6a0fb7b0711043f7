"""The page for an address that the dashboard does not have. It runs no script, and needs no other file."""

from csat.dashboard.views import IN_BAR

_LINKS = "".join(f'<li><a href="/{page.path}">{page.title}</a></li>' for page in IN_BAR[1:])

NOT_FOUND = f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Page not found · CSAT</title>
<style>
:root {{ color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }}
body {{ max-width: 40rem; margin: 4rem auto; padding: 0 1rem; }}
a {{ color: light-dark(#0b5cad, #6cb2f2); }}
</style>
</head>
<body>
<main>
<h1>Page not found</h1>
<p>The dashboard has no page at this address. It has these:</p>
<ul><li><a href="/">{IN_BAR[0].title}</a></li>{_LINKS}</ul>
</main>
</body>
</html>
"""
