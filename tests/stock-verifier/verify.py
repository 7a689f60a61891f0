"""Checks the public log and its receipts with `aics-tlog`, a stock verifier from PyPI.

    verify.py KEY log FOLDER [OLDER_CHECKPOINT]
    verify.py KEY receipt FILE...

KEY is the log's public key, `name+hash+base64`. For each thing checked one line is printed: `accepted`, or
`refused` with the check that failed, then its path. The exit code is 0 if all were accepted, 1 if one was
refused, and 2 if the command is not of this form.

Signatures, checkpoints, tiles and proofs are the package's work. Only two things are read here, with the
standard library: the lines of a `tlog-proof@v1`, for which the package has no reader, and the commitment.
"""

import base64
import hashlib
import json
import sys
from pathlib import Path

import aics_tlog


class Refused(Exception):
    """The name of the check that failed."""


def open_checkpoint(text, key):
    try:
        note = aics_tlog.parse_note(text)
    except ValueError as error:
        raise Refused("note-form") from error
    result = aics_tlog.verify_checkpoint(note, key, expected_origin=key.name)
    if not result.ok:
        raise Refused("checkpoint")
    return aics_tlog.parse_checkpoint(note.text)


def check_log(folder, key, older=None):
    reader = aics_tlog.FileSystemTileReader(folder)
    head = open_checkpoint((folder / "checkpoint").read_bytes(), key)
    try:
        aics_tlog.audit_tiles(reader, head.size, head.root)
    except (ValueError, OSError) as error:
        raise Refused("tiles") from error
    if older is None:
        return
    old = open_checkpoint(older.read_bytes(), key)
    try:
        proof = aics_tlog.consistency_proof_from_tiles(reader, old.size, head.size)
    except ValueError as error:
        raise Refused("consistency") from error
    if not aics_tlog.verify_consistency(old.size, head.size, old.root, head.root, proof):
        raise Refused("consistency")


def canonical(value):
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def decode(text):
    data = base64.b64decode(text, validate=True)
    if base64.b64encode(data).decode() != text:
        raise ValueError("the base64 is not canonical")
    return data


def read_receipt(data):
    """The extra data, the index, the hashes and the checkpoint of a `tlog-proof@v1`."""
    head, checkpoint = data.decode().split("\n\n", 1)
    first, extra, index, *hashes = head.split("\n")
    extra_word, extra_text = extra.split(" ", 1)
    index_word, index_text = index.split(" ", 1)
    if (first, extra_word, index_word) != ("c2sp.org/tlog-proof@v1", "extra", "index"):
        raise ValueError("the lines are not those of a proof")
    if not index_text.isascii() or str(int(index_text)) != index_text:
        raise ValueError("the index is not a plain number")
    extra_data = decode(extra_text)
    extra = json.loads(extra_data)
    if canonical(extra) != extra_data:
        raise ValueError("the extra data is not canonical")
    return extra, int(index_text), [decode(line) for line in hashes], checkpoint


def check_receipt(file, key):
    """A receipt without an opening proves the leaf alone."""
    try:
        extra, index, proof, checkpoint = read_receipt(file.read_bytes())
        leaf, opening = extra.pop("leaf"), extra.pop("opening", None)
        if extra:
            raise ValueError("the extra data has other fields")
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Refused("receipt-form") from error
    if opening is not None:
        try:
            commitment = hashlib.sha256(decode(opening["salt"]) + canonical(opening["content"])).digest()
            committed = decode(leaf["commitment"])
        except (ValueError, KeyError, TypeError) as error:
            raise Refused("receipt-form") from error
        if commitment != committed:
            raise Refused("commitment")
    head = open_checkpoint(checkpoint, key)
    if not aics_tlog.verify_leaf_inclusion(canonical(leaf), index, head.size, proof, head.root):
        raise Refused("inclusion")


def main(arguments):
    match arguments:
        case [key, "log", folder]:
            checks = [(folder, lambda key: check_log(Path(folder), key))]
        case [key, "log", folder, older]:
            checks = [(folder, lambda key: check_log(Path(folder), key, Path(older)))]
        case [key, "receipt", *files] if files:
            checks = [(file, lambda key, file=file: check_receipt(Path(file), key)) for file in files]
        case _:
            print(__doc__, file=sys.stderr)
            return 2
    key = aics_tlog.parse_vkey(key)
    code = 0
    for path, check in checks:
        try:
            check(key)
            print(f"accepted\t{path}")
        except Refused as refused:
            code = 1
            print(f"refused {refused}\t{path}")
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
