"""What the commands of this folder share: where they write."""

import functools
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # a script's own folder comes first

import command
import pages

run, say, table = command.run, command.say, command.table
parse, page, number = pages.parse, pages.page, pages.number
report = functools.partial(pages.report, "failures")
