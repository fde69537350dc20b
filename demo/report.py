"""A score in lines for people."""

from __future__ import annotations

from demo.score import Score


def said(found: Score) -> list[str]:
    """Recall and precision first, then what was missed and what was wrong, each by name."""
    deserving = len(found.found) + len(found.missed)
    right = sum(alert.right for alert in found.alerts)
    lines = [
        f"recall {found.recall:.2f} ({len(found.found)} of {deserving} narratives found), "
        f"precision {found.precision:.2f} ({right} of {len(found.alerts)} alerts right)",
        f"{found.coverage:.0%} of the posts that deserve an alert are in one; {found.purity:.0%} of the posts in alerts belong there",
        f"alerts on corrections, questions, criticism, satire, counter-speech, ordinary or merely abusive talk: {len(found.protected)}",
    ]
    if found.missed:
        lines.append(f"missed: {', '.join(found.missed)}")
    lines += [f"wrong: {alert.id} ({alert.kind}, {alert.posts} posts)" for alert in found.wrong]
    return lines
