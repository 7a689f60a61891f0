"""An independent second reading of the pack language, from `docs/pack-language.md` alone.

It reads packs, evaluates worlds of records and compares worked cases with their expectations. It
shares no code with the implementation, so that two readings of the same document can disagree. It
lacks imports, registers, reports as files and speed for large worlds.
"""
