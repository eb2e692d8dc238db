"""A machine card as one page that works offline: the curves, the tables behind them, and how each number was made."""

from typing import TYPE_CHECKING

from kernelbench.report.card import (
    RFO,
    amx,
    compute_table,
    ends,
    footprints,
    latency_table,
    memory_table,
    missing,
    scaling_tables,
    thread_counts,
)
from kernelbench.report.card_details import compute_details, how, ladder_details, latency_details
from kernelbench.report.card_knees import knees_at
from kernelbench.report.card_terminal import head_lines
from kernelbench.report.facts import machine_facts
from kernelbench.report.page import chart_scripts, filled
from kernelbench.report.text import safe_text

if TYPE_CHECKING:
    from kernelbench.store.card import Card

METHOD = (
    "A ceiling is the best of its probes, the largest rate or the shortest latency: what the machine can do, not "
    "what it usually does. The spread is how far the median probe lies from it.",
    "Rates per cycle divide by the clock measured beside the best probe, from a chain of dependent additions.",
    "Bandwidth is that of all threads together; a working set is what one thread touches, all its arrays together.",
    RFO,
    "A level's number is that of one point of the curve. The curve itself is what roofs are read from.",
)


def render(card: "Card") -> str:
    """The whole page."""
    from kernelbench.report.card_charts import specs

    ceilings = card.ceilings
    charts = specs(ceilings, card.machine)
    compute_counts, memory_counts = thread_counts(ceilings, "compute"), thread_counts(ceilings, "memory")
    values = {
        "machine": safe_text(card.machine.id),
        "head": head_lines(card),
        "specs": charts,
        "compute": [compute_table(ceilings, count) for count in compute_counts[:1]] + [*scaling_tables(ceilings)],
        "compute_all": compute_details(ceilings),
        "memory": [(memory_table(ceilings, n), footprints(ceilings, n)) for n in ends(memory_counts)],
        "ladders": [ladder_details(ceilings, n) for n in memory_counts],
        "rfo": RFO,
        "knees": [knees_at(ceilings, card.machine, n) for n in ends(memory_counts)],
        "latency": latency_table(ceilings),
        "latency_all": latency_details(ceilings),
        "how_memory": how(ceilings, "memory"),
        "how_latency": how(ceilings, "latency"),
        "missing": missing(ceilings),
        "amx": amx(ceilings),
        "facts": machine_facts(card.machine),
        "method": METHOD,
        "created": safe_text(card.created),
        "versions": f"method {card.method_version}, code {safe_text(card.source_hash)}",
    }
    return filled("card.html.j2", chart_scripts("card.js") if charts else (), values)
