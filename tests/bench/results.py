"""
What came of measuring: costs per client, tables of them, and promises that they are held against.
"""
import statistics

MIB = 1 << 20


class Results:
    """Costs per peer, in the order in which the peers were named."""

    def __init__(self):
        self.first, self.again, self.said = {}, {}, {}

    def add(self, name, first, again, said):
        """again: None for a client that has no rerun."""
        self.first.setdefault(name, []).append(first)
        if again is not None:
            self.again.setdefault(name, []).append(again)
        if self.said.get(name, "identical") == "identical":
            self.said[name] = said

    def table(self, of, title, measure="floor"):
        ours = next((name for name in of if name.startswith("mailhaul")), None)
        print(f"\n{title}\n  {'':26}{'wall s':>8}{'x ' + measure.split()[0]:>9}{'x ours':>8}{'CPU s':>8}{'server CPU s':>15}{'peak MB':>9}"
              f"{'down/up MB':>16}  result")
        for name, costs in of.items():
            sides = range(len(costs[0].server_cpu))
            servers = "+".join(f"{statistics.median(cost.server_cpu[side] for cost in costs):.2f}" for side in sides)
            octets = "/".join(f"{statistics.median(value) / 1e6:.3f}" for value in
                              [[(cost.octets_out, cost.octets_in)[side][side] for cost in costs] for side in sides])
            print(f"  {name:26}{median(costs, 'wall'):8.3f}{times(costs, of.get(measure)):>9}{times(costs, of.get(ours)):>8}"
                  f"{median(costs, 'cpu'):8.3f}{servers:>15}{max(cost.peak for cost in costs) / MIB:9.1f}{octets:>16}"
                  f"  {self.said[name]}")


def median(costs, what):
    return statistics.median(getattr(cost, what) for cost in costs) if costs else 0


def ratio(costs, others):
    """How many times as long as the others, run against run: what drifts in between drops out."""
    return statistics.median(cost.wall / other.wall for cost, other in zip(costs, others))


def times(costs, others):
    return f"{ratio(costs, others):.2f}" if others else "-"


class Check:
    """Collects promises that were not kept."""

    def __init__(self):
        self.broken = 0

    def hold(self, what, figure, limit, unit):
        kept = figure <= limit
        self.broken += not kept
        print(f"  {'kept  ' if kept else 'BROKEN'} {what}: {figure:.3f} {unit}, promised {limit:.3f}")

    def hold_true(self, what, kept):
        self.broken += not kept
        print(f"  {'kept  ' if kept else 'BROKEN'} {what}")
