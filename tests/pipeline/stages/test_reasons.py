"""Who reads an alert is told which words it rests on, in plain Indonesian."""

from datetime import UTC, datetime

from pipeline.contracts import Member, Narrative, Post, Reason
from pipeline.documents import alert_document
from pipeline.stages.alert import raise_alert
from pipeline.stages.judge import judge
from tests.scorer import WordScorer

NOW = datetime(2024, 11, 27, tzinfo=UTC)


def verdict_reasons(text: str) -> tuple[Reason, ...]:
    post = Post(platform="forum", native_id="1", text=text, fetched_at=NOW)
    return judge([(post, NOW)], WordScorer(), str, claims_version=0, now=NOW)[0].verdict.reasons


def test_a_verdict_names_the_words_of_each_yes_and_of_nothing_else() -> None:
    assert [(r.label, r.text) for r in verdict_reasons("ayo bakar tps")] == [
        ("provocation", "bakar"),
        ("provocation", "contoh: jangan bakar rumah orang"),
    ]
    assert verdict_reasons("ayo ke tps") == ()


def test_an_alert_tells_words_and_example_of_its_own_rule_only() -> None:
    member = Member(
        author="a",
        platform="forum",
        regions=(),
        seen_at=NOW,
        reach=3,
        labels=("hate", "provocation"),
        scores={"provocation": 0.9, "hate": 0.9},
        model="words-1",
        bands=(),
    )
    narrative = Narrative(id="n1", kind="spreads", members={"p1": member})
    why = verdict_reasons("ayo bakar dan benci")
    alert = raise_alert(narrative, "provocation", headline="h", claim=None, why=why, now=NOW, before=None)
    told = " ".join(alert.reasons)
    assert 'Kata yang paling menentukan: "bakar".' in told
    assert 'Mirip contoh yang sudah diberi label: "jangan bakar rumah orang".' in told
    assert "benci" not in told
    assert "rumah" not in alert_document(alert)["terms"], "an alert is not found by the example's words"
    assert "bakar" in alert_document(alert)["terms"]
    again = raise_alert(narrative, "provocation", headline="h", claim=None, why=why, now=NOW, before=alert)
    assert again == alert
