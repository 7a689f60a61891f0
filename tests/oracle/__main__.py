"""Command line: `python3 -m oracle cases PACK_DIR`, `python3 -m oracle world PACK_DIR WORLD.json --columns OUT.json`,
and `python3 -m oracle worlds PACK_DIR FOLDER` for all worlds of a folder."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from .cases import run_cases
from .pack import read_pack
from .report import write_columns, write_folder


def main() -> int:
    parser = argparse.ArgumentParser(prog="oracle", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    cases = commands.add_parser("cases", help="run the worked cases of a pack")
    cases.add_argument("pack", type=Path)
    cases.add_argument("--only", default="", help="part of a case's name or file")
    world = commands.add_parser("world", help="compute all columns for a world of records")
    world.add_argument("pack", type=Path)
    world.add_argument("world", type=Path)
    world.add_argument("--columns", type=Path, required=True, help="where the columns are written")
    world.add_argument("--as-case", action="store_true", help="complete the records as worked cases are")
    worlds = commands.add_parser("worlds", help="compute all columns for each NAME.json of a folder, as NAME.columns")
    worlds.add_argument("pack", type=Path)
    worlds.add_argument("folder", type=Path)
    arguments = parser.parse_args()
    sys.setrecursionlimit(20000)
    pack = read_pack(arguments.pack)
    if arguments.command == "cases":
        return 1 if run_cases(pack, arguments.only).disagree else 0
    if arguments.command == "worlds":
        write_folder(pack, arguments.folder)
        return 0
    write_columns(pack, arguments.world, arguments.columns, arguments.as_case)
    return 0


if __name__ == "__main__":
    sys.exit(main())
