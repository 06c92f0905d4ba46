# SPDX-License-Identifier: Apache-2.0
"""The table of a benchmark run: what was measured, against what, and whether the target is met."""


class Report:
    def __init__(self):
        self.rows = []

    def add(self, what, value, unit, against="", met=None, target=""):
        """met: True, False, or None where there is no target."""
        self.rows.append({"what": what, "value": value, "unit": unit, "against": against, "target": target, "met": met})

    def missed(self):
        return [row["what"] for row in self.rows if row["met"] is False]

    def markdown(self):
        lines = ["| what | measured | against | target | |", "|---|---:|---|---|---|"]
        for row in self.rows:
            verdict = {True: "met", False: "**missed**", None: ""}[row["met"]]
            value = f"{row['value']:.2f}" if isinstance(row["value"], float) else str(row["value"])
            lines.append(f"| {row['what']} | {value} {row['unit']} | {row['against']} | {row['target']} | {verdict} |")
        return "\n".join(lines)
